// One Node environment's engine: everything that its JavaScript has made, and the hooks it gave.
#pragma once
#include <node_api.h>

#include <initializer_list>
#include <map>
#include <memory>
#include <vector>

#include "bindings/javascript_roots.h"
#include "code/code.h"
#include "continuation/runtime.h"
#include "heap/heap.h"
#include "trap/entry.h"
#include "trap/signals.h"

namespace heddle {

class Engine;

/// Value type bytes; every reference is kReference.
enum ValueKind : uint8_t { kI32 = 0x7f, kI64 = 0x7e, kF32 = 0x7d, kF64 = 0x7c, kV128 = 0x7b, kReference = 0x6f };

/// A function type as TypeScript defined it.
struct FunctionType {
  std::vector<uint8_t> params;
  std::vector<uint8_t> results;
  uint32_t slots() const { return static_cast<uint32_t>(params.size() > results.size() ? params.size() : results.size()); }
};

/// What an instance costs besides its context, in bytes: V8's objects for it, more or less.
inline constexpr int64_t kInstanceWeight = 4096;
/// The same for a memory, whose pages V8 counts itself.
inline constexpr uint64_t kMemoryWeight = 4096;

/// What an instance has besides its context. VMInstance.data points to it.
struct InstanceObject {
  VMInstance* context = nullptr;
  size_t size = 0;
  /// Bytes of the context that may hold references to other objects; its functions and handler lists, which lie behind, refer to itself.
  size_t traced = 0;
  const Code* code = nullptr;
  std::map<uint32_t, std::vector<uint8_t>> data;
  std::map<uint32_t, std::vector<uint64_t>> elements;
  /// The shadow stack that its code uses; null where it has none.
  std::shared_ptr<ShadowStack> shadow;
};

/// Whether a segment has these elements. One that was dropped has none.
template <typename Element>
bool has_range(const std::map<uint32_t, std::vector<Element>>& segments, uint32_t segment, uint64_t start, uint64_t count) {
  const auto found = segments.find(segment);
  const uint64_t available = found == segments.end() ? 0 : found->second.size();
  return count <= available && start <= available - count;
}

/// A mapping of ours in the hands of JavaScript: it lives for as long as an ArrayBuffer may point into it, wherever that was moved to.
struct Loan {
  std::shared_ptr<Mapping> mapping;
  /// This V8 can move an ArrayBuffer's memory to another (`transfer`), and that to another thread.
  bool transferable = false;
};

/// A memory that WebAssembly of ours uses: V8's, or a mapping of ours (bindings/mapped_memory.h). An object of the heap.
struct MemoryObject {
  VMMemory vm{};
  Engine* engine = nullptr;
  /// V8's object; null for a mapping of ours.
  napi_ref object = nullptr;
  /// Engine::epoch when `vm` was last compared with V8.
  uint64_t epoch = 0;
  /// Binary logarithm of the page size.
  uint32_t page_shift = 16;
  /// Whether `object` or `buffer` is a strong reference: while an instance needs the memory, and not while only JavaScript may hold it.
  bool strong = true;
  /// Null where the memory is V8's.
  std::shared_ptr<Mapping> mapping;
  /// The ArrayBuffer that JavaScript has over the mapping; null before it asked. What it owns is the loan.
  napi_ref buffer = nullptr;
  std::shared_ptr<Loan> loan;
  bool is_mapped() const { return object == nullptr; }
  /// What JavaScript holds of it, null when nothing.
  napi_ref reference() const { return is_mapped() ? buffer : object; }
};

/// A table; its elements are ours. An object of the heap.
struct TableObject {
  VMTable vm;
  /// Id of the type that its elements have, 0 where it is none of a module's.
  uint32_t type;
};

/// The types that a module names, by their ids. An object of the heap, which the module's code and JavaScript's object for it keep.
struct alignas(16) TypeList {
  uint64_t count;
  /// They follow.
  uint32_t* ids() { return reinterpret_cast<uint32_t*>(this + 1); }  // SAFETY: the object was allocated with room for them.
  const uint32_t* ids() const { return reinterpret_cast<const uint32_t*>(this + 1); }
};

/// An imported JavaScript function. An object of the heap.
struct HostObject {
  VMHostFunction vm;
  VMFunction function;
  const FunctionType* type;
  /// A kHost….
  uint32_t kind;
  /// By which TypeScript has the function, where it is one of numbers.
  uint32_t number;
  /// Null once it was given up by `dispose`.
  napi_ref callee;
};

/// A global's 16 bytes. An object of the heap.
struct alignas(16) Cell {
  uint64_t words[2];
  /// Id of its type, 0 where it is none of a module's.
  uint32_t type;
};

/// Functions that TypeScript gave (NativeHooks in ts/link/native.ts).
struct Hooks {
  napi_ref trap = nullptr;
  napi_ref coerce = nullptr;
  napi_ref poll = nullptr;
  napi_ref thrown = nullptr;
  napi_ref keep_thrown = nullptr;
  napi_ref throw_kept = nullptr;
  napi_ref caught = nullptr;
  napi_ref collected = nullptr;
  napi_ref uncache = nullptr;
  napi_ref suspend_error = nullptr;
  napi_ref passed = nullptr;
  napi_ref wait = nullptr;
  napi_ref notify = nullptr;
  napi_ref make_function = nullptr;
};

/// What of JavaScript's built-in objects C++ needs, as it was when Heddle was loaded: programs patch those objects, and another `buffer`
/// would decide where WebAssembly writes.
struct Captured {
  /// The accessor `buffer` and the method `grow` of WebAssembly.Memory. Both throw a TypeError for what is none of V8's memories.
  napi_ref memory_buffer = nullptr;
  napi_ref memory_grow = nullptr;
  /// N-API tells nothing of a SharedArrayBuffer, but of an array over it.
  napi_ref bytes = nullptr;
  /// Makes an array of its arguments. N-API sets elements of arrays as JavaScript does, so that a setter for an index on Array.prototype
  /// would get them.
  napi_ref list = nullptr;
  /// Whether ArrayBuffers have `transfer`.
  bool transfers = false;
};

/// Whose WebAssembly an engine runs.
enum class EngineUse {
  /// A program's.
  Program,
  /// The code generator's alone: no option and no variable of the environment that is for a program's WebAssembly holds, and it takes
  /// little address space.
  CodeGenerator,
};

/// The handles of a call's imports. To open and close a scope costs a sixth of what such an import does, so many share one; the first do
/// with that of the addon's function that makes the call. It is closed where the call ends. Lives on the C++ stack of run_call
/// (bindings/run_call.h); what it knows is in the entry, because calls nest there.
class CallScope {
 public:
  explicit CallScope(Call* call) : call_(call) {
    OuterEntry* entry = call->entry();
    entry->shares_scope = true;
    entry->scope_left = kImports;
    entry->scope = nullptr;
  }
  ~CallScope() {
    OuterEntry* entry = call_->entry();
    entry->shares_scope = false;
    if (entry->scope != nullptr) close(call_->runtime(), entry);
  }
  CallScope(const CallScope&) = delete;
  CallScope& operator=(const CallScope&) = delete;

  /// Makes room for the few handles of one more import. Requires: the entry shares its scope.
  static void next(Runtime* runtime, OuterEntry* entry) {
    if (entry->scope_left-- == 0) renew(runtime, entry);
  }

 private:
  static constexpr uint32_t kImports = 64;
  static void renew(Runtime* runtime, OuterEntry* entry);
  static void close(Runtime* runtime, OuterEntry* entry);

  Call* call_;
};

/// The engine. Made when the addon is loaded into an environment, freed with it. A thread may have several: one enters another only where
/// its own fibers wait for the host.
class Engine {
 public:
  Engine(napi_env environment, EngineUse use);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  static Engine* of(napi_env environment);
  static Engine* of(VMThread* thread) { return static_cast<Engine*>(Runtime::of(thread)->embedder); }

  /// The object of a kind that `address` points into; null when it points to none.
  template <typename T>
  T* object_at(ObjectKind kind, uint64_t address) const {
    const uint64_t found = heap.blocks.find(address);
    return found != 0 && heap.blocks.kind_of(found) == kind ? at<T>(found) : nullptr;
  }
  const FunctionType* type(uint32_t id) const { return id < types.size() ? types[id].get() : nullptr; }
  napi_value value_of(napi_ref reference) const;
  /// The words that TypeScript and the addon share, kMailboxSize of them. Generated code knows them by the same pointer.
  uint64_t* mailbox() const { return static_cast<uint64_t*>(runtime.thread.mailbox); }

  napi_env env;
  AlternateStack alternate_stack;
  Runtime runtime;
  Hooks hooks;
  Captured captured;
  /// The tag of cancellations, which TypeScript keeps for ever; null before it was given.
  VMTag* cancellation = nullptr;
  /// The Float64Array that keeps the mailbox.
  napi_ref mailbox_array = nullptr;
  /// How many of its values are looked at by a collection: those that lie nowhere else yet.
  size_t mailbox_roots = 0;
  /// What the last trap's fibers were, as inspect gives it; null before one, or where they are not kept.
  napi_ref trap_fibers = nullptr;
  /// By id.
  std::vector<std::unique_ptr<FunctionType>> types;
  /// All memories that are used; and those of V8's whose base may change, or whose length code takes to be right: they are compared with V8
  /// whenever JavaScript has run.
  std::vector<MemoryObject*> memories;
  std::vector<MemoryObject*> unguarded;
  /// Files that TypeScript has had mapped, some of them gone.
  std::vector<std::weak_ptr<MappedFile>> files;
  JavaScriptRoots roots;
  Heap heap;
  uint64_t instances_made = 0;
  /// Whether each collection is followed by a look for types that something names and nobody kept (HEDDLE_DEBUG_TYPES).
  bool check_types = false;
  /// Whether TypeScript gets ArrayBuffers over tables and the heap (not with HEDDLE_DEBUG_WINDOWS=0).
  bool windows = true;
  /// Whether calls of exports are left for their imports of numbers, which TypeScript calls then (docs/decisions/0042).
  bool calls_outside = true;
  /// The function that throws what hook `keepThrown` has kept when JavaScript calls it next: the import runs that it was called in the
  /// stead of (docs/decisions/0044). Null where there is none.
  const VMFunction* throws_again = nullptr;
  /// Hook `passed` had no room on the stack: errors get no frames of WebAssembly until they have left the outermost entry, because those
  /// inside would be missing.
  bool frames_lost = false;
  /// The environment ends: its references are gone already.
  bool ending = false;
  /// Counts the times JavaScript may have run: while it stands still no unshared memory has grown.
  uint64_t epoch = 1;
  /// `epoch` and the entries there were, together, when a function was last made at its first call: where they are the same only generated
  /// code has run since.
  uint64_t made_after = 0;
};

/// The file in memory that an address is in; null where it is in none.
std::shared_ptr<MappedFile> file_with(Engine* engine, const void* address);

/// Puts the library calls of bindings into the thread's table.
void install_binding_libcalls(Runtime* runtime);

/// An array of few values, at most as many as a function has results; null, with an exception pending, when it cannot be made.
napi_value make_list(const Engine* engine, const std::vector<napi_value>& values);

/// Calls a hook; null, with an exception pending, when it fails.
napi_value call_hook(Engine* engine, napi_ref hook, std::initializer_list<napi_value> arguments);

/// Throws what a stretch that trapped is to JavaScript. A termination is no exception: it is pending already, and no handler may see it.
void throw_ending(Engine* engine, const Entry& entry);

/// Reads a word whose halves were perhaps written by themselves, as those of 32-bit values are: a CPU hands a store on to a load of all
/// that it wrote or less, and any other load waits until the store is in the cache. Atomic, because a compiler would make one load of two.
inline uint64_t read_halves(const uint64_t* word) {
  const auto* halves = reinterpret_cast<const uint32_t*>(word);  // SAFETY: both are within the word; aliasing is allowed everywhere.
  const uint64_t low = __atomic_load_n(halves, __ATOMIC_RELAXED);
  const uint64_t high = __atomic_load_n(halves + 1, __ATOMIC_RELAXED);
  return high << 32 | low;
}

/// Copies values from slots to the mailbox.
inline void put_values(const Engine* engine, uint64_t slots, size_t count) {
  uint64_t* const values = engine->mailbox() + kMailboxValues;
  for (size_t i = 0; i < count; i++) values[i] = read_halves(at<const uint64_t>(slots + kSlotSize * i));
}

/// Copies values from the mailbox to slots.
inline void take_values(const Engine* engine, uint64_t slots, size_t count) {
  const uint64_t* const values = engine->mailbox() + kMailboxValues;
  for (size_t i = 0; i < count; i++) *at<uint64_t>(slots + kSlotSize * i) = read_halves(values + i);
}

/// A call has come to another end than to return: false, with an exception pending.
bool fail_call(Engine* engine, const Call& call, Entry::Ending ending);

/// Throws the error that the trap hook makes.
void throw_trap(Engine* engine, Trap code, const std::vector<Frame>& frames, uint64_t detail);

}  // namespace heddle

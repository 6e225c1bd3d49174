// One Node environment's engine: everything that its JavaScript has made, and the hooks it gave.
#pragma once
#include <node_api.h>

#include <deque>
#include <initializer_list>
#include <map>
#include <memory>
#include <vector>

#include "code/code.h"
#include "continuation/runtime.h"
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
  /// Ids of all supertypes, sorted.
  std::vector<uint32_t> supers;
  uint32_t slots() const { return static_cast<uint32_t>(params.size() > results.size() ? params.size() : results.size()); }
};

/// What keeps an instance's parts.
struct InstanceObject {
  VMInstance* context = nullptr;
  size_t size = 0;
  std::map<uint32_t, std::vector<uint8_t>> data;
  std::map<uint32_t, std::vector<uint64_t>> elements;
  ~InstanceObject();
};

/// A memory that WebAssembly of ours uses: V8's, or a mapping of ours (bindings/mapped_memory.h).
struct MemoryObject {
  VMMemory vm{};
  Engine* engine = nullptr;
  /// V8's object; null for a mapping of ours.
  napi_ref object = nullptr;
  /// Engine::epoch when `vm` was last compared with V8.
  uint64_t epoch = 0;
  /// Binary logarithm of the page size.
  uint32_t page_shift = 16;
  /// Empty where the memory is V8's.
  Mapping mapping;
  /// The ArrayBuffer that JavaScript has over the mapping; null before it asked.
  napi_ref buffer = nullptr;
  bool is_mapped() const { return object == nullptr; }
};

/// A table; its elements are ours.
struct TableObject {
  VMTable vm{};
  ~TableObject();
};

/// An imported JavaScript function.
struct HostObject {
  VMHostFunction vm{};
  VMFunction function{};
  const FunctionType* type = nullptr;
  napi_ref callee = nullptr;
  /// Whether it may give a promise that its caller then waits for (WebAssembly.Suspending).
  bool suspending = false;
};

/// A function that JavaScript may call.
struct ExportObject {
  Engine* engine;
  const VMFunction* function;
  const FunctionType* type;
};

/// A global's 16 bytes.
struct alignas(16) Cell {
  uint64_t words[2] = {};
};

/// Functions that TypeScript gave (NativeHooks in ts/link/native.ts).
struct Hooks {
  napi_ref trap = nullptr;
  napi_ref coerce = nullptr;
  napi_ref poll = nullptr;
  napi_ref thrown = nullptr;
  napi_ref caught = nullptr;
  napi_ref suspend_error = nullptr;
  napi_ref wait = nullptr;
  napi_ref notify = nullptr;
};

/// The engine. Made when the addon is loaded into an environment, freed with it.
class Engine {
 public:
  explicit Engine(napi_env environment);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  static Engine* of(napi_env environment);
  static Engine* of(VMThread* thread) { return static_cast<Engine*>(Runtime::of(thread)->embedder); }

  const FunctionType* type(uint32_t id) const { return id < types.size() ? types[id].get() : nullptr; }
  napi_value value_of(napi_ref reference) const;

  napi_env env;
  AlternateStack alternate_stack;
  Runtime runtime;
  Hooks hooks;
  /// kMailboxSize doubles of a Float64Array that `mailbox_array` keeps.
  double* mailbox = nullptr;
  napi_ref mailbox_array = nullptr;
  /// By id.
  std::vector<std::unique_ptr<FunctionType>> types;
  std::vector<std::unique_ptr<Code>> codes;
  /// By context address.
  std::map<uint64_t, std::unique_ptr<InstanceObject>> instances;
  std::deque<MemoryObject> memories;
  /// Memories of V8's whose base may change, or whose length code takes to be right: compared with V8 whenever JavaScript has run.
  std::vector<MemoryObject*> unguarded;
  std::deque<TableObject> tables;
  std::deque<HostObject> hosts;
  std::deque<ExportObject> exports;
  std::deque<VMTag> tags;
  std::deque<Cell> cells;
  /// Counts the times JavaScript may have run: while it stands still no unshared memory has grown.
  uint64_t epoch = 1;
};

/// Puts the library calls of bindings into the thread's table.
void install_binding_libcalls(Runtime* runtime);

/// Calls a hook; null, with an exception pending, when it fails.
napi_value call_hook(Engine* engine, napi_ref hook, std::initializer_list<napi_value> arguments);

/// Throws what a stretch that trapped is to JavaScript. A termination is no exception: it is pending already, and no handler may see it.
void throw_ending(Engine* engine, const Entry& entry);

/// Copies values from slots to the mailbox.
void put_values(Engine* engine, uint64_t slots, size_t count);

/// Runs a call whose arguments are in its slots. False when an exception is pending.
bool run_call(Engine* engine, Call* call, uint64_t deadline);

/// Throws the error that the trap hook makes.
void throw_trap(Engine* engine, Trap code, const std::vector<Frame>& frames, uint64_t detail);

}  // namespace heddle

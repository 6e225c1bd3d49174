// What one thread (one Node environment) has: the struct that generated code sees, its records and its stacks.
#pragma once
#include <atomic>
#include <cstddef>
#include <deque>
#include <initializer_list>
#include <memory>
#include <vector>

#include "base/asm.h"
#include "base/linked.h"
#include "base/system.h"
#include "continuation/copies.h"
#include "continuation/hibernation.h"
#include "continuation/records.h"
#include "continuation/shadow.h"
#include "fiber/sanitizer.h"
#include "stacks/sets.h"
#include "stacks/usage.h"

namespace heddle {

/// Options of a thread's runtime.
struct RuntimeOptions {
  StackOptions continuation;
  StackOptions entry;

  /// The defaults of this machine: at most 1,048,576 stacks and half of the memory this process may use.
  static RuntimeOptions defaults();
};

/// What every active call from outside has in front: VMThread.entry points to the innermost. (trap/entry.h has the rest, and sets what has
/// no value here.)
struct OuterEntry {
  OuterEntry* outer;
  /// The fiber that was current when this call began, on the other side of host frames; null when JavaScript called.
  VMFiber* suspended_current;
  /// VMThread's exit_… fields of then: where that fiber waits. Of no value where there is none.
  uint64_t exit_sp;
  uint64_t exit_fp;
  uint64_t exit_pc;
  /// VMThread.host_sp of then: where on the host stack the entry around was made. Of no value where there is none.
  uint64_t outer_host_sp;
  /// The import that fiber was calling; null when it called none.
  const VMHostFunction* import;
  /// Its outermost fiber.
  VMFiber* outermost;
  /// What the host takes that nothing inside handles: kTakes… bits.
  uint32_t takes = 0;
  /// The tag of the suspension that the host took.
  const VMTag* tag = nullptr;
  /// Runtime::entries when it was made.
  uint64_t number;
  /// VMThread.in_wasm, and whose the thread's signals were, before.
  uint32_t outer_in_wasm;
  VMThread* outer_signals;
  /// Whether its imports of numbers are called from outside: it is left for each, and gone on with when that has returned. And whether it
  /// is left so; then where the host stack was (VMThread.host_sp), which lies below whoever calls the import.
  bool goes_outside = false;
  bool is_outside = false;
  uint64_t left_host_sp;
  /// What the embedder keeps for the imports of the entry: whether they share a scope, how many more it serves, and the scope.
  bool shares_scope = false;
  uint32_t scope_left;
  void* scope;
  /// Where the shadow stack's pointer was.
  ShadowStack::Mark mark;
};

/// A fiber that calls from outside start on, with a record of its own for arguments and results. Kept for the next call.
struct EntryFiber {
  Stack* stack;
  VMFiber* fiber;
  /// Not of the records' range: no handle names it. `count` is how many slots the call of now has.
  VMContinuation record;
  /// Among those that are taken, or those that are free.
  EntryFiber* before;
  EntryFiber* after;
  /// What the thread knows of the call of now.
  OuterEntry entry;
};

/// What frees continuations that nothing refers to (heap/heap.h).
class Reclaimer {
 public:
  virtual ~Reclaimer() = default;
  /// Frees what it can. `roots` are words that only the caller holds: they and all they refer to stay.
  virtual void reclaim(std::initializer_list<uint64_t> roots) = 0;
  /// Whether to reclaim wherever that is possible, for tests.
  virtual bool always() const = 0;
};

/// A tag made at run time, and the function that stands for it.
struct NamedTag {
  VMNamedTag context{};
  VMTag tag{};
  VMFunction function{};
  VMHandlers handlers{};
  /// Follows the handlers: the tag, then the end.
  uint64_t tags[2] = {};
};
static_assert(offsetof(NamedTag, tags) == offsetof(NamedTag, handlers) + sizeof(VMHandlers), "the tags follow the head");

/// How fibers of modules without instructions for them yield: a tag of the thread, and a handler list of it alone.
struct FiberTag {
  VMTag tag{};
  VMHandlers handlers{};
  /// Follows the handlers: the tag, then the end.
  uint64_t tags[2] = {};
};
static_assert(offsetof(FiberTag, tags) == offsetof(FiberTag, handlers) + sizeof(VMHandlers), "the tags follow the head");

class Turn;

/// The thread's state. Everything here is used by its own thread only, except the fields that say so.
class Runtime {
 public:
  explicit Runtime(const RuntimeOptions& options);
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  static Runtime* of(VMThread* thread) { return static_cast<Runtime*>(thread->runtime); }
  void set_libcall(Libcall number, HostFunction function);

  /// Whether the thread's own stack has room for one more entry, with all that is called from its fibers. All of Heddle's nesting on that
  /// stack goes through entries, so that this is the one place that asks; JavaScript's own calls are V8's to check.
  bool has_host_room() const {
    const uint64_t here = reinterpret_cast<uint64_t>(__builtin_frame_address(0));  // SAFETY: a number is made.
    return here - host_stack_.base >= host_room_;
  }

  /// Replaces the options. Requires: no stack was taken yet; false otherwise.
  bool configure(const RuntimeOptions& options);
  const RuntimeOptions& options() const { return options_; }
  StackSets& continuation_stacks();
  Stacks& entry_stacks();
  /// Counters, all zero before the first stack.
  StackCounts continuation_counts() const { return continuation_stacks_ == nullptr ? StackCounts{} : continuation_stacks_->counts(); }
  StackCounts entry_counts() const { return entry_stacks_ == nullptr ? StackCounts{} : entry_stacks_->counts(); }
  /// What the stacks take; asks the kernel about each (stacks/usage.h).
  StackUsage continuation_usage() const { return continuation_stacks_ == nullptr ? StackUsage{} : usage_of(*continuation_stacks_); }
  StackUsage entry_usage() const { return entry_stacks_ == nullptr ? StackUsage{} : usage_of(*entry_stacks_); }

  /// A fiber ready to run `function` with room for its slots, or null with the trap to raise in `*trap` and its detail.
  EntryFiber* take_entry_fiber(const VMFunction* function, Trap* trap, uint64_t* detail);
  /// Takes it back. Requires: it returned or was left.
  void release_entry_fiber(EntryFiber* entry);
  /// The entry fibers that are taken.
  const Linked<EntryFiber>& taken_entries() const { return taken_entries_; }
  /// A fresh record for a function; null where there is none even after what nothing refers to was reclaimed.
  VMContinuation* make_continuation(VMFunction* function, Stacks* stacks = nullptr);
  /// Gives a record without a fiber, which the current fiber is about to resume, its fiber: a fresh one gets a stack, one that hibernates
  /// wakes. Where stacks are past their budget the oldest suspended ones hibernate first. 0, or a refused_… of LIMITS: without a stack, or
  /// where fibers nest too deep.
  uint64_t allocate_fiber(VMContinuation* record);
  /// The same; where there is none, what nothing refers to is reclaimed first. `root` is a word that keeps the record.
  uint64_t allocate_fiber_or_reclaim(VMContinuation* record, uint64_t root);
  /// Puts back a chain that may be in a copy. 0, or a refused_… of LIMITS with nothing changed: only a version (copies.h) can be refused.
  uint64_t wake(VMContinuation* record) { return is_copied(record) ? copies.wake(record) : 0; }
  /// The same; where what nothing refers to may be in the way it is reclaimed first. `roots` are words that keep the record, and
  /// what else only the caller holds.
  uint64_t wake_or_reclaim(VMContinuation* record, std::initializer_list<uint64_t> roots);
  /// A second continuation in the state of a fresh or suspended one, which stays as it is; null, with `*refused`, where there is none.
  /// `handle` is the source's.
  VMContinuation* clone_continuation(VMContinuation* source, uint64_t handle, uint64_t* refused);
  /// Whether there is neither anything to be reclaimed nor any limit near before one is made of a state that is copied already.
  bool may_clone() const {
    return records.live() < reclaim_at && copies.copied_since() < reclaim_copies_at && copies.bytes() <= options_.continuation.memory / 2;
  }
  /// Whether wherever that is possible is reclaimed, for tests.
  bool reclaims_always() const { return reclaim_at == 0; }
  /// All that is suspended hibernates. Returns how many stacks became empty. Requires: the host runs, and has consumed nothing that it is
  /// about to resume.
  uint64_t hibernate() {
    return continuation_stacks_ == nullptr || no_collection != 0 ? 0 : hibernation.hibernate(continuation_stacks_.get(), ~uint64_t{0});
  }
  /// Takes back a record and, if it has one, its stack. Requires: nobody will resume it.
  void release_continuation(VMContinuation* record);
  /// Takes back every fiber from the current one up to, not including, `end`.
  void release_chain(const VMFiber* end) { release_fibers(thread.current, end); }
  /// Takes back `fiber` and its parents up to, not including, `end`.
  void release_fibers(VMFiber* fiber, const VMFiber* end);
  /// Takes back a continuation that is fresh, suspended or parked, with everything inside.
  void drop(VMContinuation* record);
  /// A number for a fiber.
  uint64_t next_fiber_id() { return ++fibers_made_; }

  VMThread thread{};
  /// Stands for the host as the parent of a fiber that JavaScript resumed. Nothing runs on it.
  VMFiber host{};
  Records records;
  Copies copies{this};
  Hibernation hibernation{&records, &copies};
  /// Null where nothing reclaims; then continuations live until they end.
  Reclaimer* reclaimer = nullptr;
  /// How many live continuations bring the next reclamation.
  uint64_t reclaim_at = ~uint64_t{0};
  /// How many bytes of new copies do.
  uint64_t reclaim_copies_at = ~uint64_t{0};
  /// Above 0 nothing may be reclaimed, and nothing hibernates: frames are where no library call has left them.
  uint32_t no_collection = 0;
  /// Nothing says when one is no longer named, so each lives as long as the thread.
  std::deque<NamedTag> named_tags;
  /// Where this OS thread's signal handlers look (trap/signals.h); null before the first entry.
  VMThread** signal_thread = nullptr;
  /// Shadow stacks of the modules that have instances here.
  std::vector<ShadowStack*> shadows;
  FiberTag fiber_tag;
  /// What loop headers read; trap/watchdog.cc makes it unreadable.
  Mapping poll_page;
  /// The import whose JavaScript function runs, called by the innermost call from outside; null while none does.
  const VMHostFunction* running_import = nullptr;
  /// Set by the watchdog's thread: an interrupt is due.
  std::atomic<uint32_t> armed{0};
  /// Monotonic nanoseconds when the innermost call must end, all ones when never. Read by the watchdog.
  std::atomic<uint64_t> deadline{~uint64_t{0}};
  /// The innermost turn (trap/turn.h) under way; an entry that is to end though it is of no turn, and how many there were when that was
  /// said; and how many of both are to end.
  Turn* turns = nullptr;
  const OuterEntry* ended_entry = nullptr;
  uint64_t ended_at = 0;
  uint32_t turns_ended = 0;
  /// Calls from outside, ever. Read by the watchdog.
  std::atomic<uint64_t> entries{0};
  /// Called on the host stack at an interrupt: false when the thread is to be terminated. Set by the embedder.
  bool (*poll)(void* embedder) = nullptr;
  /// Called on the host stack when a call traps, before its fibers are given back. Set by the embedder; null: nobody wants to see them.
  void (*trapped)(void* embedder) = nullptr;
  /// The entry whose current fiber was stopped in its own code, by an interrupt or a trap, and not by a call of the host: VMThread.exit_…
  /// say where. Null for none; what an interrupt's JavaScript enters has entries of its own.
  const void* stopped = nullptr;
  void* embedder = nullptr;
#if defined(HEDDLE_ASAN)
  /// The thread's own stack (continuation/announce.h).
  sanitizer::Side host_side;
#endif

 private:
  RuntimeOptions options_;
  HostStack host_stack_;
  /// Bytes at its end that no entry may begin in.
  uint64_t host_room_;
  std::unique_ptr<StackSets> continuation_stacks_;
  std::unique_ptr<Stacks> entry_stacks_;
  Linked<EntryFiber> free_entries_;
  Linked<EntryFiber> taken_entries_;
  size_t free_entry_count_ = 0;
  EntryFiber* make_entry_fiber(Trap* trap, uint64_t* detail);
  void destroy_entry_fiber(EntryFiber* entry);
  void keep_budget();
  void put_aside(uint64_t excess, uint64_t occupied, uint64_t* look_again_at, bool eager);
  uint64_t fibers_made_ = 0;
  /// From how many occupied stacks on it is worth to look for such as may hibernate.
  uint64_t look_again_at_ = 0;
  uint64_t look_for_eager_at_ = 0;
};

/// Takes the consumption of a record back: a version that cannot go on now is as it was, and its handle is valid again.
inline void unconsume(VMContinuation* record) {
  record->generation--;
}
/// The trap of a version of a consumed record that cannot go on now, which stays as it was.
HostResult refuse_version(VMThread* thread, VMContinuation* record, uint64_t refused);
/// The trap of a continuation that cannot be cloned.
HostResult raise_no_copy(VMThread* thread, uint64_t refused);

/// The handlers of a fiber that the host runs: none.
VMHandlers* host_handlers();

/// Whether a fiber is the host's stand-in, or none at all: where a chain of fibers ends.
inline bool is_host(const VMFiber* fiber) {
  return fiber == nullptr || fiber->stack == nullptr;
}

/// Puts the library calls of this folder into the thread's table.
void install_continuation_libcalls(Runtime* runtime);

}  // namespace heddle

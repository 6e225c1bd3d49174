// Calls from outside into WebAssembly, and what is left of them after a trap.
#pragma once
#include <memory>
#include <vector>

#include "continuation/runtime.h"

namespace heddle {

/// One frame of a backtrace, innermost first.
struct Frame {
  /// The artifact; kOmitted for the mark where the middle of a long backtrace was cut out, kNextEntry for the one behind which the frames
  /// of the entry around begin, on the other side of host frames.
  int32_t code;
  /// Function number in it; for the mark, how many frames are missing.
  int32_t function;
  /// Byte offset in the module, -1 unknown, or below that a place in functions that were inlined (ts/lower/function/locations.ts).
  int32_t location;
};

inline constexpr int32_t kOmitted = -1;
inline constexpr int32_t kNextEntry = -2;

/// How many frames of a long backtrace are kept at its inner and its outer end.
inline constexpr size_t kInnerFrames = 64;
inline constexpr size_t kOuterFrames = 32;

/// Walks from the trap noted in `thread` to the base of `last`, which the current fiber descends from.
std::vector<Frame> walk_frames(const VMThread* thread, const VMFiber* last);
/// Adds those of the entries around `entry`, each behind a mark, as far as so many frames go.
void append_outer_frames(std::vector<Frame>* frames, const OuterEntry* entry);
/// Those of the library call that runs, and of all the entries around.
std::vector<Frame> walk_calls(const VMThread* thread);
/// The frames of one fiber, from the one at `fp`; `pc` lies inside the instruction that it stopped at. They are read
/// `distance` bytes behind where they belong.
std::vector<Frame> walk_fiber(const VMFiber* fiber, uint64_t fp, uint64_t pc, uint64_t distance = 0);

/// A stretch in which fibers run, from the host's enter until they come back to it. Lives on the C++ stack of whoever enters; entries nest.
class Entry {
 public:
  enum class Ending {
    /// The outermost fiber's function returned; its record's slots hold the results.
    Returned,
    /// The chain is suspended with a tag that the host takes; the outermost fiber's record holds the values.
    Suspended,
    /// The chain waits, in an import, for a promise.
    Parked,
    /// trap() and frames() say why. The fibers are given back.
    Trapped,
    /// A library call left for an error of its own (a JavaScript exception is pending). The fibers are given back.
    Failed,
    /// It waits for an import that whoever called is to call. All is as inside that import.
    Outside,
  };

  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;

  Trap trap() const { return trap_; }
  uint64_t trap_detail() const { return detail_; }
  Runtime* runtime() const { return runtime_; }
  const std::vector<Frame>& frames() const { return frames_ == nullptr ? kNoFrames : *frames_; }

 protected:
  /// `own` is what the thread knows of it meanwhile, and lives as long.
  Entry(Runtime* runtime, OuterEntry* own) : runtime_(runtime), own_(own) {}
  ~Entry() = default;

  /// Whether nothing may be entered: the outer call's deadline has passed, or the thread's own stack is used up. Then trap() says so.
  bool refused();
  /// Whether the outer call's deadline has passed. Apart, because calls nest on the host stack.
  __attribute__((noinline)) bool is_late();
  /// Lets the embedder look at the fibers of a trap while they are still there.
  void show_trap();
  /// The fibers were left: notes why, and gives everything inside `end` back.
  __attribute__((noinline)) Ending take_back(const VMFiber* first, const VMFiber* end);
  /// Runs the chain from `first`, the outermost, to `leaf`, where it goes on with `payload`. Where it is left, everything inside `end` is
  /// given back. `deadline` is in monotonic nanoseconds, all ones for none.
  Ending enter(VMFiber* first, VMFiber* leaf, uint64_t payload, const VMFiber* end, uint64_t deadline);
  /// enter's end where the entry is left for an import, and where it is over: what the thread was before comes back.
  Ending stay_outside(const OuterEntry* own);
  Ending leave(OuterEntry* own, uint64_t kind, VMFiber* first, const VMFiber* end);

  Runtime* runtime_;
  OuterEntry* own_;
  Trap trap_ = Trap::None;
  uint64_t detail_ = ~uint64_t{0};
  /// Apart: calls nest on the host stack.
  std::unique_ptr<std::vector<Frame>> frames_;

 private:
  static const std::vector<Frame> kNoFrames;
};

/// A call that ends before the host goes on: nothing in it can be set aside.
class Call : public Entry {
 public:
  /// Takes a fiber for `function`. Where that fails, run() ends at once with a trap.
  Call(Runtime* runtime, const VMFunction* function);
  ~Call();

  /// Whether there is a fiber.
  explicit operator bool() const { return entry_ != nullptr; }
  /// What VMThread::entry is while it runs.
  OuterEntry* entry() const { return own_; }
  /// The payload slots (16 bytes each): arguments before run, results after.
  uint64_t slots() const { return entry_->record.slots; }
  /// Runs the function; `deadline` is in monotonic nanoseconds, all ones for none. Requires: the arguments are in the slots.
  Ending run(uint64_t deadline = ~uint64_t{0});
  /// The same in the caller's frame (trap/enter.h): calls nest on the host stack.
  Ending run_here(uint64_t deadline);

  /// From now on its imports of numbers are called from outside: run and go_on come to ending Outside for each.
  void go_outside() { own_->goes_outside = true; }
  /// After that ending: the call is no longer this object's, and stays the thread's innermost.
  void let_go(const VMFunction* function);
  /// The innermost call, which was let go.
  Call(Runtime* runtime, EntryFiber* entry);
  /// Which that is; null where the innermost is none.
  static EntryFiber* outside(const Runtime* runtime);
  const VMFunction* function() const { return entry_->record.function; }
  /// Goes on where the import returns this.
  Ending go_on(uint64_t payload);
  /// The same where a library call would go on as `result` says.
  Ending go_on_raised();
  /// It ends here: nobody will go on with it.
  void abandon();

 private:
  /// A call that was outside is over.
  __attribute__((noinline)) Ending end_outside(uint64_t kind);

  EntryFiber* entry_;
  /// That of the function's instance, where it is known: frames of a call that does not return are dropped.
  ShadowStack* shadow_;
};

/// Drops calls inside the entry `own` that wait for imports which were terminated: nothing told them.
__attribute__((noinline)) void drop_abandoned(Runtime* runtime, const OuterEntry* own);

}  // namespace heddle

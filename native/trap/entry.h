// Calls from outside into WebAssembly, and what is left of them after a trap.
#pragma once
#include <vector>

#include "continuation/runtime.h"

namespace heddle {

/// One frame of a backtrace, innermost first.
struct Frame {
  /// The artifact; -1 for the mark where the middle of a long backtrace was cut out.
  int32_t code;
  /// Function number in it; for the mark, how many frames are missing.
  int32_t function;
  /// Byte offset in the module, -1 unknown, or below that a place in functions that were inlined (ts/lower/locations.ts).
  int32_t location;
};

/// How many frames of a long backtrace are kept at its inner and its outer end.
inline constexpr size_t kInnerFrames = 64;
inline constexpr size_t kOuterFrames = 32;

/// Walks from the trap noted in `thread` to the base of `last`, which the current fiber descends from.
std::vector<Frame> walk_frames(const VMThread* thread, const VMFiber* last);

/// A call from the host stack. Lives on the C++ stack of whoever calls; calls nest.
class Call : private OuterEntry {
 public:
  enum class Ending {
    /// The slots hold the results.
    Returned,
    /// trap() and frames() say why.
    Trapped,
    /// A library call left for an error of its own (a JavaScript exception is pending).
    Failed,
  };

  /// Takes a fiber for `function`. Where that fails, run() ends at once with a trap.
  Call(Runtime* runtime, const VMFunction* function);
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  /// Whether there is a fiber.
  explicit operator bool() const { return entry_ != nullptr; }
  /// The payload slots (16 bytes each): arguments before run, results after.
  uint64_t slots() const { return entry_->record.slots; }
  /// Runs the function; `deadline` is in monotonic nanoseconds, all ones for none. Requires: the arguments are in the slots.
  Ending run(uint64_t deadline = ~uint64_t{0});

  Trap trap() const { return trap_; }
  uint64_t trap_detail() const { return detail_; }
  const std::vector<Frame>& frames() const { return frames_; }

 private:
  Runtime* runtime_;
  EntryFiber* entry_;
  Trap trap_ = Trap::None;
  uint64_t detail_ = ~uint64_t{0};
  std::vector<Frame> frames_;
};

}  // namespace heddle

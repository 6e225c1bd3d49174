// Fibers for C++: a function on a stack of its own that can be suspended and resumed. Values are words; coroutine.h has any type.
#pragma once
#include <functional>

#include "base/check.h"
#include "fiber/sanitizer.h"
#include "fiber/stack_span.h"
#include "fiber/switch.h"

namespace heddle {

/// Which threads may resume a fiber.
enum class Threads {
  /// The one that made it. Code on it may keep the address of a thread-local variable across a suspension.
  Own,
  /// Any, one at a time; who hands it on sees to it that what was done before is seen after. Code on the fiber must not expect a
  /// thread-local variable, `errno` included, to be the same after a suspension; compilers may reuse its address.
  Any,
};

/// Something that differs between threads that are alive at a time. Where the compiler can say it in one instruction it does: this is on
/// the way of every resume.
inline const void* current_thread() {
#if defined(__has_builtin)
#if __has_builtin(__builtin_thread_pointer)
  return __builtin_thread_pointer();
#define HEDDLE_THREAD_POINTER 1
#endif
#endif
#if !defined(HEDDLE_THREAD_POINTER)
  static thread_local const char mark = 0;
  return &mark;
#endif
}

/// A C++ function on its own stack. Not movable: the stack holds its address. A fiber destroyed while suspended drops its frames without
/// running destructors, as a thread that is never scheduled again would. An exception that leaves the function ends the process.
class Fiber {
 public:
  /// Runs on the fiber: gets the first resume's value and returns the last result.
  using Function = std::function<uint64_t(Fiber&, uint64_t)>;

  enum class Outcome {
    /// The function is over; the value is its result.
    Returned,
    /// It has suspended with the value.
    Yielded,
    /// Nothing has happened: another thread than its own asked. The value is 0.
    Refused,
  };
  /// What a resume gives.
  struct Result {
    Outcome outcome;
    uint64_t value;
  };

  /// Requires: `stack` is not used by another fiber. Nothing runs yet.
  Fiber(const StackSpan& stack, Function function, Threads threads = Threads::Own);
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /// Goes on with the function until it suspends or returns. Requires: not running, not done.
  HEDDLE_ALWAYS_INLINE Result resume(uint64_t value) {
    if (threads_ == Threads::Own && thread_ != current_thread()) return {Outcome::Refused, 0};
    HEDDLE_CHECK(state_ == State::Fresh || state_ == State::Suspended);
    state_ = State::Running;
    sanitizer::note_running(&resumer_);
    sanitizer::leave(&resumer_, inside_);
    const SwitchResult result = switch_fiber(block_, value, kSwitchResumed);
    sanitizer::arrive(&resumer_, nullptr);
    const bool returned = result.kind == kSwitchReturned;
    state_ = returned ? State::Done : State::Suspended;
    return {returned ? Outcome::Returned : Outcome::Yielded, result.payload};
  }
  /// On the fiber: goes back to the resumer with `value`; returns the next resume's value. Requires: this fiber runs.
  HEDDLE_ALWAYS_INLINE uint64_t suspend(uint64_t value) {
    HEDDLE_CHECK(state_ == State::Running);
    sanitizer::leave(&inside_, resumer_);
    const SwitchResult result = switch_fiber(block_, value, 0);
    sanitizer::arrive(&inside_, &resumer_);
    return result.payload;
  }

  /// Fresh: never resumed. Suspended: waits for a resume. Running: on its stack now. Done: returned.
  enum class State { Fresh, Suspended, Running, Done };
  State state() const { return state_; }
  /// Whether the function has returned.
  bool done() const { return state_ == State::Done; }
  const StackSpan& stack() const { return stack_; }

 private:
  static uint64_t main(Fiber* self, uint64_t value);

  StackSpan stack_;
  VMFiber* block_;
  Function function_;
  State state_ = State::Fresh;
  Threads threads_;
  /// The thread that made it.
  const void* thread_;
  /// Where resume waits.
  sanitizer::Side resumer_;
  /// The fiber's own stack.
  sanitizer::Side inside_;
};

/// Writes the control block of a stack whose first resume starts at `start` (heddle_fiber_start or heddle_function_start).
VMFiber* prepare_block(const StackSpan& stack, const char* start);

}  // namespace heddle

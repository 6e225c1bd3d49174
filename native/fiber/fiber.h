// Fibers for C++: a function on a stack of its own that can be suspended and resumed.
#pragma once
#include <functional>

#include "fiber/sanitizer.h"
#include "fiber/stack_span.h"

namespace heddle {

/// A C++ function on its own stack. Not movable: the stack holds its address. A fiber destroyed while suspended drops its frames without
/// running destructors, as a thread that is never scheduled again would.
class Fiber {
 public:
  /// Runs on the fiber: gets the first resume's value and returns the last result.
  using Function = std::function<uint64_t(Fiber&, uint64_t)>;

  enum class Outcome { Returned, Yielded };
  /// What a resume gives: the function's result, or the value of a suspend.
  struct Result {
    Outcome outcome;
    uint64_t value;
  };

  /// Requires: `stack` is not used by another fiber. Nothing runs yet.
  Fiber(const StackSpan& stack, Function function);
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /// Goes on with the function until it suspends or returns. Requires: not running, not done.
  Result resume(uint64_t value);
  /// On the fiber: goes back to the resumer with `value`; returns the next resume's value. Requires: this fiber runs.
  uint64_t suspend(uint64_t value);

  /// Whether the function has returned.
  bool done() const { return state_ == State::Done; }
  const StackSpan& stack() const { return stack_; }

 private:
  /// Fresh: never resumed. Suspended: waits for a resume. Running: on its stack now. Done: returned.
  enum class State { Fresh, Suspended, Running, Done };
  static uint64_t main(Fiber* self, uint64_t value);

  StackSpan stack_;
  VMFiber* block_;
  Function function_;
  State state_ = State::Fresh;
  sanitizer::Context resumer_;
  sanitizer::Context inside_;
};

/// Writes the control block of a stack whose first resume starts at `start` (heddle_fiber_start or heddle_function_start).
VMFiber* prepare_block(const StackSpan& stack, const char* start);

}  // namespace heddle

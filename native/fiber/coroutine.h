// Coroutines for C++ programs: fibers that exchange values of any type, let exceptions out, and unwind where they are given up.
// Header only, because it needs exceptions, and the rest of the library is built without.
#pragma once
#include <cxxabi.h>

#include <cstring>
#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>
#include <variant>

#include "fiber/fiber.h"

namespace heddle {

/// A coroutine was used in a way that its state does not allow. Nothing has happened.
class CoroutineError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// What a resume gives: a value that the coroutine suspended with, or the result of its function.
template <typename Out, typename Result>
class Step {
 public:
  /// Whether the function has returned.
  bool done() const { return value_.index() == 1; }
  /// The value of a suspension. Requires: not done, or std::bad_variant_access is thrown.
  Out& value() { return std::get<0>(value_); }
  /// The function's result. Requires: done, or std::bad_variant_access is thrown.
  Result& result() { return std::get<1>(value_); }

 private:
  template <typename, typename, typename>
  friend class Coroutine;
  template <size_t Index, typename Value>
  Step(std::in_place_index_t<Index> index, Value&& value) : value_(index, std::forward<Value>(value)) {}
  std::variant<Out, Result> value_;
};

/// A function on a stack of its own. Each resume gives it an `In`, each suspension its resumer an `Out`, and its end a `Result`; all are
/// moved.
/// (`std::monostate` stands for no value.) An exception that leaves the function comes out of the resume. A coroutine destroyed while it is
/// suspended is unwound first: its suspend throws Unwind, and the destructors on its stack run. Not movable.
template <typename In, typename Out, typename Result>
class Coroutine {
 public:
  using Function = std::function<Result(Coroutine&, In)>;

  /// Requires: `stack` is not used by another fiber, and outlives this.
  Coroutine(const StackSpan& stack, Function function, Threads threads = Threads::Own)
      : function_(std::move(function)),
        fiber_(
            stack, [this](Fiber&, uint64_t) { return run(); }, threads) {}

  /// Requires: does not run. Of a suspended one with Threads::Own: on its own thread, or its frames are dropped as they are.
  ~Coroutine() {
    if (fiber_.state() != Fiber::State::Suspended) return;
    unwinding_ = true;
    enter();
  }
  Coroutine(const Coroutine&) = delete;
  Coroutine& operator=(const Coroutine&) = delete;

  /// Goes on until the function suspends or returns. Throws what the function throws; then it is done. Throws a CoroutineError where it
  /// runs, is done, or belongs to another thread.
  HEDDLE_ALWAYS_INLINE Step<Out, Result> resume(In value) {
    if (fiber_.state() == Fiber::State::Running) throw CoroutineError("the coroutine runs");
    if (fiber_.done()) throw CoroutineError("the coroutine is done");
    in_.emplace(std::move(value));
    if (enter().outcome == Fiber::Outcome::Refused) {
      in_.reset();
      throw CoroutineError("the coroutine belongs to another thread");
    }
    Given given = std::exchange(given_, Nothing{});
    if (auto* thrown = std::get_if<std::exception_ptr>(&given)) std::rethrow_exception(std::move(*thrown));
    if (given.index() == kOut) return {std::in_place_index<0>, std::move(std::get<kOut>(given))};
    return {std::in_place_index<1>, std::move(std::get<kResult>(given))};
  }

  /// On the coroutine: gives `value` to the resumer and waits for the next In. Throws Unwind where there will be none.
  HEDDLE_ALWAYS_INLINE In suspend(Out value) {
    if (fiber_.state() != Fiber::State::Running) throw CoroutineError("the coroutine does not run");
    if (unwinding_) throw Unwind();
    given_.template emplace<kOut>(std::move(value));
    fiber_.suspend(0);
    if (unwinding_) throw Unwind();
    In next = std::move(*in_);
    in_.reset();
    return next;
  }

  /// Whether the function has returned or thrown.
  bool done() const { return fiber_.done(); }

  /// Thrown on the stack of a coroutine that is given up. Who catches it must not expect to be resumed: every suspend throws it again.
  class Unwind {};

 private:
  struct Nothing {};
  using Given = std::variant<Nothing, Out, Result, std::exception_ptr>;
  static constexpr size_t kOut = 1;
  static constexpr size_t kResult = 2;

  /// The C++ runtime's list of exceptions that are being handled, and the number of those under way, are the thread's. A coroutine may
  /// suspend inside a handler; so each side has its own.
  struct Handling {
    void* caught = nullptr;
    unsigned uncaught = 0;
    /// Exchanges it with the thread's.
    void exchange() {
      Handling thread;
      // The runtime's type is incomplete; the C++ ABI for Itanium (2.2.2) says that it begins with these two.
      void* globals = abi::__cxa_get_globals();
      std::memcpy(&thread.caught, globals, sizeof caught);
      std::memcpy(&thread.uncaught, static_cast<char*>(globals) + sizeof caught, sizeof uncaught);
      std::memcpy(globals, &caught, sizeof caught);
      std::memcpy(static_cast<char*>(globals) + sizeof caught, &uncaught, sizeof uncaught);
      *this = thread;
    }
  };

  HEDDLE_ALWAYS_INLINE Fiber::Result enter() {
    handling_.exchange();
    const Fiber::Result result = fiber_.resume(0);
    handling_.exchange();
    return result;
  }

  /// The function, on the fiber; nothing leaves it.
  uint64_t run() {
    try {
      In first = std::move(*in_);
      in_.reset();
      given_.template emplace<kResult>(function_(*this, std::move(first)));
    } catch (const Unwind&) {
    } catch (abi::__forced_unwind&) {
      throw;  // The thread is being cancelled: its stack has no way out of here, and the process ends.
    } catch (...) {
      given_ = std::current_exception();
    }
    return 0;
  }

  Function function_;
  std::optional<In> in_;
  Given given_;
  /// The side that is away: the coroutine's while it does not run.
  Handling handling_;
  bool unwinding_ = false;
  Fiber fiber_;
};

}  // namespace heddle

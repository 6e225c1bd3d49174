// Tells AddressSanitizer which stack the thread is on. Generated code and the routines of asm/ tell it nothing, so C++ does for them: where
// it enters a fiber, where a library call or an interrupt begins on the host stack, and where these go back. Between two of these places no
// instrumented code runs but handlers of signals, wherever generated code has switched to meanwhile. Nothing of it is left without
// AddressSanitizer.
#pragma once
#include "continuation/runtime.h"
#include "fiber/sanitizer.h"

namespace heddle::sanitizer {

#if defined(HEDDLE_ASAN)

/// From the host stack to the stack of `fiber`.
inline void go_to_fiber(Runtime* runtime, const VMFiber* fiber) {
  // The host's stand-in is current where a chain has just been set aside: the host stack comes next.
  Side target = runtime->host_side;
  if (!is_host(fiber)) {
    const StackSpan& span = static_cast<const Stack*>(fiber->stack)->span;
    target = {at<void>(span.base), span.size()};
  }
  leave(&runtime->host_side, target);
  arrive(&target, &runtime->host_side);  // The bounds that it takes the host stack to have: where the thread ends it clears these.
}

/// From any stack to the host stack.
inline void go_to_host(Runtime* runtime) {
  Side fiber;
  leave(&fiber, runtime->host_side);
  arrive(&runtime->host_side, nullptr);
}

/// The library calls themselves, where the thread's table has `announced` in their place. The same in all threads.
inline std::atomic<HostFunction> announced_libcalls[kLibcallCount];

template <uint32_t number>
HostResult announced(VMThread* thread, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3) {
  go_to_host(Runtime::of(thread));
  const HostResult result = announced_libcalls[number].load(std::memory_order_relaxed)(thread, a0, a1, a2, a3);
  go_to_fiber(Runtime::of(thread), thread->current);
  return result;
}

template <uint32_t... numbers>
HostFunction announced_as(uint32_t number, std::integer_sequence<uint32_t, numbers...>) {
  static constexpr HostFunction kAll[] = {announced<numbers>...};
  return kAll[number];
}

/// What stands in a thread's table for a library call.
inline HostFunction announce(Libcall libcall, HostFunction function) {
  const auto number = static_cast<uint32_t>(libcall);
  announced_libcalls[number].store(function, std::memory_order_relaxed);
  return announced_as(number, std::make_integer_sequence<uint32_t, kLibcallCount>());
}

#else

inline void go_to_fiber(Runtime*, const VMFiber*) {}
inline void go_to_host(Runtime*) {}
inline HostFunction announce(Libcall, HostFunction function) {
  return function;
}

#endif

}  // namespace heddle::sanitizer

// The assembly routines (asm/*.S) as C++ sees them. Their contracts stand at each label there.
#pragma once
#include "base/layout.h"

namespace heddle {

/// What comes back from a switch.
struct SwitchResult {
  /// kSwitchResumed, kSwitchReturned, kSwitchParked, kEnterLeft or a handler index.
  uint64_t kind;
  uint64_t payload;
};

/// What a C++ function called through the host_call stub returns: a value, or the thread whose unwind_* fields say where to go on.
struct HostResult {
  uint64_t value;
  VMThread* raise;
};

/// A library call.
using HostFunction = HostResult (*)(VMThread*, uint64_t, uint64_t, uint64_t, uint64_t);

/// Kind that heddle_enter returns after heddle_leave.
inline constexpr uint64_t kEnterLeft = 0xfffffffe;

/// HostResult::raise for heddle_wait where the import has returned: the value is its result, and nothing is set aside.
inline constexpr uint64_t kWaitReturned = 1;
/// How far below thread->exit_sp heddle_wait keeps the callee-saved registers of a caller that it has set aside.
#if defined(__x86_64__)
inline constexpr uint64_t kWaitFrame = 48;
#else
inline constexpr uint64_t kWaitFrame = 160;
#endif

/// How many pieces heddle_return_copied and heddle_expect_return have besides the last one, and their bytes.
inline constexpr uint64_t kCopiedPieces = 16;
inline constexpr uint64_t kCopiedPieceBytes = 32;

extern "C" {
SwitchResult heddle_enter(VMThread* thread, VMFiber* fiber, uint64_t payload);
SwitchResult heddle_fiber_switch(VMFiber* fiber, uint64_t payload, uint64_t kind);
/// Called by heddle_interrupt on the host stack: 0 goes on, anything else leaves.
uint64_t heddle_on_interrupt(VMThread* thread);
// Not callable from C++: only their addresses are used.
extern const char heddle_switch[];
extern const char heddle_switch_end[];
extern const char heddle_host_call[];
extern const char heddle_host_call_end[];
extern const char heddle_lazy[];
extern const char heddle_lazy_end[];
extern const char heddle_first_call[];
extern const char heddle_leave[];
extern const char heddle_park[];
extern const char heddle_wait[];
extern const char heddle_fiber_end[];
extern const char heddle_fiber_start[];
extern const char heddle_resume_copied[];
extern const char heddle_expect_return[];
extern const char heddle_return_copied[];
extern const char heddle_interrupt[];
extern const char heddle_function_start[];
}

/// The address of an assembly label or any object, as generated code holds it.
inline uint64_t address_of(const void* pointer) {
  return reinterpret_cast<uint64_t>(pointer);  // SAFETY: a number is made, nothing is accessed.
}

/// Raises a trap from a library call: the fibers of the innermost entry are left with the state of the last host_call.
inline HostResult raise_trap(VMThread* thread, Trap code, uint64_t detail = ~uint64_t{0}) {
  thread->trap_code = static_cast<uint32_t>(code);
  thread->trap_detail = detail;
  thread->trap_pc = thread->exit_pc - 1;  // Inside the call, as every pc that backtraces look up.
  thread->trap_fp = thread->exit_fp;
  thread->trap_sp = thread->exit_sp;
  thread->unwind_sp = thread->host_sp;
  thread->unwind_fp = 0;
  thread->unwind_pc = address_of(heddle_leave);
  thread->unwind_p0 = address_of(thread);
  return {0, thread};
}

/// Leaves the innermost entry without a trap: a JavaScript exception or a termination is pending.
inline HostResult raise_error(VMThread* thread) {
  return raise_trap(thread, Trap::None);
}

}  // namespace heddle

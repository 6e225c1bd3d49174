#include "trap/signals.h"

#include <signal.h>

#include <mutex>

#include "base/asm.h"
#include "trap/registers.h"
#include "trap/sites.h"

namespace heddle {

namespace {

/// Touched on a thread before its generated code runs, so the handler's access allocates nothing; and where it is read, the interrupted
/// code is ours, which holds no lock of the C library.
thread_local VMThread* running = nullptr;

constexpr int kSignals[] = {SIGILL, SIGFPE, SIGSEGV, SIGBUS};
struct sigaction previous[NSIG];

/// Sends the interrupted code to heddle_interrupt, which comes back to `pc`.
void interrupt(VMThread* thread, Registers& registers) {
  thread->trap_pc = registers.pc();
  thread->trap_fp = registers.fp();
  thread->trap_sp = registers.sp();
  registers.call(address_of(heddle_interrupt), address_of(thread), registers.pc());
}

void trap(VMThread* thread, Registers& registers, uint32_t code) {
  thread->trap_code = code;
  thread->trap_detail = ~uint64_t{0};
  thread->trap_pc = registers.pc();
  thread->trap_fp = registers.fp();
  thread->trap_sp = registers.sp();
  registers.set_leave_argument(address_of(thread));
  registers.set_pc(address_of(heddle_leave));
}

/// Whether the fault was generated code's; if so the registers now say where it goes on.
bool take(int number, const siginfo_t* info, Registers& registers) {
  const CodeReader reader;
  const CodeSites* sites = reader.find(registers.pc());
  VMThread* thread = sites == nullptr ? nullptr : running;
  if (thread == nullptr || thread->current == nullptr || info->si_code <= 0) return false;  // si_code <= 0: sent, not a fault.
  const uint64_t address = address_of(info->si_addr);
  if (number == SIGSEGV && address - thread->poll_page < page_size()) {
    interrupt(thread, registers);
    return true;
  }
  const TrapSite* site = sites->trap_at(registers.pc());
  if (site == nullptr) return false;
  const bool overflow = site->code == static_cast<uint32_t>(Trap::StackOverflow);
  if (overflow && Runtime::of(thread)->armed.load() != 0 && registers.sp() > thread->current->limit) {
    // The watchdog raised the limit. The function begins again after the interrupt; should it really not fit, it traps then.
    const FunctionRange* function = sites->function_at(registers.pc());
    if (function == nullptr || registers.sp() != registers.fp()) return false;
    registers.undo_frame();
    registers.set_pc(sites->base + function->offset);
    interrupt(thread, registers);
    return true;
  }
  trap(thread, registers, site->code);
  return true;
}

/// Does what would have happened without us.
void chain(int number, siginfo_t* info, void* context) {
  const struct sigaction& old = previous[number];
  if ((old.sa_flags & SA_SIGINFO) != 0) return old.sa_sigaction(number, info, context);
  if (old.sa_handler != SIG_DFL && old.sa_handler != SIG_IGN) return old.sa_handler(number);
  // The old disposition is back when the instruction is executed again. A signal that was sent must be sent again.
  sigaction(number, &old, nullptr);
  if (info->si_code <= 0) raise(number);
}

void handle(int number, siginfo_t* info, void* context) {
  Registers registers(context);
  if (!take(number, info, registers)) chain(number, info, context);
}

}  // namespace

void install_signal_handlers() {
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction action {};
    action.sa_sigaction = handle;
    // SIGINFO: pc and address are needed. ONSTACK: a fiber near its limit has no room for handlers of unknown depth. No SA_NODEFER: a fault
    // in the handler itself ends the process, as it should. The mask is empty: profilers' signals may come meanwhile.
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    for (const int number : kSignals) sigaction(number, nullptr, &previous[number]);
    for (const int number : kSignals) sigaction(number, &action, nullptr);
  });
}

VMThread** signal_thread() {
  return &running;
}

}  // namespace heddle

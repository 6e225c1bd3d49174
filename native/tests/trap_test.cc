// native/trap and native/code: faults of machine code, interrupts, backtraces, foreign faults, threads.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <thread>

#include "tests/check.h"
#include "tests/lowered.h"
#include "tests/programs.h"
#include "trap/signals.h"
#include "trap/unwind.h"
#include "trap/watchdog.h"

using namespace heddle;
using namespace heddle::test;

namespace {

/// A machine whose faults are caught.
class TrapMachine : public Machine {
 public:
  TrapMachine() {
    install_signal_handlers();
    watch(&runtime);
  }
  ~TrapMachine() { unwatch(&runtime); }

  Call::Ending call(const char* program, uint64_t argument = 0, uint64_t deadline = ~uint64_t{0}) {
    const VMFunction function = programs.function(program, &context);
    return run_function(&function, argument, deadline);
  }

  AlternateStack alternate_stack;
  Programs programs;
};

TEST(traps, "each fault is the trap that its instruction says, again and again") {
  TrapMachine machine;
  for (int i = 0; i < 1000; i++) {
    EXPECT(machine.call(heddle_program_unreachable) == Call::Ending::Trapped && machine.trap == Trap::Unreachable);
    EXPECT(machine.call(heddle_program_load, 16) == Call::Ending::Trapped && machine.trap == Trap::MemoryBounds);
    EXPECT(machine.call(heddle_program_divide, 0) == Call::Ending::Trapped && machine.trap == Trap::DivisionByZero);
    EXPECT(machine.call(heddle_program_divide, 8) == Call::Ending::Returned && machine.result == 125);
    EXPECT(machine.clean());
  }
}

TEST(backtrace, "frames name artifact, function and source, innermost first") {
  TrapMachine machine;
  machine.call(heddle_program_unreachable);
  EXPECT_EQUAL(machine.frames.size(), 1u);  // The enter trampoline is left out.
  EXPECT(machine.frames[0].code == 7 && machine.frames[0].function == 1 && machine.frames[0].location == 1001);
}

TEST(overflow, "deep recursion traps, its backtrace lacks the middle, and the stack is as good as before") {
  TrapMachine machine;
  for (int i = 0; i < 20; i++) {
    EXPECT(machine.call(heddle_program_recurse) == Call::Ending::Trapped && machine.trap == Trap::StackOverflow);
    EXPECT_EQUAL(machine.frames.size(), kInnerFrames + 1 + kOuterFrames);
    const Frame mark = machine.frames[kInnerFrames];
    EXPECT(mark.code == -1 && mark.function > 10'000);
    EXPECT_EQUAL(machine.frames.back().function, 5);
    EXPECT(machine.call(heddle_program_fibonacci, 10) == Call::Ending::Returned && machine.result == 55);
  }
}

TEST(host, "a library call runs on the host stack, traps where it is told, and nests") {
  TrapMachine machine;
  machine.runtime.set_libcall(Libcall::CallImport, [](VMThread* thread, uint64_t value, uint64_t, uint64_t, uint64_t) -> HostResult {
    char here = 0;
    const StackSpan& span = static_cast<Stack*>(thread->current->stack)->span;
    EXPECT(address_of(&here) < span.base || address_of(&here) >= span.top);
    if (value == 99) return raise_trap(thread, Trap::TableBounds, 5);
    if (value == 98) return raise_error(thread);
    return {value + 1, nullptr};
  });
  EXPECT(machine.call(heddle_program_host, 41) == Call::Ending::Returned && machine.result == 42);
  EXPECT(machine.call(heddle_program_host, 99) == Call::Ending::Trapped && machine.trap == Trap::TableBounds && machine.detail == 5);
  EXPECT(machine.frames.size() == 1 && machine.frames[0].function == 7);
  EXPECT(machine.call(heddle_program_host, 98) == Call::Ending::Failed);
  static TrapMachine* self = &machine;
  machine.runtime.set_libcall(Libcall::CallImport, [](VMThread*, uint64_t depth, uint64_t, uint64_t, uint64_t) -> HostResult {
    if (depth == 0) return {static_cast<uint64_t>(self->call(heddle_program_unreachable) == Call::Ending::Trapped), nullptr};
    EXPECT(self->call(heddle_program_host, depth - 1) == Call::Ending::Returned);
    return {self->result + 1, nullptr};
  });
  EXPECT(machine.call(heddle_program_host, 30) == Call::Ending::Returned && machine.result == 31);
  EXPECT(machine.clean());
}

TEST(landing, "what a library call throws lands at the handler of its call; without one there is no landing") {
  TrapMachine machine;
  machine.runtime.set_libcall(Libcall::CallImport, [](VMThread* thread, uint64_t value, uint64_t, uint64_t, uint64_t) -> HostResult {
    Landing landing;
    EXPECT(find_landing(library_call_site(thread), nullptr, &landing));
    EXPECT(landing.fiber == thread->current);
    thread->unwind_sp = landing.sp;
    thread->unwind_fp = landing.fp;
    thread->unwind_pc = landing.pc;
    thread->unwind_p0 = value + 1000;
    thread->unwind_p1 = 0;
    return {0, thread};
  });
  for (int i = 0; i < 100; i++) EXPECT(machine.call(heddle_program_host, 5) == Call::Ending::Returned && machine.result == 1005);
  machine.runtime.set_libcall(Libcall::MemorySize, [](VMThread* thread, uint64_t, uint64_t, uint64_t, uint64_t) -> HostResult {
    Landing landing;
    EXPECT(!find_landing(library_call_site(thread), nullptr, &landing));
    return {1, nullptr};
  });
  EXPECT(machine.run([](VMThread* thread, VMFiber* fiber) { slot(fiber->record, 0) = libcall(thread, Libcall::MemorySize); }) ==
         Call::Ending::Returned);
  EXPECT(machine.clean());
}

TEST(registry, "code is found by any of its addresses and by none outside, whatever else is loaded") {
  std::vector<std::unique_ptr<Programs>> loaded;
  for (int i = 0; i < 50; i++) loaded.push_back(std::make_unique<Programs>());
  for (int i = 0; i < 50; i += 2) loaded[i].reset();
  const CodeReader reader;
  for (int i = 1; i < 50; i += 2) {
    const Code& code = *loaded[i]->code;
    const CodeSites* sites = reader.find(code.base());
    EXPECT(sites != nullptr && sites->base == code.base());
    EXPECT(reader.find(code.base() + code.size() - 1) == sites);
    EXPECT(reader.find(code.base() + code.size()) != sites && reader.find(code.base() - 1) != sites);
    EXPECT(sites->function_at(code.base() + 4) == nullptr);  // A stub.
    EXPECT_EQUAL(sites->source_at(code.base() + 4), -1);
    EXPECT(sites->trap_at(code.base() + kStubSize) == nullptr);
  }
}

TEST(interrupts, "a loop is interrupted and goes on with every register it had") {
  TrapMachine machine;
  static std::atomic<int> polls;
  polls = 0;
  machine.runtime.poll = [](void*) {
    char scratch[4096];
    std::memset(scratch, static_cast<int>(polls++), sizeof scratch);
    return scratch[7] == scratch[8];
  };
  std::atomic<bool> stop{false};
  std::thread poker([&] {
    while (!stop) {
      arm(&machine.runtime);
      usleep(500);
    }
  });
  for (int i = 0; i < 50 || polls < 20; i++)
    EXPECT(machine.call(heddle_program_spin, 300'000) == Call::Ending::Returned && machine.result == 1);
  const int before = polls;
  for (int i = 0; i < 50 || polls < before + 20; i++) {
    EXPECT(machine.call(heddle_program_fibonacci, 20) == Call::Ending::Returned && machine.result == 6765);
  }
  // A real overflow stays one while interrupts come.
  for (int i = 0; i < 200; i++)
    EXPECT(machine.call(heddle_program_recurse) == Call::Ending::Trapped && machine.trap == Trap::StackOverflow);
  stop = true;
  poker.join();
  EXPECT(machine.clean());
}

TEST(deadlines, "a deadline ends a loop and a recursion, a termination leaves at once") {
  TrapMachine machine;
  for (const char* program : {heddle_program_spin, heddle_program_fibonacci}) {
    const uint64_t start = now_nanoseconds();
    EXPECT(machine.call(program, program == heddle_program_spin ? ~uint64_t{0} : 90, start + 60'000'000) == Call::Ending::Trapped);
    EXPECT(machine.trap == Trap::Deadline);
    EXPECT(now_nanoseconds() - start >= 60'000'000);
    EXPECT(now_nanoseconds() - start < 2'000'000'000);
    EXPECT(!machine.frames.empty());
  }
  EXPECT(machine.call(heddle_program_fibonacci, 15, now_nanoseconds() + 1'000'000'000) == Call::Ending::Returned);
  machine.runtime.poll = [](void*) { return false; };
  EXPECT(machine.call(heddle_program_spin, ~uint64_t{0}) == Call::Ending::Trapped);  // The watchdog's own tick interrupts it.
  EXPECT(machine.trap == Trap::Terminated && machine.frames.empty());
  EXPECT(machine.clean());
}

TEST(threads, "threads come, load code, trap, and go, while others trap") {
  std::atomic<int> traps{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; t++) {
    threads.emplace_back([&] {
      for (int i = 0; i < 25; i++) {
        TrapMachine machine;
        for (int k = 0; k < 20; k++) {
          traps += machine.call(heddle_program_load, 8) == Call::Ending::Trapped;
          traps += machine.call(heddle_program_recurse) == Call::Ending::Trapped;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQUAL(traps.load(), 4 * 25 * 40);
}

/// Whether a child running `run` ends by `signal`.
template <typename F>
bool dies_by(int signal, F run) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    run();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) && WTERMSIG(status) == signal;
}

/// A fault that is not ours.
void touch_nothing() {
  volatile uint64_t address = 16;
  *at<volatile int>(address) = 1;
}

TEST(foreign, "other people's faults go where they went before") {
  // These run first in a process of their own, because the handlers are installed once.
  const auto with_default = [] {
    for (const int number : {SIGSEGV, SIGILL, SIGFPE, SIGBUS}) signal(number, SIG_DFL);
    TrapMachine machine;
    machine.call(heddle_program_unreachable);
    touch_nothing();
  };
  const auto sent = [] {
    for (const int number : {SIGSEGV, SIGILL, SIGFPE, SIGBUS}) signal(number, SIG_DFL);
    TrapMachine machine;
    kill(getpid(), SIGSEGV);
    for (;;) pause();
  };
  EXPECT(dies_by(SIGSEGV, with_default));
  EXPECT(dies_by(SIGSEGV, sent));
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    struct sigaction action {};
    action.sa_sigaction = [](int, siginfo_t*, void*) { _exit(42); };
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGSEGV, &action, nullptr);
    TrapMachine machine;
    if (machine.call(heddle_program_load, 8) != Call::Ending::Trapped) _exit(2);
    touch_nothing();
    _exit(3);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQUAL(WEXITSTATUS(status), 42);
}

}  // namespace

/// The forked children install the handlers themselves, so `foreign` comes before anything else does.
int main() {
  auto& all = cases();
  std::rotate(all.begin(), all.end() - 1, all.end());
  return run_all();
}

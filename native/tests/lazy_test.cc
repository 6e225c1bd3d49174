// native/code/lazy_code.h and asm's heddle_first_call: functions that are made when they are first called.
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <string>

#include "code/lazy_code.h"
#include "code/slots.h"
#include "tests/check.h"
#include "tests/lowered.h"
#include "tests/programs.h"
#include "trap/signals.h"
#include "trap/watchdog.h"

using namespace heddle;
using namespace heddle::test;

namespace {

constexpr size_t kRoom = 1 << 20;
/// The number of the first function that has a slot; so the numbers differ from the slots' places.
constexpr uint32_t kFirst = 1;

int32_t number_of(const char* program) {
  for (int32_t i = 0; i < ProgramBytes::kCount; i++) {
    if (ProgramBytes::kStarts[i] == program) return i;
  }
  return -1;
}

/// A machine whose functions are made by the first call of any of them, all in one piece, or one by one.
class LazyMachine : public Machine {
 public:
  LazyMachine() {
    install_signal_handlers();
    watch(&runtime);
    self = this;
    code = LazyCode::reserve(9, kFirst, ProgramBytes::kCount - 1, kRoom);
    runtime.set_libcall(Libcall::MakeFunction, [](VMThread*, uint64_t instance, uint64_t number, uint64_t, uint64_t) -> HostResult {
      EXPECT_EQUAL(instance, address_of(&self->context));
      return self->make(static_cast<uint32_t>(number));
    });
  }
  ~LazyMachine() { unwatch(&runtime); }

  HostResult make(uint32_t number) {
    made.push_back(static_cast<int32_t>(number));
    VMThread* thread = &runtime.thread;
    if (refuse != Trap::None) return raise_trap(thread, refuse);
    // Whatever C++ may do to registers.
    static volatile double sink[64];
    for (int i = 0; i < 64; i++) sink[i] = sink[(i + 1) % 64] * 1.5 + i;
    EXPECT(code->add(programs.bytes.data(), programs.bytes.size(), programs.tables(), true));
    return {code->target(number), nullptr};
  }

  uint64_t slot_of(const char* program) const {
    return code->base() + code->slots() + static_cast<uint64_t>(number_of(program) - int32_t{kFirst}) * kSlotBytes;
  }

  Call::Ending call(const char* program, uint64_t argument = 0, uint64_t deadline = ~uint64_t{0}) {
    VMFunction function = enterer.function(program, &context);
    function.code = slot_of(program);
    return run_function(&function, argument, deadline);
  }

  static LazyMachine* self;
  AlternateStack alternate_stack;
  /// For its enter trampoline.
  Programs enterer;
  ProgramBytes programs;
  std::unique_ptr<LazyCode> code;
  std::vector<int32_t> made;
  Trap refuse = Trap::None;
};
LazyMachine* LazyMachine::self = nullptr;

TEST(first_call, "the first call of a function makes it, by its number, and later calls do not") {
  LazyMachine machine;
  EXPECT(machine.call(heddle_program_divide, 8) == Call::Ending::Returned && machine.result == 125);
  EXPECT(machine.made == std::vector<int32_t>{number_of(heddle_program_divide)});
  EXPECT(machine.call(heddle_program_fibonacci, 10) == Call::Ending::Returned && machine.result == 55);
  EXPECT(machine.call(heddle_program_divide, 4) == Call::Ending::Returned && machine.result == 250);
  EXPECT_EQUAL(machine.made.size(), 1u);
  EXPECT(machine.clean());
}

TEST(registers, "a first call finds every argument where it was passed, and its caller what it has kept") {
  LazyMachine machine;
  VMFunction pass = machine.enterer.function(heddle_program_pass, &machine.context);
  for (int i = 0; i < 3; i++) {
    EXPECT(machine.run_function(&pass, machine.slot_of(heddle_program_passed)) == Call::Ending::Returned);
    EXPECT_EQUAL(machine.result, 1u);
  }
  EXPECT(machine.made == std::vector<int32_t>{number_of(heddle_program_passed)});
  EXPECT(machine.clean());
}

TEST(scanned, "while a function is made, the arguments of its call lie where a collector looks") {
  LazyMachine machine;
  static bool found;
  found = false;
  machine.runtime.set_libcall(Libcall::MakeFunction, [](VMThread* thread, uint64_t, uint64_t number, uint64_t, uint64_t) -> HostResult {
    const StackSpan& span = static_cast<Stack*>(thread->current->stack)->span;
    EXPECT(thread->exit_sp >= span.base && thread->exit_sp < span.top);
    for (uint64_t word = thread->exit_sp; word < thread->exit_sp + 256; word += 8) found = found || *at<uint64_t>(word) == 777;
    return LazyMachine::self->make(static_cast<uint32_t>(number));
  });
  EXPECT(machine.call(heddle_program_divide, 777) == Call::Ending::Returned && machine.result == 1);
  EXPECT(found);
}

TEST(refused, "what making a function raises ends the call, whose frames are the caller's, and the next call tries again") {
  LazyMachine machine;
  VMFunction pass = machine.enterer.function(heddle_program_pass, &machine.context);
  for (int i = 0; i < 100; i++) {
    machine.refuse = Trap::StackOverflow;
    EXPECT(machine.run_function(&pass, machine.slot_of(heddle_program_passed)) == Call::Ending::Trapped);
    EXPECT(machine.trap == Trap::StackOverflow);
    EXPECT(machine.frames.size() == 1 && machine.frames[0].code == 7 && machine.frames[0].function == number_of(heddle_program_pass));
    EXPECT(machine.clean());
  }
  machine.refuse = Trap::None;
  EXPECT(machine.run_function(&pass, machine.slot_of(heddle_program_passed)) == Call::Ending::Returned && machine.result == 1);
}

TEST(tables, "traps, overflows, interrupts and frames of pieces are those of their functions") {
  LazyMachine machine;
  for (int i = 0; i < 10; i++) {
    EXPECT(machine.call(heddle_program_unreachable) == Call::Ending::Trapped && machine.trap == Trap::Unreachable);
    EXPECT_EQUAL(machine.frames.size(), 1u);
    EXPECT(machine.frames[0].code == 9 && machine.frames[0].function == 1 && machine.frames[0].location == 1001);
    EXPECT(machine.call(heddle_program_load, 16) == Call::Ending::Trapped && machine.trap == Trap::MemoryBounds);
    EXPECT(machine.call(heddle_program_recurse) == Call::Ending::Trapped && machine.trap == Trap::StackOverflow);
    EXPECT_EQUAL(machine.frames.back().function, 5);
    // Another piece behind it, which takes the functions over.
    machine.make(kFirst);
  }
  EXPECT(machine.call(heddle_program_fibonacci, 90, now_nanoseconds() + 30'000'000) == Call::Ending::Trapped);
  EXPECT(machine.trap == Trap::Deadline && machine.frames[0].function == 4);
  machine.runtime.set_libcall(Libcall::CallImport, [](VMThread* thread, uint64_t, uint64_t, uint64_t, uint64_t) -> HostResult {
    return raise_trap(thread, Trap::TableBounds);
  });
  EXPECT(machine.call(heddle_program_host) == Call::Ending::Trapped && machine.trap == Trap::TableBounds);
  EXPECT(machine.frames.size() == 1 && machine.frames[0].function == 7);
  EXPECT(machine.clean());
}

TEST(slots, "an address in a slot is its function's, and addresses outside of pieces have no traps") {
  LazyMachine machine;
  const CodeReader reader;
  const auto function_at = [&](uint64_t pc) {
    const CodeSites* sites = reader.find(pc);
    return sites == nullptr || sites->function_at(pc) == nullptr ? -1 : static_cast<int32_t>(sites->function_at(pc)->number);
  };
  for (int32_t i = kFirst; i < ProgramBytes::kCount; i++) EXPECT_EQUAL(function_at(machine.slot_of(ProgramBytes::kStarts[i])), i);
  EXPECT_EQUAL(function_at(machine.code->base()), -1);
  const size_t piece = machine.code->next();
  machine.make(kFirst);
  for (int32_t i = 0; i < ProgramBytes::kCount; i++) {
    const uint64_t pc = machine.code->base() + piece + static_cast<uint64_t>(ProgramBytes::offset(ProgramBytes::kStarts[i]));
    EXPECT_EQUAL(function_at(pc), i);
    EXPECT_EQUAL(reader.find(pc)->source_at(pc), 1000 + i);
  }
  EXPECT(reader.find(machine.code->base() + machine.code->size()) == nullptr);
}

TEST(full, "a range that is full refuses the next piece, and what it has goes on") {
  LazyMachine machine;
  const CodeTables none{};
  machine.make(kFirst);
  size_t added = 0;
  while (machine.code->add(machine.programs.bytes.data(), machine.programs.bytes.size(), none)) added++;
  EXPECT(added > 0);
  std::vector<uint8_t> large(kRoom);
  LazyMachine other;
  EXPECT(!other.code->add(large.data(), 2 * kRoom, none));
  EXPECT(machine.call(heddle_program_divide, 8) == Call::Ending::Returned && machine.result == 125);
}

/// Whether some mapping of this process that has code's file in memory may be written: what /proc says.
int writable_aliases() {
  int found = 0;
  char line[512];
  std::FILE* maps = std::fopen("/proc/self/maps", "r");
  while (std::fgets(line, sizeof line, maps) != nullptr) {
    const std::string text = line;
    const bool writable = text.find(" rw") != std::string::npos || text.find(" -w") != std::string::npos;
    if (text.find("heddle code") != std::string::npos && writable) found++;
  }
  std::fclose(maps);
  return found;
}

TEST(protection, "no mapping of the code may be written once a piece is in it") {
  LazyMachine machine;
  EXPECT_EQUAL(writable_aliases(), 0);
  machine.make(kFirst);
  EXPECT_EQUAL(writable_aliases(), 0);
}

TEST(limits, "where the system refuses the file or the addresses there is no such code") {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    const rlimit file{1 << 16, 1 << 16};
    setrlimit(RLIMIT_FSIZE, &file);
    if (LazyCode::reserve(1, 0, 10, kRoom) != nullptr) _exit(2);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT(LazyCode::reserve(1, 0, 10, size_t{1} << 60) == nullptr);
}

TEST(many, "code comes and goes, and leaves no file open") {
  const int before = dup(0);
  close(before);
  for (int i = 0; i < 300; i++) {
    LazyMachine machine;
    EXPECT(machine.call(heddle_program_divide, 10) == Call::Ending::Returned && machine.result == 100);
  }
  const int after = dup(0);
  close(after);
  EXPECT_EQUAL(after, before);
}

}  // namespace

TEST_MAIN

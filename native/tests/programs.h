// Machine code that stands for generated code in tests: asm/ conventions, written by hand in programs_*.S.
#pragma once
#include <memory>

#include "base/asm.h"
#include "code/code.h"

namespace heddle::test {

extern "C" {
extern const char heddle_program_start[];
extern const char heddle_program_end[];
extern const char heddle_program_enter[];
extern const char heddle_program_unreachable[];
extern const char heddle_program_unreachable_trap[];
extern const char heddle_program_load[];
extern const char heddle_program_load_trap[];
extern const char heddle_program_divide[];
extern const char heddle_program_divide_trap[];
extern const char heddle_program_fibonacci[];
extern const char heddle_program_fibonacci_trap[];
extern const char heddle_program_recurse[];
extern const char heddle_program_recurse_trap[];
extern const char heddle_program_spin[];
extern const char heddle_program_host[];
extern const char heddle_program_host_return[];
extern const char heddle_program_host_handler[];
extern const char heddle_program_pass[];
extern const char heddle_program_passed[];
}

/// Room for the stubs and the programs, with their tables: numbers are those of `kStarts`.
struct ProgramBytes {
  static constexpr const char* const kStarts[] = {
      heddle_program_enter,   heddle_program_unreachable, heddle_program_load, heddle_program_divide, heddle_program_fibonacci,
      heddle_program_recurse, heddle_program_spin,        heddle_program_host, heddle_program_pass,   heddle_program_passed};
  static constexpr int32_t kCount = sizeof kStarts / sizeof *kStarts;

  static int32_t offset(const char* label) { return static_cast<int32_t>(kStubSize + (label - heddle_program_start)); }

  ProgramBytes() {
    const size_t size = kStubSize + static_cast<size_t>(heddle_program_end - heddle_program_start);
    bytes.resize(size);
    for (size_t i = kStubSize; i < size; i++) bytes[i] = static_cast<uint8_t>(heddle_program_start[i - kStubSize]);
    for (int32_t i = 0; i < kCount; i++) {
      const int32_t end = i + 1 < kCount ? offset(kStarts[i + 1]) : static_cast<int32_t>(size);
      functions.insert(functions.end(), {i, offset(kStarts[i]), end - offset(kStarts[i])});
      sources.insert(sources.end(), {offset(kStarts[i]), 1000 + i});
    }
  }

  CodeTables tables() const {
    const auto words = [](const std::vector<int32_t>& rows) { return Words{rows.data(), rows.size()}; };
    return {words(functions), words(traps), words(sources), words(calls), {}, words(scopes)};
  }

  std::vector<uint8_t> bytes;
  std::vector<int32_t> functions, sources;
  std::vector<int32_t> traps{offset(heddle_program_unreachable_trap), static_cast<int32_t>(Trap::Unreachable),
                             offset(heddle_program_load_trap),        static_cast<int32_t>(Trap::MemoryBounds),
                             offset(heddle_program_divide_trap),      static_cast<int32_t>(Trap::DivisionByZero),
                             offset(heddle_program_fibonacci_trap),   static_cast<int32_t>(Trap::StackOverflow),
                             offset(heddle_program_recurse_trap),     static_cast<int32_t>(Trap::StackOverflow)};
  /// Return, frame offset, no context, a handler in the first scope, which takes any tag.
  std::vector<int32_t> calls{offset(heddle_program_host_return), 0, -1, 1, 0, offset(heddle_program_host_handler)};
  std::vector<int32_t> scopes{-1, 1, -1};
};

/// The programs, loaded as an artifact is.
class Programs {
 public:
  Programs() {
    const ProgramBytes programs;
    code = Code::load(7, Mapping::copy(programs.bytes.data(), programs.bytes.size()), programs.tables());
  }

  /// A function of one argument and one result; `context` begins with a thread.
  VMFunction function(const char* label, void* context) const {
    VMFunction made{};
    made.code = code->base() + kStubSize + static_cast<uint64_t>(label - heddle_program_start);
    made.context = static_cast<VMInstance*>(context);
    made.enter = code->base() + kStubSize + static_cast<uint64_t>(heddle_program_enter - heddle_program_start);
    made.slots = 1;
    return made;
  }

  std::unique_ptr<Code> code;
};

}  // namespace heddle::test

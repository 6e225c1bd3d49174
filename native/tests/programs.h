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
}

/// The programs, loaded as an artifact is.
class Programs {
 public:
  Programs() {
    const auto offset = [](const char* label) { return static_cast<int32_t>(kStubSize + (label - heddle_program_start)); };
    const size_t size = kStubSize + static_cast<size_t>(heddle_program_end - heddle_program_start);
    std::vector<uint8_t> bytes(size);
    for (size_t i = kStubSize; i < size; i++) bytes[i] = static_cast<uint8_t>(heddle_program_start[i - kStubSize]);
    const char* const starts[] = {heddle_program_enter,     heddle_program_unreachable, heddle_program_load, heddle_program_divide,
                                  heddle_program_fibonacci, heddle_program_recurse,     heddle_program_spin, heddle_program_host};
    std::vector<int32_t> functions, sources;
    const int32_t count = sizeof starts / sizeof *starts;
    for (int32_t i = 0; i < count; i++) {
      const int32_t end = i + 1 < count ? offset(starts[i + 1]) : static_cast<int32_t>(size);
      functions.insert(functions.end(), {i, offset(starts[i]), end - offset(starts[i])});
      sources.insert(sources.end(), {offset(starts[i]), 1000 + i});
    }
    const int32_t traps[] = {offset(heddle_program_unreachable_trap), static_cast<int32_t>(Trap::Unreachable),
                             offset(heddle_program_load_trap),        static_cast<int32_t>(Trap::MemoryBounds),
                             offset(heddle_program_divide_trap),      static_cast<int32_t>(Trap::DivisionByZero),
                             offset(heddle_program_fibonacci_trap),   static_cast<int32_t>(Trap::StackOverflow),
                             offset(heddle_program_recurse_trap),     static_cast<int32_t>(Trap::StackOverflow)};
    // Return, frame offset, no context, a handler in the first scope, which takes any tag.
    const int32_t calls[] = {offset(heddle_program_host_return), 0, -1, 1, 0, offset(heddle_program_host_handler)};
    const int32_t scopes[] = {-1, 1, -1};
    code = Code::load(7, Mapping::copy(bytes.data(), size),
                      {{functions.data(), functions.size()},
                       {traps, sizeof traps / sizeof *traps},
                       {sources.data(), sources.size()},
                       {calls, sizeof calls / sizeof *calls},
                       {},
                       {scopes, sizeof scopes / sizeof *scopes}});
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

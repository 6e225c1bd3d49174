// The handles by which WebAssembly refers to JavaScript values.
#pragma once
#include <cstdint>

#include "base/layout.h"

namespace heddle {

/// What the collector sees of the table of JavaScript values, which is TypeScript's (ts/instance/functions/externs.ts). A handle is 1 << 52
/// | generation << 25 | index << 1: even, no small number looks like one, and neither does the handle of a value that was dropped.
struct Externs {
  /// By index: the generation of its handle now.
  const uint32_t* generations = nullptr;
  /// By index: 1 where the last collection found the handle. Index 0, which no handle has, is 1 where there is any handle.
  uint8_t* marks = nullptr;
  uint64_t count = 0;

  bool any() const { return count > 0 && marks[0] != 0; }

  static bool is_handle(uint64_t word) { return word >> kMark == 1; }
  /// Marks the value that `word` names, if it does.
  void mark(uint64_t word) const {
    const uint64_t index = word >> 1 & ((uint64_t{1} << kHandleIndexBits) - 1);
    if (index < count && (word & 1) == 0 && generations[index] == (word >> kGenerationShift & kGenerations)) marks[index] = 1;
  }

  static constexpr uint64_t kGenerationShift = kHandleIndexBits + 1;
  static constexpr uint64_t kMark = kGenerationShift + kExternGenerationBits;
  static constexpr uint64_t kGenerations = (uint64_t{1} << kExternGenerationBits) - 1;
};

}  // namespace heddle

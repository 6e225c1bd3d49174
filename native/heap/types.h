// Which types a collection found.
#pragma once
#include <cstdint>
#include <cstring>

namespace heddle {

/// A bit for each type id, in words that TypeScript made (ts/validate/registry.ts). A collection clears them and sets those of the types
/// that something on the heap names; TypeScript then adds what these name, and drops all others.
struct TypeMarks {
  uint32_t* words = nullptr;
  uint64_t count = 0;

  void clear() const {
    if (words != nullptr) std::memset(words, 0, count / 8);
  }
  void mark(uint32_t id) const {
    if (id < count) words[id / 32] |= uint32_t{1} << (id % 32);
  }
  bool has(uint32_t id) const { return id < count && (words[id / 32] >> (id % 32) & 1) != 0; }
};

}  // namespace heddle

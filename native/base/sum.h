// A sum that tells a damaged file from a whole one.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace heddle {

/// 64 bytes that depend on each byte before. Each step can be undone for a given word, so files of one length that differ within a single
/// word of 8 bytes never have one sum; any others have with the chance of 2^-64. It is as fast as memory, and no secret: who wants two
/// files of one sum can make them.
class Sum {
 public:
  static constexpr size_t kBlock = 64;

  /// Adds whole blocks.
  void add(const uint8_t* bytes, size_t blocks) {
    uint64_t lanes[kLanes];
    std::memcpy(lanes, lanes_, sizeof lanes);
    for (size_t b = 0; b < blocks; b++) {
      for (size_t i = 0; i < kLanes; i++) {
        uint64_t word;
        std::memcpy(&word, bytes + b * kBlock + i * sizeof word, sizeof word);
        const uint64_t mixed = (lanes[i] ^ word) * kOdd;
        lanes[i] = mixed << 29 | mixed >> 35;
      }
    }
    std::memcpy(lanes_, lanes, sizeof lanes);
  }
  const uint64_t* lanes() const { return lanes_; }

 private:
  static constexpr size_t kLanes = 8;
  static constexpr uint64_t kOdd = 0x9e3779b97f4a7c15;
  uint64_t lanes_[kLanes] = {1, 2, 3, 4, 5, 6, 7, 8};
};

}  // namespace heddle

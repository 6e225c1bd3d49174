// Keeps what live stacks have in memory below a limit, however deep they run, without asking the kernel about all of them each time.
#pragma once
#include <algorithm>
#include <cstdint>

#include "base/system.h"

namespace heddle {

/// Asked before each new stack. While even full stacks would be within the limit, or the whole process is, nobody is looked at. Then each
/// stack is looked at when the next one is asked for, by when it has mostly run, and all of them again after every quarter of them. So
/// asking costs a few microseconds at most, and what goes deeper later is known after a quarter more.
class MemoryLimit {
 public:
  /// Whether there may be one more stack where `live` stacks may have `most` bytes each in memory, and `elsewhere` bytes belong to them.
  /// `look(all)` asks the kernel about the newest stack, or about all, and returns the bytes that all were seen to have.
  template <typename Look>
  bool allows(uint64_t memory, uint64_t live, uint64_t most, uint64_t elsewhere, const Look& look) {
    if (free_ > 0) {
      free_--;
      return true;
    }
    uint64_t full = 0;
    if (!__builtin_mul_overflow(live + 1, most, &full) && !__builtin_add_overflow(full, elsewhere, &full) && full <= memory) return true;
    if (until_all_ > 0) {
      until_all_--;
      return look(false) + elsewhere <= memory;
    }
    const uint64_t resident = resident_bytes();
    if (resident < memory) free_ = (memory - resident) / most;
    if (free_ > 0) return true;
    until_all_ = std::max(kLeastBetween, live / kShareBetween);
    return look(true) + elsewhere <= memory;
  }

 private:
  static constexpr uint64_t kLeastBetween = 8;
  static constexpr uint64_t kShareBetween = 4;

  /// Stacks that may be made without a look.
  uint64_t free_ = 0;
  /// And until all are looked at.
  uint64_t until_all_ = 0;
};

}  // namespace heddle

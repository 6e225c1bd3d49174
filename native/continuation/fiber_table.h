// The fibers that an instance has made by the imports fiber_new … of `heddle`: what the numbers that its code has stand for
// (docs/fibers.md).
#pragma once
#include <vector>

#include "continuation/asyncify.h"
#include "continuation/runtime.h"

namespace heddle {

/// One instance's fibers. A fiber is a continuation; its number names it until it is freed, and no other afterwards.
class FiberTable {
 public:
  /// One fiber.
  struct Entry {
    /// The newest handle of its continuation while it is suspended, else 0.
    uint64_t handle = 0;
    /// The continuation while it runs, and the generation that it has then.
    VMContinuation* record = nullptr;
    uint64_t generation = 0;
    /// Part of the number; odd while the entry is in use.
    uint32_t life = 0;
    uint32_t next_free = 0;
  };

  /// A number for a continuation; 0 when there are too many.
  uint32_t add(uint64_t handle);
  /// The entry of a number; null where it names none.
  Entry* find(uint32_t number);
  void remove(uint32_t number);
  /// A fiber_… of LIMITS.
  static uint32_t status(const Entry* entry);

  /// Calls `use` with the handle of each suspended one, calls of asyncify as well.
  template <typename Use>
  void each(Use use) const {
    for (const Entry& entry : entries_) {
      if (entry.handle != 0) use(entry.handle);
    }
    asyncify.each([&use](const AsyncifyCalls::Call& call) { use(call.handle); });
  }

  /// What its program has suspended in another way.
  AsyncifyCalls asyncify;

 private:
  /// Bits of a number that are the entry's index; the others are its life.
  static constexpr uint32_t kIndexBits = 20;
  static constexpr uint32_t kLastLife = (uint32_t{1} << (32 - kIndexBits)) - 1;
  /// Entry 0 is never used.
  std::vector<Entry> entries_{1};
  uint32_t free_ = 0;
};

/// Puts the library calls of fibers into the thread's table.
void install_fiber_libcalls(Runtime* runtime);

}  // namespace heddle

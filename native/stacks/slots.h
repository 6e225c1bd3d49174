// Slots of one size in large reservations: what the pool is made of.
#pragma once
#include <vector>

#include "stacks/stack.h"

namespace heddle {

/// Hands out stacks of one size. A slot that comes back stays warm (its pages stay committed) while there are few; beyond that its pages go
/// back to the kernel and only the addresses are kept. Reservations are never given up before the pool is.
class Slots {
 public:
  /// Of `usable` bytes each, above a guard page where `guarded` says so; at most `most` of them. Unused ones may keep `warm` bytes. `set`
  /// is what Stack.set of all of them says.
  Slots(uint32_t set, uint64_t usable, bool guarded, uint64_t most, uint64_t warm, StackCounts* counts);
  Slots(const Slots&) = delete;
  Slots& operator=(const Slots&) = delete;

  /// A stack, or null: there are `most`, or the kernel refuses.
  Stack* take();
  void give_back(Stack* stack);
  /// Gives the pages of these back to the kernel; they stay taken, sorted by address.
  void discard(Stack** first, Stack** last) const;
  /// Whether `most` were made.
  bool exhausted() const { return made_ >= most_; }
  /// Calls `visit` with every slot that was handed out, ever.
  void each(const std::function<void(Stack&)>& visit) const;
  /// Bytes that an occupied slot commits, by the few that were looked at last; at least a page.
  uint64_t resident_each() const { return resident_each_; }

 private:
  struct Chunk {
    Mapping memory;
    std::unique_ptr<Stack[]> stacks;
    size_t count;
    size_t used;
  };

  bool grow();
  uint64_t committed(const Stack* stack) const;
  bool ran_deep(const Stack* stack) const;
  void trim(const Stack* stack, uint64_t keep) const;
  void discard_dirty();
  void measure();

  const uint32_t set_;
  const uint64_t guard_;
  const uint64_t slot_;
  const uint64_t most_;
  const uint64_t warm_most_;
  StackCounts* const counts_;
  uint64_t resident_each_ = page_size();
  std::vector<Chunk> chunks_;
  Stack* warm_ = nullptr;
  Stack* cold_ = nullptr;
  /// Slots that are to become cold.
  std::vector<Stack*> dirty_;
  uint64_t warm_count_ = 0;
  uint64_t made_ = 0;
  uint64_t returned_ = 0;
  uint64_t deep_run_ = 0;
};

}  // namespace heddle

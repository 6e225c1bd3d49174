// Hibernation: what a suspended chain has on its stacks is copied out, and the stacks' pages go back to the kernel. The stacks stay where
// they are, so that the copy can be put back at the same addresses.
//
// No switch of stacks knows of it: a record that hibernates has no fiber, as a fresh one has none, and that is where generated code asks
// for a stack anyway (cont_allocate).
#pragma once
#include <vector>

#include "continuation/records.h"
#include "stacks/sets.h"

namespace heddle {

/// One fiber's part of a copy: its frames and its control block, which are the last bytes.
struct SavedFiber {
  /// The address it was copied from.
  uint64_t from;
  uint64_t bytes;
  /// Where it is in memory now.
  uint64_t copy;

  /// The control block, in the copy.
  VMFiber* block() const { return at<VMFiber>(copy + bytes - sizeof(VMFiber)); }
  /// The address of the control block while the fiber is awake.
  VMFiber* home() const { return at<VMFiber>(from + bytes - sizeof(VMFiber)); }
};

/// A chain's copy: the innermost fiber first. From malloc; the bytes follow the parts.
struct Hibernated {
  uint64_t count;
  SavedFiber* begin() { return at<SavedFiber>(reinterpret_cast<uint64_t>(this + 1)); }  // SAFETY: allocated with `count` parts behind.
  SavedFiber* end() { return begin() + count; }
  /// The outermost fiber, whose control block holds where the chain goes on.
  const SavedFiber& outermost() { return *(end() - 1); }
};

/// Whether a record's continuation was never resumed. Its leaf is not a fiber but the Stacks that its stack is to come from, null for the
/// usual.
inline bool is_fresh(const VMContinuation* record) {
  return record->state == static_cast<uint32_t>(State::Fresh);
}
/// Whether a record's chain hibernates.
inline bool is_hibernated(const VMContinuation* record) {
  return record->fiber == nullptr && record->leaf != nullptr && !is_fresh(record);
}
/// The copy. Requires: the record hibernates.
inline Hibernated* hibernated(const VMContinuation* record) {
  return at<Hibernated>(reinterpret_cast<uint64_t>(record->leaf));  // SAFETY: what leaf is while the chain hibernates.
}

/// Chooses who hibernates, and does it. One for each thread.
class Hibernation {
 public:
  explicit Hibernation(Records* records) : records_(records) {}
  ~Hibernation();
  Hibernation(const Hibernation&) = delete;
  Hibernation& operator=(const Hibernation&) = delete;

  /// Puts chains aside, those that have been suspended for longest first, until `most` stacks are empty or no chain is left. Returns how
  /// many stacks it was. A chain's age is known to the resolution of calls of this: what was suspended since the last one is of one age.
  /// With `eager` only those count that begin on a stack of a set that was chosen to hibernate.
  uint64_t hibernate(StackSets* stacks, uint64_t most, bool eager = false);
  /// Puts a chain back. Requires: the record hibernates. Never fails, for its stacks are its own still.
  void wake(VMContinuation* record);
  /// Gives up a chain without waking it; `release` takes back each of its records, whose stacks are given back already.
  template <typename Release>
  void drop(VMContinuation* record, const Release& release) {
    Hibernated* copy = hibernated(record);
    record->leaf = nullptr;
    for (const SavedFiber& fiber : *copy) {
      auto* stack = static_cast<Stack*>(fiber.block()->stack);
      stack->owner->release(stack);
      release(&fiber == &copy->outermost() ? record : fiber.block()->record);
    }
    free_copy(copy);
  }

  /// Chains that hibernate, bytes of their copies, and how often chains were put aside and woken.
  uint64_t chains() const { return chains_; }
  uint64_t copied_bytes() const { return copied_bytes_; }
  uint64_t hibernations() const { return hibernations_; }
  uint64_t wakes() const { return wakes_; }

 private:
  struct Seen {
    uint32_t generation = 0;
    uint32_t since = 0;
  };
  bool put_aside(VMContinuation* record, std::vector<Stack*>* emptied);
  std::vector<VMContinuation*> oldest(const StackSets& stacks, uint64_t most, bool eager);
  void free_copy(Hibernated* copy);

  Records* records_;
  /// By record: its generation when it was last looked at, and the look that first saw it.
  std::vector<Seen> seen_;
  uint32_t looks_ = 0;
  uint64_t chains_ = 0;
  uint64_t copied_bytes_ = 0;
  uint64_t hibernations_ = 0;
  uint64_t wakes_ = 0;
};

}  // namespace heddle

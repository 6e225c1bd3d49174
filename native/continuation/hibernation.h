// Hibernation: the stacks of chains that have been suspended for long are emptied. What was on them is in copies, and their pages go back
// to the kernel. The stacks stay where they are, so that the copy can be put back at the same addresses.
#pragma once
#include <vector>

#include "continuation/copies.h"
#include "stacks/sets.h"

namespace heddle {

/// Chooses who hibernates. One for each thread.
class Hibernation {
 public:
  Hibernation(Records* records, Copies* copies) : records_(records), copies_(copies) {}
  Hibernation(const Hibernation&) = delete;
  Hibernation& operator=(const Hibernation&) = delete;

  /// Puts chains aside, those that have been suspended for longest first, until `most` stacks are empty or no chain is left. Returns how
  /// many stacks it was. A chain's age is known to the resolution of calls of this: what was suspended since the last one is of one age.
  /// With `eager` only those count that begin on a stack of a set that was chosen to hibernate.
  uint64_t hibernate(StackSets* stacks, uint64_t most, bool eager = false);

 private:
  struct Seen {
    uint32_t generation = 0;
    uint32_t since = 0;
  };
  std::vector<VMContinuation*> oldest(const StackSets& stacks, uint64_t most, bool eager);

  Records* records_;
  Copies* copies_;
  /// By record: its generation when it was last looked at, and the look that first saw it.
  std::vector<Seen> seen_;
  uint32_t looks_ = 0;
};

}  // namespace heddle

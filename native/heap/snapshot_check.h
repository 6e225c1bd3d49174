// A debugging aid: whether a suspended chain of fibers could be copied out and put back at the same addresses.
//
// While a chain is suspended nothing but the chain itself may hold an address inside its frames. (Its own control blocks do: they say where
// to go on. Records and parents' links name control blocks, not frames.) Then a copy of its stacks is a copy of it all.
//
// What is left out: a chain that is parked in an import, since the host is to put the import's results into its frames; VMThread's exit_…,
// trap_… and unwind_… fields, which mean something only until the call returns that they are about; the host's own stack, whose dead words
// cannot be told from others.
#pragma once
#include <string>
#include <vector>

#include "continuation/runtime.h"
#include "heap/blocks.h"

namespace heddle {

/// An address inside a suspended fiber's frames that something else holds.
struct SnapshotViolation {
  /// What holds it, for people.
  std::string holder;
  uint64_t word;
  /// Whose frames it points into: VMFiber.id.
  uint64_t fiber;
  /// Whether somebody may read it there. A word in another fiber's frame may be nobody's: a prologue saves registers in which the fiber
  /// that was left last had addresses, and which nothing reads again.
  bool certain;
};

/// Looks at all records, payloads, fibers and objects, word by word. Requires: a safepoint.
std::vector<SnapshotViolation> find_snapshot_violations(const Runtime& runtime, const Blocks& blocks);

/// Ends the process with a list of those that are certain, where there are any. How many there are that are not.
size_t check_snapshots(const Runtime& runtime, const Blocks& blocks);

}  // namespace heddle

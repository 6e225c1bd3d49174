// A picture of all fibers of a thread: what each does, and who waits for whom.
#pragma once
#include "trap/entry.h"

namespace heddle {

/// What a fiber does at the moment.
enum class FiberState {
  /// Made, and never resumed: it has no stack yet.
  Fresh,
  /// Waits to be resumed.
  Suspended,
  /// Has resumed another fiber, and waits until that returns or suspends to it.
  Resuming,
  /// Waits for a function of the host's that it called.
  Calling,
  /// Waits in an import for a promise.
  Parked,
  /// Runs, but for the interrupt or the trap that it is looked at in.
  Running,
};

/// One fiber.
struct FiberReport {
  /// VMFiber.id; 0 for a fresh one.
  uint64_t id = 0;
  /// Its record; for a call of the host's one that no handle names, with index 0; null inside a version that was not resumed yet.
  const VMContinuation* record = nullptr;
  /// What it began with; null for a call of the host's.
  const VMFunction* start = nullptr;
  FiberState state = FiberState::Fresh;
  /// The id of the fiber that waits for it, 0 when none does.
  uint64_t parent = 0;
  /// That one waits for the host, which called this.
  bool entered = false;
  /// What is on its stack has been put aside.
  bool hibernated = false;
  /// How many continuations go on from the state that it is in: more than one where it was cloned and none of them was resumed since.
  uint64_t versions = 1;
  /// The id of the fiber that it is a copy of, while it has none of its own; else 0.
  uint64_t copy_of = 0;
  /// The buffer in linear memory in which a call lies that its program has suspended by asyncify; -1 where that is not so.
  int64_t buffer = -1;
  /// The function that it began with: its code as a frame without a location; -1, -1 where that is unknown.
  Frame function{-1, -1, -1};
  /// What it calls, where that is an import whose JavaScript runs.
  const VMHostFunction* import = nullptr;
  /// Of a parked chain's innermost: the first word that was kept for who parked it (continuation/park.h); 0 where it was taken back.
  uint64_t parked = 0;
  /// Bytes: what frames may take, what they take now, and in whole pages how deep the stack has been and what of it is in memory.
  uint64_t stack_size = 0;
  uint64_t stack_used = 0;
  uint64_t stack_high_water = 0;
  uint64_t stack_resident = 0;
  std::vector<Frame> frames;
};

/// All fibers, or as many as were asked for: those that run and wait for each other first, innermost first, then the others by record.
struct FiberTree {
  std::vector<FiberReport> fibers;
  /// How many there are.
  uint64_t total = 0;
};

/// Looks at the thread. Takes some tens of microseconds for each fiber that is listed. On its own thread, while the host runs.
FiberTree inspect_fibers(Runtime* runtime, size_t most);

}  // namespace heddle

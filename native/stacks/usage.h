// What stacks take of memory. Asks the kernel about every page: about a microsecond for each stack, so for reports only.
#pragma once
#include "stacks/sets.h"
#include "stacks/stack.h"

namespace heddle {

/// Bytes of one stack, in whole pages.
struct SpanUsage {
  /// In memory now. Pages that the kernel has swapped out are not.
  uint64_t resident = 0;
  /// From the lowest page in memory to the top: how deep the stack has been since its pages were last given back.
  uint64_t high_water = 0;
};
SpanUsage usage_of(const StackSpan& span);

/// Bytes of all stacks of a source, live ones and those kept for reuse.
struct StackUsage {
  uint64_t resident = 0;
  /// The deepest of them.
  uint64_t high_water = 0;
};
StackUsage usage_of(const Stacks& stacks);
StackUsage usage_of(const StackSets& stacks);

}  // namespace heddle

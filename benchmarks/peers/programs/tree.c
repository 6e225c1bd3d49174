// The leaves of a tree of n levels, each yielded from n calls deep, summed. A leaf's value is its number.
#include "program.h"

// Not one loop: a compiler that saw through the recursion would measure something else.
__attribute__((noinline)) static uint64_t walk(uint32_t level, uint64_t number) {
  if (level == 0) return heddle_fiber_yield(number + 1);
  return walk(level - 1, 2 * number) + walk(level - 1, 2 * number + 1);
}

// Each leaf gets 1 back: at the end the fiber has counted them. The top bit says that it is the end.
static uint64_t leaves(uint64_t levels) { return walk((uint32_t)levels, 0) | 1ull << 63; }

uint64_t run(uint32_t n) {
  if (n == 0) return 0;
  const heddle_fiber fiber = heddle_fiber_new(leaves);
  uint64_t sum = 0, value = heddle_fiber_resume(fiber, n);
  for (; value >> 63 == 0; value = heddle_fiber_resume(fiber, 1)) sum += value - 1;
  heddle_fiber_free(fiber);
  return sum + (value & ~(1ull << 63));
}

// Generators in generators, 2 to 64 deep: the innermost yields 0 to n - 1, each of the others yields what the one in it yields.
#include "program.h"

enum { LEAST = 2, MOST = 64 };

static uint64_t count;

// Gets how many are in it. Yields each number plus 1, and is over with 0.
static uint64_t generator(uint64_t below) {
  if (below == 0) {
    for (uint64_t i = 0; i < count; i++) heddle_fiber_yield(i + 1);
    return 0;
  }
  const heddle_fiber inner = heddle_fiber_new(generator);
  for (uint64_t value = heddle_fiber_resume(inner, below - 1); value != 0; value = heddle_fiber_resume(inner, 0)) heddle_fiber_yield(value);
  heddle_fiber_free(inner);
  return 0;
}

uint64_t run(uint32_t n) {
  count = n;
  uint64_t sum = 0;
  for (uint32_t depth = LEAST; depth <= MOST; depth *= 2) {
    const heddle_fiber outer = heddle_fiber_new(generator);
    for (uint64_t value = heddle_fiber_resume(outer, depth - 1); value != 0; value = heddle_fiber_resume(outer, 0)) sum += value - 1;
    heddle_fiber_free(outer);
  }
  return sum;
}

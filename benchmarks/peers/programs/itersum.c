// A generator of 0 to n - 1, summed.
#include "program.h"

// Yields each number plus 1, and is over with 0.
static uint64_t numbers(uint64_t n) {
  for (uint64_t i = 0; i < n; i++) heddle_fiber_yield(i + 1);
  return 0;
}

uint64_t run(uint32_t n) {
  const heddle_fiber generator = heddle_fiber_new(numbers);
  uint64_t sum = 0, value = heddle_fiber_resume(generator, n);
  for (; value != 0; value = heddle_fiber_resume(generator, 0)) sum += value - 1;
  heddle_fiber_free(generator);
  return sum;
}

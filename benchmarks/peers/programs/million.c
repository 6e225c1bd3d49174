// n coroutines that wait at once, and then finish.
#define FIBER_BYTES 256
#include "program.h"

static uint64_t task(uint64_t value) { return value + heddle_fiber_yield(value); }

uint64_t run(uint32_t n) {
  heddle_fiber *all = allocate(n * (uint32_t)sizeof(heddle_fiber));
  uint64_t sum = 0;
  for (uint32_t i = 0; i < n; i++) {
    all[i] = heddle_fiber_new(task);
    sum += heddle_fiber_resume(all[i], i);
  }
  for (uint32_t i = 0; i < n; i++) {
    sum += heddle_fiber_resume(all[i], 1);
    heddle_fiber_free(all[i]);
  }
  return sum;
}

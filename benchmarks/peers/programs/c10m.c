// n coroutines that yield once each. 10,000 are alive: the oldest goes on and ends when the next is made.
#define FIBER_BYTES 256
#include "program.h"

enum { LIVE = 10000 };

static uint64_t task(uint64_t value) { return value + heddle_fiber_yield(value); }

static uint64_t finish(heddle_fiber fiber) {
  const uint64_t result = heddle_fiber_resume(fiber, 1);
  heddle_fiber_free(fiber);
  return result;
}

uint64_t run(uint32_t n) {
  static heddle_fiber ring[LIVE];
  uint64_t sum = 0;
  for (uint32_t i = 0, at = 0; i < n; i++) {
    if (i >= LIVE) sum += finish(ring[at]);
    ring[at] = heddle_fiber_new(task);
    sum += heddle_fiber_resume(ring[at], i);
    if (++at == LIVE) at = 0;
  }
  const uint32_t left = n < LIVE ? n : LIVE;
  for (uint32_t i = 0; i < left; i++) sum += finish(ring[i]);
  return sum;
}

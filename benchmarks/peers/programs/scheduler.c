// Ten workers in a queue take turns, n turns in all. In each a worker adds its number to a sum.
#include "program.h"

enum { WORKERS = 10, PLACES = 16, STOP = 1 };

static uint64_t total;

static uint64_t worker(uint64_t number) {
  do total += number;
  while (heddle_fiber_yield(0) != STOP);
  return 0;
}

uint64_t run(uint32_t n) {
  static heddle_fiber queue[PLACES];
  total = 0;
  uint32_t first = 0, last = 0, turn = 0;
  // A worker's first turn brings its number.
  for (; turn < WORKERS && turn < n; turn++) {
    const heddle_fiber fiber = heddle_fiber_new(worker);
    heddle_fiber_resume(fiber, turn);
    queue[last++ % PLACES] = fiber;
  }
  for (; turn < n; turn++) {
    const heddle_fiber next = queue[first++ % PLACES];
    heddle_fiber_resume(next, 0);
    queue[last++ % PLACES] = next;
  }
  while (first != last) {
    const heddle_fiber next = queue[first++ % PLACES];
    heddle_fiber_resume(next, STOP);
    heddle_fiber_free(next);
  }
  return total;
}

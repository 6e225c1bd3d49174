// Leibniz's series in n tasks of 1,000 terms each, which take turns after every 100 terms: mostly arithmetic. Gives 10^12 times the sum.
#include "program.h"

enum { TERMS = 1000, BETWEEN = 100, SCALE = 1000000 };

// Per task, because a task's sum must not be rounded in another order than the next engine's.
static double *sums;

static uint64_t task(uint64_t number) {
  const uint32_t first = (uint32_t)number * TERMS;
  double sum = 0;
  for (uint32_t i = 0; i < TERMS; i++) {
    if (i % BETWEEN == 0) heddle_fiber_yield(0);
    const uint32_t term = first + i;
    const double part = 4.0 / (2.0 * term + 1);
    sum += term % 2 == 0 ? part : -part;
  }
  sums[number] = sum;
  return 1;
}

uint64_t run(uint32_t n) {
  sums = allocate((n + 1) * (uint32_t)sizeof(double));
  heddle_fiber *tasks = allocate((n + 1) * (uint32_t)sizeof(heddle_fiber));
  for (uint32_t i = 0; i < n; i++) {
    tasks[i] = heddle_fiber_new(task);
    heddle_fiber_resume(tasks[i], i);
  }
  for (uint32_t turn = 0; turn < TERMS / BETWEEN; turn++)
    for (uint32_t i = 0; i < n; i++) heddle_fiber_resume(tasks[i], 0);
  double pi = 0;
  for (uint32_t i = 0; i < n; i++) {
    heddle_fiber_free(tasks[i]);
    pi += sums[i];
  }
  return (uint64_t)(pi * SCALE * SCALE);
}

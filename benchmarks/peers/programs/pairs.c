// One fiber yields n times: nothing else. (pairs.wat is the same in the instructions themselves.)
#include "program.h"

static uint64_t task(uint64_t value) {
  for (;;) value = heddle_fiber_yield(value + 1);
}

uint64_t run(uint32_t n) {
  const heddle_fiber fiber = heddle_fiber_new(task);
  uint64_t value = 0;
  for (uint32_t i = 0; i < n; i++) value = heddle_fiber_resume(fiber, value);
  heddle_fiber_free(fiber);
  return value;
}

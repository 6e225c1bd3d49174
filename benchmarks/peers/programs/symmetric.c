// Two coroutines that hand a number to each other n times. Without `switch` each yields, and a loop resumes the other. (symmetric.wat uses `switch`.)
#include "program.h"

static uint64_t task(uint64_t value) {
  for (;;) value = heddle_fiber_yield(value + 1);
}

uint64_t run(uint32_t n) {
  const heddle_fiber one = heddle_fiber_new(task), other = heddle_fiber_new(task);
  uint64_t value = 0;
  for (uint32_t i = 0; i < n; i++) value = heddle_fiber_resume((i & 1) != 0 ? other : one, value);
  heddle_fiber_free(one);
  heddle_fiber_free(other);
  return value;
}

// A handler of state: the fiber asks for a number and puts one that is larger by 1, n times; who resumes it keeps the number.
#include "program.h"

enum { GET = 1, PUT = 2, BITS = 2 };

static uint64_t get(void) { return heddle_fiber_yield(GET); }
static void put(uint64_t value) { heddle_fiber_yield(value << BITS | PUT); }

static uint64_t count(uint64_t n) {
  for (uint64_t i = 0; i < n; i++) put(get() + 1);
  return 0;
}

uint64_t run(uint32_t n) {
  const heddle_fiber fiber = heddle_fiber_new(count);
  uint64_t state = 0, asked = heddle_fiber_resume(fiber, n);
  while (asked != 0) {
    if ((asked & PUT) != 0) {
      state = asked >> BITS;
      asked = heddle_fiber_resume(fiber, 0);
    } else {
      asked = heddle_fiber_resume(fiber, state);
    }
  }
  heddle_fiber_free(fiber);
  return state;
}

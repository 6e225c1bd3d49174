// The n-th prime by a chain of fibers: each asks the one before it for numbers, and lets through what its own prime does not divide. At the end
// of each number's way n fibers are active.
#include "program.h"

static uint64_t all(uint64_t from) {
  for (;; from++) heddle_fiber_yield(from);
}

// Gets first its prime, then the fiber in front of it.
static uint64_t filter(uint64_t prime) {
  const heddle_fiber source = (heddle_fiber)heddle_fiber_yield(0);
  for (;;) {
    uint64_t number;
    do number = heddle_fiber_resume(source, 0);
    while ((uint32_t)number % (uint32_t)prime == 0);
    heddle_fiber_yield(number);
  }
}

uint64_t run(uint32_t n) {
  if (n == 0) return 0;
  heddle_fiber *chain = allocate((n + 1) * (uint32_t)sizeof(heddle_fiber));
  chain[0] = heddle_fiber_new(all);
  uint64_t prime = heddle_fiber_resume(chain[0], 2);
  for (uint32_t i = 1; i < n; i++) {
    chain[i] = heddle_fiber_new(filter);
    heddle_fiber_resume(chain[i], prime);
    // The filter has its source now, and gives its first number: the next prime.
    prime = heddle_fiber_resume(chain[i], chain[i - 1]);
  }
  // None of them returns: they are dropped where they wait.
  for (uint32_t i = 0; i < n; i++) heddle_fiber_free(chain[i]);
  return prime;
}

// Invariants that hold unless Heddle itself is wrong.
#pragma once
#include <cstdio>
#include <cstdlib>

/// Ends the process with a message when `condition` does not hold. For corrupt state only: errors a user can cause are values or traps.
#define HEDDLE_CHECK(condition)                                                                  \
  do {                                                                                           \
    if (!(condition)) {                                                                          \
      std::fprintf(stderr, "heddle: %s:%d: %s does not hold\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                              \
    }                                                                                            \
  } while (0)

// A tree of fibers with 10 children each and n levels below the root: a leaf gives its number, the others the sum of their children.
#include "program.h"

enum { CHILDREN = 10, LEVELS = 9, SHIFT = 32 };

// The children of the nodes that are on the way to the one that runs: an array of ten on the stack would be in C's own, in linear memory.
static heddle_fiber children[LEVELS][CHILDREN];
static uint32_t depth;

// Gets its number and how many leaves it has, waits until its sisters are there, and gives the sum.
static uint64_t node(uint64_t arguments) {
  const uint32_t number = (uint32_t)(arguments >> SHIFT), leaves = (uint32_t)arguments;
  heddle_fiber_yield(0);
  if (leaves == 1) return number;
  heddle_fiber *mine = children[depth++];
  const uint32_t part = leaves / CHILDREN;
  uint64_t sum = 0;
  for (uint32_t i = 0; i < CHILDREN; i++) {
    mine[i] = heddle_fiber_new(node);
    heddle_fiber_resume(mine[i], (uint64_t)(number + i * part) << SHIFT | part);
  }
  for (uint32_t i = 0; i < CHILDREN; i++) {
    sum += heddle_fiber_resume(mine[i], 0);
    heddle_fiber_free(mine[i]);
  }
  depth--;
  return sum;
}

uint64_t run(uint32_t n) {
  uint32_t leaves = 1;
  for (uint32_t i = 0; i < n; i++) leaves *= CHILDREN;
  const heddle_fiber root = heddle_fiber_new(node);
  heddle_fiber_resume(root, leaves);
  const uint64_t sum = heddle_fiber_resume(root, 0);
  heddle_fiber_free(root);
  return sum;
}

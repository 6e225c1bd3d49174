// Whether two trees have the same leaves from left to right, without a list of them: each tree is walked by a recursive function on a fiber of its own, and
// the two walks take turns. Prints to standard output: `heddle run examples/fibers/same_fringe.wasm`.
#include <heddle/fiber.h>

// What this needs of WASI.
typedef struct {
  const char *text;
  uint32_t length;
} span;
__attribute__((import_module("wasi_snapshot_preview1"), import_name("fd_write"))) extern uint32_t fd_write(uint32_t fd, const span *spans,
                                                                                                           uint32_t count, uint32_t *written);

static void print(const char *text) {
  uint32_t length = 0, written;
  while (text[length] != 0) length++;
  const span all = {text, length};
  fd_write(1, &all, 1, &written);
}

typedef struct tree {
  const struct tree *left, *right;
  char leaf;
} tree;

enum { END = 0 };

// Yields each leaf with the path that leads to it, which lies on the fiber's own stack in linear memory while the other fiber runs.
static void walk(const tree *t, char *path, uint32_t depth) {
  if (t->left == 0) {
    path[depth] = t->leaf;
    heddle_fiber_yield((uintptr_t)(path + depth));
    return;
  }
  path[depth] = 'l';
  walk(t->left, path, depth + 1);
  path[depth] = 'r';
  walk(t->right, path, depth + 1);
}

static uint64_t leaves(uint64_t root) {
  char path[32];
  walk((const tree *)(uintptr_t)root, path, 0);
  return END;
}

static int same_fringe(const tree *a, const tree *b) {
  heddle_fiber walks[] = {heddle_fiber_new(leaves), heddle_fiber_new(leaves)};
  const char *of_a, *of_b;
  do {
    of_a = (const char *)(uintptr_t)heddle_fiber_resume(walks[0], (uintptr_t)a);
    of_b = (const char *)(uintptr_t)heddle_fiber_resume(walks[1], (uintptr_t)b);
  } while (of_a != END && of_b != END && *of_a == *of_b);
  const int same = of_a == END && of_b == END;
  // One of them may not be done.
  for (int i = 0; i < 2; i++) heddle_fiber_free(walks[i]);
  return same;
}

static const tree a = {0, 0, 'a'}, b = {0, 0, 'b'}, c = {0, 0, 'c'}, d = {0, 0, 'd'};
static const tree ab = {&a, &b, 0}, bc = {&b, &c, 0}, cd = {&c, &d, 0}, dc = {&d, &c, 0};
static const tree ab_c = {&ab, &c, 0}, a_bc = {&a, &bc, 0};
static const tree left = {&ab_c, &d, 0}, right = {&a, &(const tree){&bc, &d, 0}, 0}, balanced = {&ab, &cd, 0}, other = {&ab, &dc, 0};

__attribute__((export_name("_start"))) void start(void) {
  print(same_fringe(&left, &right) && same_fringe(&left, &balanced) && same_fringe(&ab_c, &a_bc) ? "the same\n" : "wrong\n");
  print(same_fringe(&balanced, &other) || same_fringe(&left, &ab_c) ? "wrong\n" : "different\n");
}

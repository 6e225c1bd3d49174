// What tests do with fibers. Built by build.sh beside it.
#include <heddle/fiber.h>

#define EXPORT(name) __attribute__((export_name(#name)))

typedef uint32_t u32;
typedef uint64_t u64;

__attribute__((import_module("env"), import_name("wait"))) u32 wait_for(u32 value);
__attribute__((import_module("env"), import_name("call"))) u32 call_javascript(u32 value);

static u32 next(u32 x) { return x * 1664525u + 1013904223u; }

__attribute__((noinline)) static void fill(volatile u32 *words, u32 count, u32 seed) {
  for (u32 i = 0; i < count; i++) words[i] = seed = next(seed);
}

__attribute__((noinline)) static u32 sum(const volatile u32 *words, u32 count) {
  u32 total = 0;
  for (u32 i = 0; i < count; i++) total += words[i];
  return total;
}

enum { WORDS = 64, MOST = 1000 };

// Yields the sum of its array again and again, and mixes what each resume gives into it. Returns the sum when it gets 0.
static u64 mixer(u64 seed) {
  volatile u32 words[WORDS];
  fill(words, WORDS, (u32)seed);
  for (u32 i = 0;; i++) {
    const u64 got = heddle_fiber_yield(sum(words, WORDS));
    if (got == 0) return sum(words, WORDS);
    words[i % WORDS] ^= (u32)(got >> 16);
  }
}

// `count` mixers in turn, `rounds` times; the sum of all that they give. An array of this function's own lies between.
EXPORT(mix) u32 mix(u32 count, u32 rounds) {
  static heddle_fiber fibers[MOST];
  volatile u32 words[WORDS];
  fill(words, WORDS, count);
  u32 total = 0;
  for (u32 i = 0; i < count; i++) fibers[i] = heddle_fiber_new(mixer);
  for (u32 i = 0; i < count; i++) total += (u32)heddle_fiber_resume(fibers[i], i + 1);
  for (u32 round = 1; round <= rounds; round++) {
    for (u32 i = 0; i < count; i++) total += (u32)heddle_fiber_resume(fibers[i], (u64)next(i * round) << 16 | 1);
  }
  for (u32 i = 0; i < count; i++) {
    total += (u32)heddle_fiber_resume(fibers[i], 0);
    if (heddle_fiber_status(fibers[i]) != HEDDLE_FIBER_DONE) return 0;
    heddle_fiber_free(fibers[i]);
  }
  return total + sum(words, WORDS);
}

// A fiber that resumes a fiber that resumes …, `depth` deep; the innermost waits for a promise, by an import.
static u64 nested(u64 depth) {
  volatile u32 words[WORDS];
  fill(words, WORDS, (u32)depth);
  u64 below;
  if (depth == 0) {
    below = wait_for(7);
  } else {
    const heddle_fiber fiber = heddle_fiber_new(nested);
    below = heddle_fiber_resume(fiber, depth - 1);
    heddle_fiber_free(fiber);
  }
  heddle_fiber_yield(below);
  return below + sum(words, WORDS);
}

EXPORT(nest) u32 nest(u32 depth) {
  const heddle_fiber fiber = heddle_fiber_new(nested);
  const u64 yielded = heddle_fiber_resume(fiber, depth);
  const u64 returned = heddle_fiber_resume(fiber, 0);
  heddle_fiber_free(fiber);
  return (u32)(yielded ^ returned);
}

// One call for each thing that may be done to a fiber, so that tests may do them in any order.
static u64 echo(u64 value) {
  while (value != 0) value = heddle_fiber_yield(value * 3);
  return 99;
}
static u64 of_javascript(u64 value) { return call_javascript((u32)value); }
static u64 resumes_itself(u64 self) { return heddle_fiber_resume((heddle_fiber)self, 0); }
static u64 frees_itself(u64 self) {
  heddle_fiber_free((heddle_fiber)self);
  return 0;
}
static u64 asks_of_itself(u64 self) { return heddle_fiber_status((heddle_fiber)self); }
__attribute__((noinline)) static u64 deep(u64 depth) {
  volatile u32 words[WORDS];
  fill(words, WORDS, (u32)depth);
  return depth == 0 ? 0 : deep(depth - 1) + sum(words, WORDS);
}
// A fiber that goes `depth` frames deep, below an array of this function's own.
EXPORT(descend) u32 descend(u32 depth) {
  volatile u32 words[WORDS];
  fill(words, WORDS, depth);
  const heddle_fiber fiber = heddle_fiber_new(deep);
  const u32 below = (u32)heddle_fiber_resume(fiber, depth);
  heddle_fiber_free(fiber);
  return below + sum(words, WORDS);
}

// mixer, below `depth` frames with arrays of their own: seed and depth are the halves of the value.
__attribute__((noinline)) static u64 deep_mixer(u64 value) {
  volatile u32 words[WORDS];
  const u32 depth = (u32)(value >> 32), seed = (u32)value;
  fill(words, WORDS, depth);
  const u64 below = depth == 0 ? mixer(seed) : deep_mixer((u64)(depth - 1) << 32 | seed);
  return (u32)below + sum(words, WORDS);
}

static u32 another_type(u32 value) { return value; }

EXPORT(make) heddle_fiber make(u32 what) {
  static const heddle_fiber_function functions[] = {echo,         of_javascript,  resumes_itself, frees_itself,
                                                    asks_of_itself, deep, (heddle_fiber_function)another_type,
                                                    mixer, deep_mixer};
  return heddle_fiber_new(functions[what]);
}
EXPORT(make_of) heddle_fiber make_of(u32 pointer) { return heddle_fiber_new((heddle_fiber_function)pointer); }
EXPORT(resume) u64 resume(heddle_fiber fiber, u64 value) { return heddle_fiber_resume(fiber, value); }
EXPORT(clone) heddle_fiber clone(heddle_fiber fiber) { return heddle_fiber_clone(fiber); }
EXPORT(yield) u64 yield(u64 value) { return heddle_fiber_yield(value); }
EXPORT(release) void release(heddle_fiber fiber) { heddle_fiber_free(fiber); }
EXPORT(status) u32 status(heddle_fiber fiber) { return heddle_fiber_status(fiber); }

static const char *volatile text = "a segment of data, by which the linker's layout is known";
EXPORT(text_length) u32 text_length(void) {
  u32 n = 0;
  while (text[n]) n++;
  return n;
}

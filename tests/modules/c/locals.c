// Calls that keep large locals across suspensions. Built by build.sh beside it.
typedef unsigned int u32;

#define IMPORT(name) __attribute__((import_module("env"), import_name(#name)))
#define EXPORT(name) __attribute__((export_name(#name)))

IMPORT(wait) u32 wait_for(u32 value);

static u32 next(u32 x) { return x * 1664525u + 1013904223u; }

// Not inlined: each has a frame of its own.
__attribute__((noinline)) static void fill(volatile u32 *words, u32 count, u32 seed) {
  for (u32 i = 0; i < count; i++) words[i] = seed = next(seed);
}

__attribute__((noinline)) static u32 sum(const volatile u32 *words, u32 count) {
  u32 total = 0;
  for (u32 i = 0; i < count; i++) total += words[i];
  return total;
}

enum { WORDS = 64 };

// Fills an array, waits `rounds` times with what the array adds up to, and mixes what each wait gave into it. The result is the last sum.
EXPORT(work) u32 work(u32 seed, u32 rounds) {
  volatile u32 words[WORDS];
  fill(words, WORDS, seed);
  for (u32 i = 0; i < rounds; i++) words[i % WORDS] ^= wait_for(sum(words, WORDS));
  return sum(words, WORDS);
}

// Waits at the bottom of `depth` frames, each with an array that is added up on the way back.
EXPORT(nest) u32 nest(u32 seed, u32 depth) {
  volatile u32 words[WORDS];
  fill(words, WORDS, seed);
  u32 below = depth == 0 ? wait_for(seed) : nest(next(seed), depth - 1);
  return below + sum(words, WORDS);
}

// Waits, then goes `depth` frames deep without another wait.
EXPORT(deepen) u32 deepen(u32 seed, u32 depth) {
  volatile u32 words[WORDS];
  fill(words, WORDS, wait_for(seed));
  u32 below = 0;
  if (depth > 0) {
    extern u32 descend(u32, u32);
    below = descend(seed, depth - 1);
  }
  return below + sum(words, WORDS);
}

EXPORT(descend) u32 descend(u32 seed, u32 depth) {
  volatile u32 words[WORDS];
  fill(words, WORDS, seed);
  return (depth == 0 ? 0 : descend(next(seed), depth - 1)) + sum(words, WORDS);
}

// A bump allocator with a list of blocks of one size, for the option `allocator`.
static u32 arena[262144] __attribute__((aligned(16)));
static u32 used, live;
static u32 *spare;

EXPORT(take) u32 *take(u32 size) {
  live++;
  if (spare != 0) {
    u32 *block = spare;
    spare = (u32 *)*block;
    return block;
  }
  u32 words = (size + 15) / 16 * 4;
  if (used + words > sizeof arena / sizeof *arena) {
    live--;
    return 0;
  }
  u32 *block = arena + used;
  used += words;
  return block;
}

EXPORT(drop) void drop(u32 *block) {
  live--;
  *block = (u32)spare;
  spare = block;
}

EXPORT(live_blocks) u32 live_blocks(void) { return live; }

static const char *volatile text = "a segment of data, by which the linker's layout is known";
EXPORT(text_length) u32 text_length(void) {
  u32 n = 0;
  while (text[n]) n++;
  return n;
}

/* Fibers by Binaryen's pass Asyncify: a fiber that yields unwinds into a buffer of its own, and is wound up again when it goes on. */
typedef uint32_t heddle_fiber;
typedef uint64_t (*heddle_fiber_function)(uint64_t value);
typedef struct {
  /* What the pass keeps: how far the buffer is filled, and where it ends. */
  uint8_t *at, *end;
  uint8_t *buffer;
  heddle_fiber_function function;
  uint32_t begun, next_free;
} fiber;
#include "slots.h"

#define ASYNCIFY(name) __attribute__((import_module("asyncify"), import_name(name)))
ASYNCIFY("start_unwind") void asyncify_start_unwind(fiber *);
ASYNCIFY("stop_unwind") void asyncify_stop_unwind(void);
ASYNCIFY("start_rewind") void asyncify_start_rewind(fiber *);
ASYNCIFY("stop_rewind") void asyncify_stop_rewind(void);

static enum { RUNS, UNWINDS, REWINDS } mode;
static uint64_t passed;
static uint32_t running;

static heddle_fiber heddle_fiber_new(heddle_fiber_function function) {
  const uint32_t slot = take_slot();
  fiber *f = &fibers[slot];
  if (f->buffer == 0) f->buffer = allocate(FIBER_BYTES);
  f->at = f->buffer;
  f->end = f->buffer + FIBER_BYTES;
  f->function = function;
  f->begun = 0;
  return slot;
}

/* These two stay functions: the pass leaves what calls its own functions as it is. */
__attribute__((noinline)) static uint64_t heddle_fiber_resume(heddle_fiber slot, uint64_t value) {
  fiber *f = &fibers[slot];
  const uint32_t resumer = running;
  running = slot;
  if (f->begun) {
    mode = REWINDS;
    passed = value;
    asyncify_start_rewind(f);
  }
  f->begun = 1;
  uint64_t result = f->function(value);
  if (mode == UNWINDS) {
    mode = RUNS;
    asyncify_stop_unwind();
    result = passed;
  }
  running = resumer;
  return result;
}

__attribute__((noinline)) static uint64_t heddle_fiber_yield(uint64_t value) {
  if (mode == REWINDS) {
    mode = RUNS;
    asyncify_stop_rewind();
    return passed;
  }
  mode = UNWINDS;
  passed = value;
  asyncify_start_unwind(&fibers[running]);
  return 0;
}

static void heddle_fiber_free(heddle_fiber slot) { free_slot(slot); }

/* Fibers natively, by Boost.Context's bare switch: the limit. Stacks have no guard pages, and are kept for the next fiber. */
#include <stddef.h>
#include <sys/mman.h>

typedef uint32_t heddle_fiber;
typedef uint64_t (*heddle_fiber_function)(uint64_t value);
typedef struct {
  void *context;
  uint8_t *stack;
  heddle_fiber_function function;
  uint32_t resumer, next_free;
} fiber;
#include "slots.h"

typedef struct {
  void *context, *data;
} transfer;
extern transfer jump_fcontext(void *to, void *data);
extern void *make_fcontext(void *top, size_t size, void (*function)(transfer));

enum { STACK_BYTES = 1 << 16, STACKS_AT_ONCE = 1024 };

/* Where a fiber goes when it yields. The value is passed beside the switch: a pointer has its size only here. */
static void *resumer_context;

static uint8_t *new_stack(void) {
  static uint8_t *stacks;
  static uint32_t left;
  if (left == 0) {
    stacks = mmap(0, (size_t)STACK_BYTES * STACKS_AT_ONCE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (stacks == MAP_FAILED) abort();
    left = STACKS_AT_ONCE;
  }
  left--;
  uint8_t *stack = stacks;
  stacks += STACK_BYTES;
  return stack;
}

static void fiber_main(transfer from) {
  const heddle_fiber_function function = *(heddle_fiber_function *)from.data;
  /* The first resume gives the function, the second its argument. */
  from = jump_fcontext(from.context, 0);
  resumer_context = from.context;
  const uint64_t result = function((uint64_t)(uintptr_t)from.data);
  jump_fcontext(resumer_context, (void *)(uintptr_t)result);
}

static heddle_fiber heddle_fiber_new(heddle_fiber_function function) {
  const uint32_t slot = take_slot();
  fiber *f = &fibers[slot];
  if (f->stack == 0) f->stack = new_stack();
  f->function = function;
  f->context = make_fcontext(f->stack + STACK_BYTES, STACK_BYTES, fiber_main);
  f->context = jump_fcontext(f->context, &f->function).context;
  return slot;
}

static inline uint64_t heddle_fiber_resume(heddle_fiber slot, uint64_t value) {
  void *outer = resumer_context;
  const transfer back = jump_fcontext(fibers[slot].context, (void *)(uintptr_t)value);
  fibers[slot].context = back.context;
  resumer_context = outer;
  return (uint64_t)(uintptr_t)back.data;
}

static inline uint64_t heddle_fiber_yield(uint64_t value) {
  const transfer from = jump_fcontext(resumer_context, (void *)(uintptr_t)value);
  resumer_context = from.context;
  return (uint64_t)(uintptr_t)from.data;
}

static void heddle_fiber_free(heddle_fiber slot) { free_slot(slot); }

// Fibers as Ruby's build for WebAssembly has them: a switch unwinds to a loop at the program's bottom, which begins the next one or rewinds it. Each fiber
// has a stack of its own for C. Built by build.mjs.
#include <stdint.h>

#define ASYNCIFY(name) __attribute__((import_module("asyncify"), import_name(#name))) void name
ASYNCIFY(start_unwind)(void *);
ASYNCIFY(stop_unwind)(void);
ASYNCIFY(start_rewind)(void *);
ASYNCIFY(stop_rewind)(void);
__attribute__((import_module("env"), import_name("log"))) void log_value(int32_t);

typedef struct {
  void *top;
  void *end;
  void (*entry)(int);
  int argument;
  uintptr_t stack;
  int begun;
  char buffer[2048];
  _Alignas(16) char words[2048];
} fiber;

enum { COUNT = 6 };
static fiber fibers[COUNT];
static fiber *current, *next;
static int unwinding;

static uintptr_t get_stack(void) {
  uintptr_t stack;
  __asm__ volatile("global.get __stack_pointer\n local.set %0" : "=r"(stack));
  return stack;
}
static void set_stack(uintptr_t stack) {
  __asm__ volatile("local.get %0\n global.set __stack_pointer" : : "r"(stack));
}

static void make(int i, void (*entry)(int), int argument) {
  fiber *made = &fibers[i];
  made->top = made->buffer;
  made->end = made->buffer + sizeof made->buffer;
  made->entry = entry;
  made->argument = argument;
  made->stack = (uintptr_t)(made->words + sizeof made->words);
  made->begun = 0;
}

__attribute__((noinline)) static void swap_to(fiber *to) {
  if (unwinding) {
    stop_rewind();
    unwinding = 0;
    return;
  }
  unwinding = 1;
  next = to;
  current->stack = get_stack();
  start_unwind(current);
}

__attribute__((noinline)) static void run(fiber *first) {
  uintptr_t before = get_stack();
  next = first;
  while (next) {
    current = next;
    next = 0;
    set_stack(current->stack);
    if (current->begun) {
      unwinding = 1;
      start_rewind(current);
    } else {
      current->begun = 1;
    }
    current->entry(current->argument);
    stop_unwind();
    unwinding = 0;
  }
  set_stack(before);
}

static int fill(volatile int *words, int seed) {
  int sum = 0;
  for (int i = 0; i < 8; i++) words[i] = seed * 31 + i;
  for (int i = 0; i < 8; i++) sum += words[i];
  return sum;
}

// Goes round the ring, some calls deep, with words on its stack that must be as they were.
__attribute__((noinline)) static int around(int id, int depth) {
  volatile int words[8];
  int sum = fill(words, id + depth);
  if (depth > 0) {
    sum += around(id, depth - 1);
  } else {
    swap_to(&fibers[(id + 1) % COUNT]);
  }
  for (int i = 0; i < 8; i++) sum += words[i] * (i + 1);
  return sum;
}
static void ring(int id) {
  for (int round = 0; round < 4; round++) log_value(around(id, id + round));
  log_value(1000 + id);
  if (id + 1 < COUNT) swap_to(&fibers[id + 1]);
}

__attribute__((export_name("ring"))) int run_ring(void) {
  for (int i = 0; i < COUNT; i++) make(i, ring, i);
  run(&fibers[0]);
  return (int)get_stack();
}

// setjmp and longjmp of that kind: a call that has gone on goes on once more, from frames that lie in the buffer still.
static int jumps;
static void *kept_top;
__attribute__((noinline)) static void mark(void) {
  if (unwinding) {
    stop_rewind();
    unwinding = 0;
    return;
  }
  unwinding = 1;
  start_unwind(current);
}
static void jumper(int id) {
  mark();
  log_value(jumps);
}
__attribute__((noinline)) static void again(void) {
  unwinding = 1;
  current->top = kept_top;
  start_rewind(current);
  current->entry(current->argument);
  stop_unwind();
}
__attribute__((export_name("jump"))) void run_jump(void) {
  make(0, jumper, 0);
  current = &fibers[0];
  next = 0;
  run(&fibers[0]);
  unwinding = 0;
  kept_top = current->top;
  jumps = 1;
  again();
  jumps = 2;
  again();
}

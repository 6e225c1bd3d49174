/*
 * Fibers for C and C++ in WebAssembly that Heddle runs: functions with stacks of their own, native and in linear memory, that yield to whoever resumed them.
 * No instruction and no library is needed: these are imports from the module `heddle`, which Heddle gives itself. docs/fibers.md says more.
 *
 * Linkers leave a module's table of functions out where nothing calls through it: link with -Wl,--export-table. Misuse is a trap; its code is named below.
 */
#ifndef HEDDLE_FIBER_H
#define HEDDLE_FIBER_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HEDDLE_IMPORT(name) __attribute__((import_module("heddle"), import_name(name)))

/* A fiber's number. It is never 0, and names no other fiber once this one is freed. */
typedef uint32_t heddle_fiber;

/* What a fiber runs: gets the value of the first resume; what it returns is what the last resume gives. */
typedef uint64_t (*heddle_fiber_function)(uint64_t value);

enum heddle_fiber_status {
  HEDDLE_FIBER_SUSPENDED = 0, /* it has not begun, or has yielded */
  HEDDLE_FIBER_RUNNING = 1,   /* it, or a fiber that it has resumed, runs */
  HEDDLE_FIBER_DONE = 2,      /* its function has returned, or an exception has left it */
  HEDDLE_FIBER_UNKNOWN = 3    /* there is no such fiber: it was freed */
};

/* Makes a fiber. Nothing runs yet, and it has no stack before the first resume. Traps: HEDDLE_TRAP_UNDEFINED_ELEMENT, …UNINITIALIZED_ELEMENT,
   …INDIRECT_CALL_TYPE where `function` is none of this type, …TOO_MANY_STACKS. */
HEDDLE_IMPORT("fiber_new") heddle_fiber heddle_fiber_new(heddle_fiber_function function);

/* Goes on with a fiber until it yields or returns: gives what it does. The fiber's own yield gives `value`. Traps: HEDDLE_TRAP_FIBER_UNKNOWN, …FIBER_RUNNING,
   …FIBER_DONE, …TOO_MANY_STACKS. */
HEDDLE_IMPORT("fiber_resume") uint64_t heddle_fiber_resume(heddle_fiber fiber, uint64_t value);

/* On a fiber: goes back to who resumed it, whose resume gives `value`. Gives the value of the next resume. Traps: HEDDLE_TRAP_FIBER_OUTSIDE, and
   HEDDLE_TRAP_BARRIER where JavaScript is between. */
HEDDLE_IMPORT("fiber_yield") uint64_t heddle_fiber_yield(uint64_t value);

/* Drops a fiber: what it has on its stacks is gone, and nothing of it runs. Traps: HEDDLE_TRAP_FIBER_UNKNOWN, …FIBER_RUNNING. */
HEDDLE_IMPORT("fiber_free") void heddle_fiber_free(heddle_fiber fiber);

/* A second fiber in the state of one that has not begun or has yielded, which stays as it is: both go on, each once. Frames are copied, the native ones and those
   in linear memory; what they point to elsewhere is shared. Of fibers that go on from one state only one may be active at a time. Traps: HEDDLE_TRAP_FIBER_UNKNOWN,
   …FIBER_RUNNING, …FIBER_DONE, …TOO_MANY_STACKS; and HEDDLE_TRAP_SNAPSHOT_ACTIVE where one is resumed while another runs. */
HEDDLE_IMPORT("fiber_clone") heddle_fiber heddle_fiber_clone(heddle_fiber fiber);

/* One of enum heddle_fiber_status, for any number. */
HEDDLE_IMPORT("fiber_status") uint32_t heddle_fiber_status(heddle_fiber fiber);

#ifdef __cplusplus
}
#endif

#endif

/*
 * What each program includes: the interface of include/heddle/fiber.h in the implementation that is asked for, memory, and an export `run`.
 * Programs keep nothing in C's stack in linear memory (no address of a local is taken), so that no implementation has to switch that as well.
 */
#ifndef HEDDLE_PEERS_PROGRAM_H
#define HEDDLE_PEERS_PROGRAM_H

#include <stdint.h>

enum { MOST_FIBERS = 1 << 20 };

#if defined(__wasm__)
#define EXPORT(name) __attribute__((export_name(name)))

extern uint8_t __heap_base;

/* Zeroed bytes, which nobody gives back. */
static void *allocate(uint32_t bytes) {
  static uint32_t top;
  enum { PAGE = 1 << 16 };
  if (top == 0) top = ((uint32_t)(uintptr_t)&__heap_base + 15) & ~15u;
  const uint32_t at = top;
  top += (bytes + 15) & ~15u;
  const uint32_t size = (uint32_t)__builtin_wasm_memory_size(0) * PAGE;
  /* By a quarter at least: growing a memory page by page takes quadratic time in some engines. */
  if (top > size) {
    const uint32_t missing = (top - size + PAGE - 1) / PAGE, quarter = size / PAGE / 4;
    if (__builtin_wasm_memory_grow(0, missing > quarter ? missing : quarter) == (__SIZE_TYPE__)-1) __builtin_trap();
  }
  return (void *)(uintptr_t)at;
}
#else
#include <stdlib.h>
#define EXPORT(name)

static void *allocate(uint32_t bytes) {
  void *memory = calloc(1, bytes);
  if (memory == 0) abort();
  return memory;
}
#endif

/* What a fiber's frames may take: of an Asyncify build's buffer, which a program that has many fibers keeps small. */
#ifndef FIBER_BYTES
#define FIBER_BYTES 4096
#endif

#if defined(FIBERS_BY_SWITCHING)
#include "fibers/switching.h"
#elif defined(FIBERS_BY_ASYNCIFY)
#include "fibers/asyncify.h"
#elif defined(FIBERS_BY_BOOST)
#include "fibers/boost.h"
#else
#include <heddle/fiber.h>
#endif

/* What the program does; its result is compared with what arithmetic says. */
EXPORT("run") uint64_t run(uint32_t n);

#if !defined(__wasm__)
#include <stdio.h>
#include <time.h>

/* Natively: prints what the runner of the other engines prints. */
int main(int count, char **arguments) {
  const uint32_t n = count > 1 ? (uint32_t)strtoul(arguments[1], 0, 10) : 0;
  struct timespec start, end;
  clock_gettime(CLOCK_MONOTONIC, &start);
  const uint64_t result = run(n);
  clock_gettime(CLOCK_MONOTONIC, &end);
  const double took = (double)(end.tv_sec - start.tv_sec) * 1e3 + (double)(end.tv_nsec - start.tv_nsec) / 1e6;
  printf("RESULT {\"result\": \"%llu\", \"milliseconds\": %f}\n", (unsigned long long)result, took);
  return 0;
}
#endif

#endif

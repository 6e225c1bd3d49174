// Running a call, for who makes it: in line, because JavaScript and WebAssembly that call each other nest on the host stack.
#pragma once
#include "bindings/engine.h"
#include "bindings/memory.h"
#include "trap/enter.h"

namespace heddle {

/// Runs a call whose arguments are in its slots, to its end or to where it is left. Failed where an exception is pending.
__attribute__((always_inline)) inline Entry::Ending start_call(Engine* engine, Call* call, uint64_t deadline) {
  engine->epoch++;
  if (!refresh_unguarded(engine)) return Entry::Ending::Failed;
  engine->heap.poll();
  const CallScope scope(call);
  return call->run_here(deadline);
}

/// Runs a call that is never left. False when an exception is pending.
__attribute__((always_inline)) inline bool run_call(Engine* engine, Call* call, uint64_t deadline) {
  const Entry::Ending ending = start_call(engine, call, deadline);
  return __builtin_expect(ending == Entry::Ending::Returned, 1) ? true : fail_call(engine, *call, ending);
}

}  // namespace heddle

// The process's watchdog: interrupts threads that stay in WebAssembly, so that terminations and deadlines are seen.
#pragma once
#include "continuation/runtime.h"

namespace heddle {

/// How often the watchdog looks while WebAssembly runs, in nanoseconds.
inline constexpr uint64_t kTick = 25'000'000;

/// Monotonic nanoseconds.
uint64_t now_nanoseconds();

/// Lets the watchdog look at a runtime; pairs with unwatch, on the runtime's own thread.
void watch(Runtime* runtime);
void unwatch(Runtime* runtime);

/// Called when a call begins, after VMThread.entry was set: wakes the watchdog where it sleeps. Costs a load otherwise.
void note_entry();
/// Called when a deadline was set: the watchdog plans anew.
void note_deadline();

/// Takes back a pending interrupt: the poll page is readable and the stack limit is the current fiber's again.
void disarm(Runtime* runtime);
/// Asks for an interrupt now, from any thread.
void arm(Runtime* runtime);

}  // namespace heddle

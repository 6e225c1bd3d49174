// Faults of generated code become traps; all others go where they went before.
#pragma once
#include "continuation/runtime.h"

namespace heddle {

/// Installs the process's handlers (SIGILL, SIGFPE, SIGSEGV, SIGBUS), once. They stay until the process ends.
void install_signal_handlers();

/// Where the handlers look for the thread whose generated code runs on this OS thread now, null when none does. Looked up once and kept,
/// because the lookup costs as much as the rest of a call's bookkeeping.
VMThread** signal_thread();

/// An alternate signal stack for the calling OS thread, while at least one of these lives on it. A thread that already has one keeps it.
class AlternateStack {
 public:
  AlternateStack();
  ~AlternateStack();
  AlternateStack(const AlternateStack&) = delete;
  AlternateStack& operator=(const AlternateStack&) = delete;
};

}  // namespace heddle

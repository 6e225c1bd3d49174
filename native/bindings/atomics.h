// memory.atomic.wait and memory.atomic.notify.
#pragma once
#include "bindings/engine.h"

namespace heddle {

/// They call JavaScript's Atomics by the hooks, so that everybody waits on one list.
void install_atomic_libcalls(Runtime* runtime);

}  // namespace heddle

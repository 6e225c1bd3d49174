// Exceptions: throwing them, and between JavaScript and WebAssembly.
#pragma once
#include "bindings/engine.h"

namespace heddle {

/// Raises an exception from a library call: goes on at its handler, or leaves the innermost entry with what it is to JavaScript pending.
HostResult raise_exception(Engine* engine, VMException* exception);

/// Raises what is pending in JavaScript. Where no handler is around, or none may see it (a trap, a termination), it stays pending: N-API
/// throws it once the export returns, the same object.
HostResult raise_pending(Engine* engine);

void install_exception_libcalls(Runtime* runtime);

}  // namespace heddle

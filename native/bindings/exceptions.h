// Exceptions: throwing them, and between JavaScript and WebAssembly.
#pragma once
#include "bindings/engine.h"

namespace heddle {

/// Raises an exception from a library call: goes on at its handler, or leaves the innermost entry with what it is to JavaScript pending.
HostResult raise_exception(Engine* engine, VMException* exception);

/// The same of a cancellation, which only handlers of every exception see.
HostResult raise_cancellation(Engine* engine);

/// Raises what is pending in JavaScript. Where no handler is around, or none may see it (a trap, a termination), it stays pending: N-API
/// throws it once the export returns, the same object.
HostResult raise_pending(Engine* engine);

/// The exception that a JavaScript value is to WebAssembly; null when it is none (a trap; a failed hook, whose error is pending).
VMException* exception_of(Engine* engine, napi_value value);

/// Throws to JavaScript what an exception that nothing in WebAssembly takes is there.
void throw_exception(Engine* engine, VMException* exception);

/// Throws what hook `keepThrown` has kept.
void throw_kept(Engine* engine);

void install_exception_libcalls(Runtime* runtime);

}  // namespace heddle

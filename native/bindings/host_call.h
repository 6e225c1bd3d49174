// From a fiber into Node.
#pragma once
#include "bindings/engine.h"

namespace heddle {

/// A stretch of a library call in which N-API may be used: the watchdog does not count it as WebAssembly, and the handles it makes are
/// closed at its end.
class HostScope {
 public:
  explicit HostScope(Engine* engine) : engine_(engine), in_wasm_(engine->runtime.thread.in_wasm) {
    __atomic_store_n(&engine_->runtime.thread.in_wasm, 0, __ATOMIC_RELAXED);
    napi_open_handle_scope(engine_->env, &scope_);
  }
  ~HostScope() {
    if (scope_ != nullptr) napi_close_handle_scope(engine_->env, scope_);
    __atomic_store_n(&engine_->runtime.thread.in_wasm, in_wasm_, __ATOMIC_RELAXED);
  }
  HostScope(const HostScope&) = delete;
  HostScope& operator=(const HostScope&) = delete;

 private:
  Engine* engine_;
  uint32_t in_wasm_;
  napi_handle_scope scope_ = nullptr;
};

/// Library call: (VMHostFunction*, slots*).
HostResult call_import(VMThread* thread, uint64_t function, uint64_t slots, uint64_t, uint64_t);

/// The import of the innermost call, which is left for it, has returned with its result in the mailbox, or has thrown: what a library call
/// gives then.
HostResult return_from_import(Engine* engine);
HostResult throw_from_import(Engine* engine, napi_value value);

/// For heddle_wait: (VMHostFunction*) -> VMFiber*.
HostResult wait_import(VMThread* thread, uint64_t function, uint64_t, uint64_t, uint64_t);

}  // namespace heddle

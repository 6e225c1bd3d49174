#include "bindings/host_call.h"

#include "bindings/exceptions.h"
#include "bindings/memory.h"
#include "bindings/values.h"

namespace heddle {

namespace {

/// Calls the JavaScript function; false when an exception is pending.
bool call(Engine* engine, const HostObject* host, uint64_t slots) {
  const std::vector<uint8_t>& params = host->type->params;
  const HostScope scope(engine);
  napi_value nothing = nullptr, result = nullptr;
  napi_get_undefined(engine->env, &nothing);
  ValueList arguments(params.size());
  for (size_t i = 0; i < params.size(); i++) {
    arguments[i] = load_value(engine, params[i], slots + kSlotSize * i);
    if (arguments[i] == nullptr) return false;
  }
  engine->epoch++;
  const napi_status status =
      napi_call_function(engine->env, nothing, engine->value_of(host->callee), params.size(), arguments.data(), &result);
  if (status != napi_ok) return false;
  return store_results(engine, host->type->results, result, slots) && refresh_unguarded(engine);
}

}  // namespace

HostResult call_import(VMThread* thread, uint64_t function, uint64_t slots, uint64_t, uint64_t) {
  Engine* engine = Engine::of(thread);
  const auto* import = at<VMHostFunction>(function);
  engine->runtime.running_import = import;
  const bool returned = call(engine, static_cast<const HostObject*>(import->object), slots);
  engine->runtime.running_import = nullptr;
  return returned ? HostResult{0, nullptr} : raise_pending(engine);
}

}  // namespace heddle

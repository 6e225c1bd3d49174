#include "bindings/host_call.h"

#include "bindings/arguments.h"
#include "bindings/exceptions.h"
#include "bindings/memory.h"
#include "bindings/values.h"
#include "continuation/park.h"

namespace heddle {

namespace {

enum class Outcome { Returned, Waits, Thrown };

/// Calls the JavaScript function.
Outcome call(Engine* engine, const HostObject* host, uint64_t slots) {
  const std::vector<uint8_t>& params = host->type->params;
  const HostScope scope(engine);
  napi_value nothing = nullptr, result = nullptr;
  napi_get_undefined(engine->env, &nothing);
  ValueList arguments(params.size());
  for (size_t i = 0; i < params.size(); i++) {
    arguments[i] = load_value(engine, params[i], slots + kSlotSize * i);
    if (arguments[i] == nullptr) return Outcome::Thrown;
  }
  engine->epoch++;
  const napi_status status =
      napi_call_function(engine->env, nothing, engine->value_of(host->callee), params.size(), arguments.data(), &result);
  if (status != napi_ok) return Outcome::Thrown;
  if (host->suspending && engine->mailbox[kMailboxPark] != 0) {
    engine->mailbox[kMailboxPark] = 0;
    return Outcome::Waits;
  }
  return store_results(engine, host->type->results, result, slots) && refresh_unguarded(engine) ? Outcome::Returned : Outcome::Thrown;
}

/// Throws a SuspendError. It names the import whose JavaScript is in the way, where one is.
void throw_suspend_error(Engine* engine, const HostObject* host, Parking parking) {
  const HostScope scope(engine);
  const VMHostFunction* import = static_cast<const OuterEntry*>(engine->runtime.thread.entry)->import;
  double way = -1;
  if (parking == Parking::Barrier) way = 0;
  if (parking == Parking::HostFrames && import != nullptr) way = import->id;
  napi_value error = call_hook(engine, engine->hooks.suspend_error, {make_number(engine->env, host->vm.id), make_number(engine->env, way)});
  if (error != nullptr) napi_throw(engine->env, error);
}

}  // namespace

HostResult call_import(VMThread* thread, uint64_t function, uint64_t slots, uint64_t, uint64_t) {
  Engine* engine = Engine::of(thread);
  const auto* import = at<VMHostFunction>(function);
  const auto* host = static_cast<const HostObject*>(import->object);
  if (host->suspending) {
    const auto* entry = static_cast<const OuterEntry*>(thread->entry);
    if ((entry->takes & kTakesCancellation) != 0) return raise_trap(thread, Trap::Cancelled);
    // As V8 does it: the function is not even called where it could not wait.
    const Parking parking = can_park(thread);
    if (parking != Parking::Possible) {
      throw_suspend_error(engine, host, parking);
      return raise_pending(engine);
    }
  }
  engine->runtime.running_import = import;
  const Outcome outcome = call(engine, host, slots);
  engine->runtime.running_import = nullptr;
  switch (outcome) {
    case Outcome::Returned:
      return {0, nullptr};
    case Outcome::Waits:
      return park(thread, {address_of(host), slots});
    case Outcome::Thrown:
      break;
  }
  return raise_pending(engine);
}

}  // namespace heddle

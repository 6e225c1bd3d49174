// turn, endTurn, cancelWith: turns of calls with limits (trap/turn.h).
#include "bindings/arguments.h"
#include "trap/turn.h"

namespace heddle {

namespace {

/// Calls a function as a turn, and returns what it does: (id, milliseconds or 0, function).
napi_value turn(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const uint64_t id = in.number(0), deadline = in.deadline(1);
  if (!in) return nullptr;
  napi_value nothing = nullptr, result = nullptr;
  napi_get_undefined(env, &nothing);
  const Turn around(&in.engine()->runtime, id, deadline);
  napi_call_function(env, nothing, in.value(2), 0, nullptr, &result);
  return result;
}

napi_value end_turn(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const uint64_t id = in.number(0), between = in.number(1);
  napi_value result = nullptr;
  if (in) napi_get_boolean(env, Turn::end(&in.engine()->runtime, id, between != 0), &result);
  return result;
}

/// Ends the call that the event loop has gone on with.
napi_value end_running(napi_env env, napi_callback_info info) {
  const Arguments in(env, info);
  napi_value result = nullptr;
  if (in) napi_get_boolean(env, end_entry(&in.engine()->runtime), &result);
  return result;
}

napi_value cancel_with(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  VMTag* tag = in.object<VMTag>(0);
  if (in) in.engine()->cancellation = tag;
  return nullptr;
}

}  // namespace

void define_turn_functions(napi_env env, napi_value exports) {
  define_functions(env, exports, {{"turn", turn}, {"endTurn", end_turn}, {"endRunning", end_running}, {"cancelWith", cancel_with}});
}

}  // namespace heddle

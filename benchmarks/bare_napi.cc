// The least that a call costs where N-API is the way between JavaScript and native code: what benchmarks/call.mjs compares with.
#include <node_api.h>

namespace {

/// add(a, b): the sum of two i32.
napi_value add(napi_env env, napi_callback_info info) {
  napi_value arguments[2], result = nullptr;
  size_t count = 2;
  int32_t a = 0, b = 0;
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  napi_get_value_int32(env, arguments[0], &a);
  napi_get_value_int32(env, arguments[1], &b);
  napi_create_int32(env, static_cast<int32_t>(static_cast<uint32_t>(a) + static_cast<uint32_t>(b)), &result);
  return result;
}

/// calls(n, function): calls a function of two i32 with (sum, n), which gives the next sum, n times.
napi_value calls(napi_env env, napi_callback_info info) {
  napi_value arguments[2], nothing = nullptr, result = nullptr;
  size_t count = 2;
  int32_t n = 0, sum = 0;
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  napi_get_value_int32(env, arguments[0], &n);
  for (; n > 0; n--) {
    napi_handle_scope scope = nullptr;
    napi_value values[2], returned = nullptr;
    napi_open_handle_scope(env, &scope);
    napi_get_undefined(env, &nothing);
    napi_create_int32(env, sum, &values[0]);
    napi_create_int32(env, n, &values[1]);
    if (napi_call_function(env, nothing, arguments[1], 2, values, &returned) != napi_ok) return nullptr;
    napi_get_value_int32(env, returned, &sum);
    napi_close_handle_scope(env, scope);
  }
  napi_create_int32(env, sum, &result);
  return result;
}

}  // namespace

NAPI_MODULE_INIT() {
  napi_value function = nullptr;
  napi_create_function(env, "add", NAPI_AUTO_LENGTH, add, nullptr, &function);
  napi_set_named_property(env, exports, "add", function);
  napi_create_function(env, "calls", NAPI_AUTO_LENGTH, calls, nullptr, &function);
  napi_set_named_property(env, exports, "calls", function);
  return exports;
}

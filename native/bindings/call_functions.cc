// createExport, invoke, invokeRaw: from JavaScript into WebAssembly.
#include <cstring>

#include "bindings/arguments.h"
#include "bindings/values.h"
#include "trap/watchdog.h"

namespace heddle {

namespace {

constexpr uint64_t kNever = ~uint64_t{0};

/// Throws the trap of a call that got no fiber.
bool check_fiber(Engine* engine, const Call& call) {
  if (call) return true;
  throw_trap(engine, call.trap(), {}, call.trap_detail());
  return false;
}

/// Calls with JavaScript values; `arguments` are as many as the type has parameters.
napi_value call_values(Engine* engine, const VMFunction* function, const FunctionType* type, const napi_value* arguments,
                       uint64_t deadline) {
  Call call(&engine->runtime, function);
  if (!check_fiber(engine, call)) return nullptr;
  for (size_t i = 0; i < type->params.size(); i++) {
    if (!store_value(engine, type->params[i], arguments[i], call.slots() + kSlotSize * i)) return nullptr;
  }
  if (!run_call(engine, &call, deadline)) return nullptr;
  return load_results(engine, type->results, call.slots());
}

napi_value call_export(napi_env env, napi_callback_info info) {
  // Two steps, because the number of parameters is in the data: only long lists need the second.
  constexpr size_t kShort = 16;
  napi_value values[kShort];
  size_t count = kShort;
  void* data = nullptr;
  if (napi_get_cb_info(env, info, &count, values, nullptr, &data) != napi_ok) return nullptr;
  const auto* function = static_cast<const VMFunction*>(data);
  Engine* engine = Engine::of(function->context->thread);
  const FunctionType* type = engine->type(function->type);
  const size_t params = type->params.size();
  if (params <= kShort) return call_values(engine, function, type, values, kNever);
  std::vector<napi_value> all(params);
  count = params;
  if (napi_get_cb_info(env, info, &count, all.data(), nullptr, nullptr) != napi_ok) return nullptr;
  return call_values(engine, function, type, all.data(), kNever);
}

const FunctionType* type_of(Arguments* in, const VMFunction* function) {
  const FunctionType* type = *in ? in->engine()->type(function->type) : nullptr;
  if (*in && type == nullptr) in->fail("a function of a defined type");
  return type;
}

napi_value create_export(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const auto* function = in.object<const VMFunction>(0);
  const std::string name = in.text(1);
  type_of(&in, function);
  if (!in) return nullptr;
  napi_value result = nullptr;
  // The JavaScript function that is made of this one holds the VMFunction, so the data is there for as long as anybody can call.
  napi_create_function(env, name.c_str(), name.size(), call_export, const_cast<VMFunction*>(function), &result);
  return result;
}

/// Argument `i` in milliseconds, 0 for none, as the time at which it has passed.
uint64_t deadline_of(Arguments* in, size_t i) {
  double milliseconds = 0;
  if (napi_get_value_double(in->env(), in->value(i), &milliseconds) != napi_ok || !(milliseconds > 0)) return kNever;
  if (milliseconds > 1e12) return kNever;
  return now_nanoseconds() + static_cast<uint64_t>(milliseconds * 1e6);
}

napi_value invoke(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const auto* function = in.object<const VMFunction>(0);
  const FunctionType* type = type_of(&in, function);
  const uint64_t deadline = deadline_of(&in, 2);
  uint32_t given = 0;
  if (in && napi_get_array_length(env, in.value(1), &given) != napi_ok) in.fail("an array");
  if (!in) return nullptr;
  ValueList values(type->params.size());
  for (size_t i = 0; i < type->params.size(); i++) {
    const napi_status status =
        i < given ? napi_get_element(env, in.value(1), static_cast<uint32_t>(i), &values[i]) : napi_get_undefined(env, &values[i]);
    if (status != napi_ok) return nullptr;
  }
  return call_values(in.engine(), function, type, values.data(), deadline);
}

napi_value invoke_raw(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const auto* function = in.object<const VMFunction>(0);
  const Bytes slots = in.bytes(1);
  const uint64_t deadline = deadline_of(&in, 2);
  if (in && slots.size < uint64_t{function->slots} * kSlotSize) in.fail("enough slots");
  if (!in) return nullptr;
  const size_t size = size_t{function->slots} * kSlotSize;
  Call call(&in.engine()->runtime, function);
  if (!check_fiber(in.engine(), call)) return nullptr;
  if (size != 0) std::memcpy(at<void>(call.slots()), slots.data, size);
  if (!run_call(in.engine(), &call, deadline)) return nullptr;
  // JavaScript has run: the array may have been detached meanwhile.
  const Bytes results = in.bytes(1);
  if (in && results.size >= size && size != 0) std::memcpy(results.data, at<void>(call.slots()), size);
  return nullptr;
}

}  // namespace

void define_call_functions(napi_env env, napi_value exports) {
  define_functions(env, exports, {{"createExport", create_export}, {"invoke", invoke}, {"invokeRaw", invoke_raw}});
}

}  // namespace heddle

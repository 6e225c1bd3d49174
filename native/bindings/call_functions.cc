// createExport, createNumberExport, invoke, invokeRaw: from JavaScript into WebAssembly.
#include <cstring>
#include <iterator>

#include "bindings/arguments.h"
#include "bindings/run_call.h"
#include "bindings/values.h"

namespace heddle {

namespace {

constexpr uint64_t kNever = ~uint64_t{0};

/// Throws the trap of a call that got no fiber. Apart, because calls nest on the host stack.
__attribute__((noinline)) void refuse_call(Engine* engine, const Call& call) {
  throw_trap(engine, call.trap(), {}, call.trap_detail());
}

/// Whether the call has a fiber; otherwise its trap is thrown.
inline bool check_fiber(Engine* engine, const Call& call) {
  if (__builtin_expect(static_cast<bool>(call), 1)) return true;
  refuse_call(engine, call);
  return false;
}

/// What an exported function's calls need, at hand: the way to it from the VMFunction alone is long. Freed with the JavaScript function.
struct Export {
  Engine* engine;
  const VMFunction* function;
  const FunctionType* type;
};

/// Puts JavaScript values into a call's slots. False when an exception is pending.
__attribute__((noinline)) bool store_arguments(Engine* engine, const FunctionType* type, const napi_value* arguments, uint64_t slots) {
  for (size_t i = 0; i < type->params.size(); i++) {
    if (!store_value(engine, type->params[i], arguments[i], slots + kSlotSize * i)) return false;
  }
  return true;
}

/// Apart from what runs the call, so that its lists are not on the stack meanwhile.
__attribute__((noinline)) napi_value load_call_results(Engine* engine, const FunctionType* type, uint64_t slots) {
  return load_results(engine, type->results, slots);
}

/// Calls with JavaScript values; `arguments` are as many as the type has parameters.
napi_value call_values(Engine* engine, const VMFunction* function, const FunctionType* type, const napi_value* arguments,
                       uint64_t deadline) {
  Call call(&engine->runtime, function);
  if (!check_fiber(engine, call)) return nullptr;
  if (!store_arguments(engine, type, arguments, call.slots())) return nullptr;
  if (!run_call(engine, &call, deadline)) return nullptr;
  return load_call_results(engine, type, call.slots());
}

/// A call of an exported function of `kParams` parameters: N-API fills a list that is longer than that, one by one.
template <size_t kParams>
napi_value call_export(napi_env env, napi_callback_info info) {
  napi_value values[kParams + 1];
  size_t count = kParams;
  void* data = nullptr;
  if (napi_get_cb_info(env, info, &count, values, nullptr, &data) != napi_ok) return nullptr;
  const auto& [engine, function, type] = *static_cast<const Export*>(data);
  return call_values(engine, function, type, values, kNever);
}

/// The same for any number.
napi_value call_long_export(napi_env env, napi_callback_info info) {
  void* data = nullptr;
  if (napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data) != napi_ok) return nullptr;
  const auto& [engine, function, type] = *static_cast<const Export*>(data);
  size_t count = type->params.size();
  std::vector<napi_value> values(count);
  if (napi_get_cb_info(env, info, &count, values.data(), nullptr, nullptr) != napi_ok) return nullptr;
  return call_values(engine, function, type, values.data(), kNever);
}

/// A call with the values in the mailbox.
napi_value call_number_export(napi_env env, napi_callback_info info) {
  void* data = nullptr;
  if (napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data) != napi_ok) return nullptr;
  const auto& [engine, function, type] = *static_cast<const Export*>(data);
  Call call(&engine->runtime, function);
  if (!check_fiber(engine, call)) return nullptr;
  take_values(engine, call.slots(), type->params.size());
  if (run_call(engine, &call, kNever)) put_values(engine, call.slots(), type->results.size());
  return nullptr;
}

/// What is called for an exported function of so many parameters.
napi_callback export_callback(size_t params) {
  constexpr napi_callback kShort[] = {call_export<0>, call_export<1>, call_export<2>, call_export<3>, call_export<4>,
                                      call_export<5>, call_export<6>, call_export<7>, call_export<8>};
  return params < std::size(kShort) ? kShort[params] : call_long_export;
}

const FunctionType* type_of(Arguments* in, const VMFunction* function) {
  const FunctionType* type = *in ? in->engine()->type(function->type) : nullptr;
  if (*in && type == nullptr) in->fail("a function of a defined type");
  return type;
}

/// A JavaScript function that `callback` is called for, with an Export as its data.
napi_value make_export(Arguments* in, const std::string& name, napi_callback callback) {
  const auto* function = in->object<const VMFunction>(0);
  const FunctionType* type = type_of(in, function);
  if (!*in) return nullptr;
  if (callback == nullptr) callback = export_callback(type->params.size());
  napi_value result = nullptr;
  // The JavaScript function that is made of this one holds the VMFunction, so the data is there for as long as anybody can call.
  auto data = std::make_unique<Export>(Export{in->engine(), function, type});
  if (napi_create_function(in->env(), name.c_str(), name.size(), callback, data.get(), &result) != napi_ok) return nullptr;
  const auto free = [](napi_env, void* freed, void*) { delete static_cast<Export*>(freed); };
  if (napi_add_finalizer(in->env(), result, data.get(), free, nullptr, nullptr) != napi_ok) return nullptr;
  static_cast<void>(data.release());
  return result;
}

napi_value create_export(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const std::string name = in.text(1);
  return make_export(&in, name, nullptr);
}

napi_value create_number_export(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  return make_export(&in, {}, call_number_export);
}

napi_value invoke(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const auto* function = in.object<const VMFunction>(0);
  const FunctionType* type = type_of(&in, function);
  const uint64_t deadline = in.deadline(2);
  uint32_t given = 0;
  if (in && napi_get_array_length(env, in.value(1), &given) != napi_ok) in.fail("an array");
  if (!in) return nullptr;
  ValueList values(type->params.size());
  for (size_t i = 0; i < type->params.size(); i++) {
    const napi_status status =
        // asks: a list of TypeScript's that has so many elements.
        i < given ? napi_get_element(env, in.value(1), static_cast<uint32_t>(i), &values[i]) : napi_get_undefined(env, &values[i]);
    if (status != napi_ok) return nullptr;
  }
  return call_values(in.engine(), function, type, values.data(), deadline);
}

napi_value invoke_raw(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const auto* function = in.object<const VMFunction>(0);
  const Bytes slots = in.bytes(1);
  const uint64_t deadline = in.deadline(2);
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
  define_functions(
      env, exports,
      {{"createExport", create_export}, {"createNumberExport", create_number_export}, {"invoke", invoke}, {"invokeRaw", invoke_raw}});
}

}  // namespace heddle

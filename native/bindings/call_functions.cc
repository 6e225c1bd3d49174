// createExport, createNumberExport, goOn, goOnThrown, abandon, invoke, invokeRaw: from JavaScript into WebAssembly.
#include <cstring>
#include <iterator>

#include "bindings/arguments.h"
#include "bindings/exceptions.h"
#include "bindings/host_call.h"
#include "bindings/run_call.h"
#include "bindings/values.h"

namespace heddle {

namespace {

constexpr uint64_t kNever = ~uint64_t{0};

/// Throws the trap of a call that got no fiber. Apart, because calls nest on the host stack.
__attribute__((noinline)) void refuse_call(Engine* engine, const Call& call) {
  throw_trap(engine, call.trap(), {}, call.trap_detail());
}

/// Whether the function throws this time, instead of being called: then that is done.
inline bool throws_instead(Engine* engine, const VMFunction* function) {
  if (__builtin_expect(engine->throws_again != function, 1)) return false;
  throw_kept(engine);
  return true;
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
  if (throws_instead(engine, function)) return nullptr;
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

/// More than the frames of JavaScript that waits for an import can have shrunk by, as V8 optimized them.
constexpr uint64_t kSurelyOver = 4096;

/// A stretch of a call with the values in the mailbox has come to its end.
inline void end_number_call(Engine* engine, Call* call, const VMFunction* function, Entry::Ending ending) {
  if (ending == Entry::Ending::Outside) {
    call->let_go(function);
    return;
  }
  engine->mailbox()[kMailboxOutside] = 0;
  if (__builtin_expect(ending == Entry::Ending::Returned, 1)) {
    put_values(engine, call->slots(), engine->type(function->type)->results.size());
  } else {
    fail_call(engine, *call, ending);
  }
}

/// A call with the values in the mailbox.
napi_value call_number_export(napi_env env, napi_callback_info info) {
  void* data = nullptr;
  if (napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data) != napi_ok) return nullptr;
  const auto& [engine, function, type] = *static_cast<const Export*>(data);
  if (throws_instead(engine, function)) return nullptr;
  Call call(&engine->runtime, function);
  if (!check_fiber(engine, call)) return nullptr;
  if (engine->calls_outside) call.go_outside();
  take_values(engine, call.slots(), type->params.size());
  end_number_call(engine, &call, function, start_call(engine, &call, kNever));
  return nullptr;
}

/// The innermost call that is left; null, with an error thrown, where it is none.
EntryFiber* left_call(Engine* engine) {
  EntryFiber* entry = Call::outside(&engine->runtime);
  if (entry == nullptr) napi_throw_error(engine->env, "HEDDLE_INTERNAL", "no call was left for an import");
  return entry;
}

/// Goes on with it as a library call would that gave `result`; what comes of it is in the mailbox, or an exception is pending.
void go_on_with(Engine* engine, EntryFiber* entry, const HostResult& result) {
  Call call(&engine->runtime, entry);
  const VMFunction* const function = call.function();
  const CallScope scope(&call);
  const uint64_t payload = read_halves(engine->mailbox() + kMailboxValues);
  end_number_call(engine, &call, function, __builtin_expect(result.raise == nullptr, 1) ? call.go_on(payload) : call.go_on_raised());
}

/// The import has returned.
napi_value go_on(napi_env env, napi_callback_info) {
  Engine* const engine = Engine::of(env);
  EntryFiber* const entry = left_call(engine);
  if (entry == nullptr) return nullptr;
  engine->epoch++;
  go_on_with(engine, entry, return_from_import(engine));
  return nullptr;
}

/// The import has thrown the argument.
napi_value go_on_thrown(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  Engine* const engine = in.engine();
  EntryFiber* const entry = left_call(engine);
  if (entry == nullptr) return nullptr;
  engine->epoch++;
  go_on_with(engine, entry, throw_from_import(engine, in.value(0)));
  return nullptr;
}

/// Gives up so many of the innermost calls that are left: their imports were terminated. With a mark only those whose imports can no longer
/// be on the stack.
napi_value abandon(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const uint64_t count = in.number(0), over = in.number(1);
  // SAFETY: a number is made.
  const uint64_t here = reinterpret_cast<uint64_t>(__builtin_frame_address(0));
  if (!in) return nullptr;
  for (uint64_t i = 0; i < count; i++) {
    EntryFiber* const entry = left_call(in.engine());
    if (entry == nullptr) return nullptr;
    if (over != 0 && here < entry->entry.left_host_sp + kSurelyOver) return nullptr;
    Call(&in.engine()->runtime, entry).abandon();
  }
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
  define_functions(env, exports,
                   {{"createExport", create_export},
                    {"createNumberExport", create_number_export},
                    {"goOn", go_on},
                    {"goOnThrown", go_on_thrown},
                    {"abandon", abandon},
                    {"invoke", invoke},
                    {"invokeRaw", invoke_raw}});
}

}  // namespace heddle

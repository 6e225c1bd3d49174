// reserveCode, addCode; and what happens when a function is called that is not made yet.
#include "bindings/lazy_functions.h"
#include "bindings/code_tables.h"
#include "bindings/host_call.h"
#include "code/lazy_code.h"
#include "code/slots.h"
#include "trap/interrupt.h"
#include "trap/watchdog.h"

namespace heddle {

namespace {

napi_value reserve_code(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const uint64_t first = in.number(0), count = in.number(1), room = in.number(2);
  const auto* types = in ? in.engine()->object_at<TypeList>(ObjectKind::Types, in.number(3)) : nullptr;
  if (in && types == nullptr) in.fail("a module's types");
  if (in && (first > INT32_MAX || count > INT32_MAX - first || room > INT32_MAX)) in.fail("a number of functions");
  if (!in) return nullptr;
  Codes& codes = in.engine()->heap.codes;
  auto made = LazyCode::reserve(codes.next_id(), static_cast<uint32_t>(first), static_cast<uint32_t>(count), room);
  napi_value result = nullptr;
  napi_get_undefined(env, &result);
  if (made == nullptr) return result;
  made->set_types(address_of(types));
  Code* code = codes.add(std::move(made));
  if (code == nullptr) return result;
  napi_create_object(env, &result);
  set_property(env, result, "id", make_number(env, code->id()));
  set_property(env, result, "base", make_number(env, static_cast<double>(code->base())));
  set_property(env, result, "slots", make_number(env, code->lazy()->slots()));
  set_property(env, result, "slotSize", make_number(env, kSlotBytes));
  set_property(env, result, "next", make_number(env, static_cast<double>(code->lazy()->next())));
  return result;
}

napi_value add_code(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const uint64_t id = in.number(0);
  const Bytes bytes = in.bytes(1);
  Bytes words[6];
  for (size_t i = 0; i < 6; i++) words[i] = in.words(i + 2, napi_int32_array);
  const CodeTables tables = {words_of(words[0]), words_of(words[1]), words_of(words[2]),
                             words_of(words[3]), words_of(words[4]), words_of(words[5])};
  const bool stubs = in.number(8) != 0;
  Code* code = in ? in.engine()->heap.codes.find(static_cast<int32_t>(id)) : nullptr;
  LazyCode* lazy = code == nullptr ? nullptr : code->lazy();
  if (in && lazy == nullptr) in.fail("code that grows");
  if (!in) return nullptr;
  for (size_t i = 0; i + 3 <= tables.functions.count; i += 3) {
    const auto offset = static_cast<uint32_t>(tables.functions.data[i + 1]), size = static_cast<uint32_t>(tables.functions.data[i + 2]);
    if (offset > bytes.size || size > bytes.size - offset) in.fail("functions inside the code");
  }
  if (in && stubs && bytes.size < kStubSize) in.fail("room for the stubs");
  if (!in) return nullptr;
  if (!lazy->add(bytes.data, bytes.size, tables, stubs)) {
    napi_throw_range_error(env, "HEDDLE_MEMORY", "there is no memory for machine code");
    return nullptr;
  }
  return make_number(env, static_cast<double>(lazy->next()));
}

/// Has TypeScript make a function; false, with an exception pending, where it could not.
__attribute__((noinline)) bool have_made(Engine* engine, const Code* code, uint64_t number) {
  const HostScope scope(engine);
  const uint64_t ran = engine->epoch + engine->runtime.entries.load(std::memory_order_relaxed);
  napi_value has_run = nullptr;
  napi_get_boolean(engine->env, ran != engine->made_after, &has_run);
  // A call at its very beginning: nothing is to hibernate or to be collected meanwhile, though its arguments would be found.
  engine->runtime.no_collection++;
  const bool made =
      call_hook(engine, engine->hooks.make_function,
                {make_number(engine->env, code->id()), make_number(engine->env, static_cast<double>(number)), has_run}) != nullptr;
  engine->runtime.no_collection--;
  engine->made_after = ran;
  return made;
}

HostResult make_function(VMThread* thread, uint64_t instance, uint64_t number, uint64_t, uint64_t) {
  Engine* engine = Engine::of(thread);
  Runtime* runtime = &engine->runtime;
  const auto* object = static_cast<const InstanceObject*>(at<VMInstance>(instance)->data);
  LazyCode* code = engine->heap.codes.find(object->code->id())->lazy();
  HostResult ended{0, nullptr};
  if (interrupted(thread, &ended)) return ended;
  if (!runtime->has_host_room()) return raise_trap(thread, Trap::StackOverflow, kHostStack);
  if (!have_made(engine, code, number)) return raise_error(thread);
  if (interrupted(thread, &ended)) return ended;
  // It is looked at only now: a compile is not stopped in the middle by a time that is the call's.
  if (runtime->deadline.load() <= now_nanoseconds()) return raise_trap(thread, Trap::Deadline);
  return {code->target(static_cast<uint32_t>(number)), nullptr};
}

}  // namespace

void install_lazy_libcalls(Runtime* runtime) {
  runtime->set_libcall(Libcall::MakeFunction, make_function);
}

void define_lazy_functions(napi_env env, napi_value exports) {
  define_functions(env, exports, {{"reserveCode", reserve_code}, {"addCode", add_code}});
}

}  // namespace heddle

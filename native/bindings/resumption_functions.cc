// createStarter, contNew, contBind, contResume, contThrow, contDrop, settle, canSuspend: continuations in the host's hands. What comes with
// a result goes by the mailbox (LIMITS of contract/abi.ts).
#include "bindings/arguments.h"
#include "bindings/exceptions.h"
#include "bindings/memory.h"
#include "bindings/values.h"
#include "continuation/park.h"
#include "trap/resumption.h"
#include "trap/unwind.h"

namespace heddle {

namespace {

constexpr uint64_t kNever = ~uint64_t{0};

/// Puts a record into the mailbox and among those that the host holds.
void hand_out(Engine* engine, VMContinuation* record, uint32_t ending) {
  engine->mailbox[kMailboxEnding] = ending;
  engine->mailbox[kMailboxIndex] = record->index;
  engine->mailbox[kMailboxGeneration] = static_cast<double>(record->generation);
  engine->runtime.records.hold(record);
}

/// Takes the values of a suspension, or null with an exception pending.
napi_value load_all(Engine* engine, const std::vector<uint8_t>& kinds, uint64_t slots) {
  napi_value list = nullptr;
  if (napi_create_array_with_length(engine->env, kinds.size(), &list) != napi_ok) return nullptr;
  for (size_t i = 0; i < kinds.size(); i++) {
    napi_value value = load_value(engine, kinds[i], slots + kSlotSize * i);
    if (value == nullptr || napi_set_element(engine->env, list, static_cast<uint32_t>(i), value) != napi_ok) return nullptr;
  }
  return list;
}

/// Goes on with a consumed continuation. What comes of it is in the mailbox and the result: the function's results, or the list of a
/// suspension's values, or nothing.
napi_value go_on(Engine* engine, Resumption* resumption, uint64_t payload, uint64_t deadline) {
  engine->epoch++;
  if (!refresh_unguarded(engine)) {
    engine->runtime.drop(resumption->record());
    return nullptr;
  }
  const Entry::Ending ending = resumption->run(payload, deadline);
  VMContinuation* record = resumption->record();
  switch (ending) {
    case Entry::Ending::Returned: {
      engine->mailbox[kMailboxEnding] = kEndingReturned;
      napi_value results = load_results(engine, engine->type(record->function->type)->results, record->slots);
      engine->runtime.release_continuation(record);
      return results;
    }
    case Entry::Ending::Suspended: {
      napi_value values = load_all(engine, engine->type(resumption->suspension()->type)->params, record->slots);
      if (values == nullptr) {
        engine->runtime.drop(record);
        return nullptr;
      }
      engine->mailbox[kMailboxTag] = static_cast<double>(address_of(resumption->suspension()));
      hand_out(engine, record, kEndingSuspended);
      return values;
    }
    case Entry::Ending::Parked:
      hand_out(engine, record, kEndingParked);
      return nullptr;
    case Entry::Ending::Trapped:
      throw_ending(engine, *resumption);
      return nullptr;
    case Entry::Ending::Failed:
      break;
  }
  return nullptr;
}

/// A record for a function that nothing runs yet; null with an exception pending.
VMContinuation* make_record(Engine* engine, const VMFunction* function) {
  VMContinuation* record = engine->runtime.records.allocate(function->slots);
  if (record == nullptr) {
    throw_trap(engine, Trap::TooManyStacks, {}, kNever);
    return nullptr;
  }
  // SAFETY: a VMFunction is never changed through a record.
  record->function = const_cast<VMFunction*>(function);
  return record;
}

/// Calls an exported function so that it may be set aside.
napi_value start(napi_env env, napi_callback_info info) {
  constexpr size_t kShort = 16;
  napi_value values[kShort];
  size_t count = kShort;
  void* data = nullptr;
  if (napi_get_cb_info(env, info, &count, values, nullptr, &data) != napi_ok) return nullptr;
  const auto* object = static_cast<const ExportObject*>(data);
  Engine* engine = object->engine;
  const std::vector<uint8_t>& params = object->type->params;
  std::vector<napi_value> all;
  napi_value* arguments = values;
  if (params.size() > kShort) {
    count = params.size();
    all.resize(count);
    if (napi_get_cb_info(env, info, &count, all.data(), nullptr, nullptr) != napi_ok) return nullptr;
    arguments = all.data();
  }
  VMContinuation* record = make_record(engine, object->function);
  if (record == nullptr) return nullptr;
  for (size_t i = 0; i < params.size(); i++) {
    if (store_value(engine, params[i], arguments[i], record->slots + kSlotSize * i)) continue;
    engine->runtime.drop(record);
    return nullptr;
  }
  record->generation++;
  Resumption resumption(&engine->runtime, record, kTakesPromises);
  return go_on(engine, &resumption, address_of(record), kNever);
}

napi_value create_starter(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const auto* function = in.object<const VMFunction>(0);
  const FunctionType* type = in ? in.engine()->type(function->type) : nullptr;
  if (in && type == nullptr) in.fail("a function of a defined type");
  if (!in) return nullptr;
  ExportObject& object = in.engine()->exports.emplace_back(ExportObject{in.engine(), function, type});
  napi_value result = nullptr;
  napi_create_function(env, nullptr, 0, start, &object, &result);
  return result;
}

/// The record that the first two arguments (index, generation) name, which the host holds; null, with nothing thrown, where the handle is
/// stale.
VMContinuation* find(Arguments* in) {
  const uint64_t index = in->number(0), generation = in->number(1);
  if (!*in) return nullptr;
  VMContinuation* record = in->engine()->runtime.records.find(index);
  return record != nullptr && record->generation == generation ? record : nullptr;
}

/// Consumes the handle of the first two arguments; null, with an error thrown, where it is stale.
VMContinuation* take(Arguments* in) {
  VMContinuation* record = find(in);
  if (record == nullptr) {
    if (*in) throw_trap(in->engine(), Trap::ContinuationConsumed, {}, kNever);
    return nullptr;
  }
  in->engine()->runtime.records.let_go(record);
  record->generation++;
  return record;
}

/// Stores values behind those that are bound: argument `kinds` says their kinds. False with an exception pending.
bool append(Arguments* in, VMContinuation* record, const Bytes& kinds, napi_value values) {
  Engine* engine = in->engine();
  const auto total = static_cast<uint32_t>(record->count + kinds.size);
  if (!Records::reserve(record, total)) {
    throw_trap(engine, Trap::OutOfMemory, {}, kNever);
    return false;
  }
  for (uint32_t i = 0; i < kinds.size; i++) {
    napi_value value = nullptr;
    if (napi_get_element(in->env(), values, i, &value) != napi_ok) return false;
    if (!store_value(engine, kinds.data[i], value, record->slots + uint64_t{kSlotSize} * (record->count + i))) return false;
  }
  return true;
}

napi_value cont_new(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const auto* function = in.object<const VMFunction>(0);
  VMContinuation* record = in ? make_record(in.engine(), function) : nullptr;
  if (record != nullptr) hand_out(in.engine(), record, kEndingSuspended);
  return nullptr;
}

napi_value cont_bind(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const Bytes kinds = in.bytes(2);
  VMContinuation* record = in ? take(&in) : nullptr;
  if (record == nullptr) return nullptr;
  Engine* engine = in.engine();
  const bool stored = append(&in, record, kinds, in.value(3));
  if (stored) record->count += static_cast<uint32_t>(kinds.size);
  if (record->generation == kLastGeneration) record = engine->runtime.records.renew(record);
  if (record == nullptr) {
    throw_trap(engine, Trap::TooManyStacks, {}, kNever);
    return nullptr;
  }
  hand_out(engine, record, kEndingSuspended);
  return nullptr;
}

napi_value cont_resume(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const Bytes kinds = in.bytes(2);
  const auto takes = static_cast<uint32_t>(in.number(4));
  VMContinuation* record = in ? take(&in) : nullptr;
  if (record == nullptr) return nullptr;
  Engine* engine = in.engine();
  if (!append(&in, record, kinds, in.value(3))) {
    engine->runtime.drop(record);
    return nullptr;
  }
  Resumption resumption(&engine->runtime, record, takes);
  return go_on(engine, &resumption, address_of(record), kNever);
}

/// Throws an exception into a consumed continuation.
napi_value throw_into(Engine* engine, VMContinuation* record, VMException* exception, uint32_t takes) {
  Resumption resumption(&engine->runtime, record, takes);
  if (!resumption.aim(exception)) {
    throw_exception(engine, exception);
    return nullptr;
  }
  return go_on(engine, &resumption, address_of(exception), kNever);
}

napi_value cont_throw(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  auto* exception = in.object<VMException>(2);
  const auto takes = static_cast<uint32_t>(in.number(3));
  VMContinuation* record = in ? take(&in) : nullptr;
  return record == nullptr ? nullptr : throw_into(in.engine(), record, exception, takes);
}

/// Gives a continuation up. False where somebody used it meanwhile.
napi_value cont_drop(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  VMContinuation* record = find(&in);
  if (!in) return nullptr;
  if (record != nullptr) in.engine()->runtime.drop(record);
  napi_value result = nullptr;
  napi_get_boolean(env, record != nullptr, &result);
  return result;
}

/// What a parked continuation waits for is there: (index, generation, failed, value, takes).
napi_value settle(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const auto takes = static_cast<uint32_t>(in.number(4));
  bool failed = false;
  napi_get_value_bool(env, in.value(2), &failed);
  VMContinuation* record = find(&in);
  if (record != nullptr && record->state != static_cast<uint32_t>(State::Parked)) record = nullptr;
  if (!in || record == nullptr) {
    in.fail("a parked continuation");
    return nullptr;
  }
  Engine* engine = in.engine();
  // What park() noted: the import and the address of its slots, in a frame of the innermost fiber.
  const auto* host = at<const HostObject>(at<uint64_t>(record->slots)[0]);
  const uint64_t slots = at<uint64_t>(record->slots)[1];
  engine->runtime.records.let_go(record);
  record->generation++;
  napi_value reason = in.value(3);
  if (!failed && store_results(engine, host->type->results, reason, slots)) {
    Resumption resumption(&engine->runtime, record, takes);
    return go_on(engine, &resumption, 0, kNever);
  }
  // A value that does not fit is an error of the import, as where it returns one.
  if (!failed && napi_get_and_clear_last_exception(env, &reason) != napi_ok) {
    engine->runtime.drop(record);
    return nullptr;
  }
  // Where no handler of any tag is around the value need not become an exception.
  Landing landing;
  VMException* exception = find_landing(suspended_site(record), nullptr, &landing) ? exception_of(engine, reason) : nullptr;
  if (exception == nullptr) {
    engine->runtime.drop(record);
    bool pending = false;
    if (napi_is_exception_pending(env, &pending) == napi_ok && !pending) napi_throw(env, reason);
    return nullptr;
  }
  return throw_into(engine, record, exception, takes);
}

/// Whether an import that is called now may wait for a promise: for JavaScript that an import runs, of that import's caller.
napi_value can_suspend(napi_env env, napi_callback_info) {
  napi_value result = nullptr;
  const Runtime& runtime = Engine::of(env)->runtime;
  napi_get_boolean(env, runtime.running_import != nullptr && can_park(&runtime.thread) == Parking::Possible, &result);
  return result;
}

}  // namespace

void define_resumption_functions(napi_env env, napi_value exports) {
  define_functions(env, exports,
                   {{"createStarter", create_starter},
                    {"contNew", cont_new},
                    {"contBind", cont_bind},
                    {"contResume", cont_resume},
                    {"contThrow", cont_throw},
                    {"contDrop", cont_drop},
                    {"settle", settle},
                    {"canSuspend", can_suspend}});
}

}  // namespace heddle

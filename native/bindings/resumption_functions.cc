// start, settle, settleThrow, contNew, contClone, contBind, contResume, contThrow, contDrop, canSuspend: continuations in the host's hands.
// What goes with a resumption, both ways, lies in the mailbox (LIMITS of contract/abi.ts), so that a call from JavaScript carries no
// values.
#include <cstring>

#include "bindings/arguments.h"
#include "bindings/exceptions.h"
#include "bindings/memory.h"
#include "continuation/park.h"
#include "heap/exceptions.h"
#include "trap/resumption.h"
#include "trap/unwind.h"

namespace heddle {

namespace {

constexpr uint64_t kNever = ~uint64_t{0};

/// TypeScript writes the lower half of a word alone.
uint32_t mailbox_number(const Engine* engine, uint32_t word) {
  return static_cast<uint32_t>(engine->mailbox()[word]);
}

/// Puts a record into the mailbox and among those that the host holds.
void hand_out(const Engine* engine, VMContinuation* record, uint32_t ending) {
  uint64_t* const mailbox = engine->mailbox();
  mailbox[kMailboxEnding] = ending;
  mailbox[kMailboxIndex] = record->index;
  mailbox[kMailboxGeneration] = record->generation;
  Records::hold(record);
}

/// Goes on with a consumed continuation. What comes of it is in the mailbox, or an exception is pending. The result is for the callback to
/// return: nothing.
napi_value resume(Engine* engine, VMContinuation* record, uint64_t payload) {
  engine->epoch++;
  if (!refresh_unguarded(engine)) {
    engine->runtime.drop(record);
    return nullptr;
  }
  Resumption resumption(&engine->runtime, record, mailbox_number(engine, kMailboxTakes));
  const Entry::Ending ending = resumption.run(payload);
  record = resumption.record();
  switch (ending) {
    case Entry::Ending::Returned:
      put_values(engine, record->slots, engine->type(record->function->type)->results.size());
      engine->mailbox()[kMailboxEnding] = kEndingReturned;
      engine->runtime.release_continuation(record);
      break;
    case Entry::Ending::Suspended:
      put_values(engine, record->slots, engine->type(resumption.suspension()->type)->params.size());
      engine->mailbox()[kMailboxTag] = address_of(resumption.suspension());
      hand_out(engine, record, kEndingSuspended);
      break;
    case Entry::Ending::Parked:
      hand_out(engine, record, kEndingParked);
      break;
    case Entry::Ending::Trapped:
      if (record != nullptr) hand_out(engine, record, kEndingRefused);
      throw_ending(engine, resumption);
      break;
    case Entry::Ending::Failed:
    case Entry::Ending::Outside:  // Only exports are left so.
      break;
  }
  return nullptr;
}

/// Throws the trap of a version that cannot go on now.
void throw_refused(Engine* engine, uint64_t refused) {
  throw_trap(engine, refused == kRefusedActive ? Trap::SnapshotActive : Trap::TooManyStacks, {}, refused);
}

/// Throws an exception into a consumed continuation.
napi_value throw_into(Engine* engine, VMContinuation* record, VMException* exception) {
  take_parked_words(record);
  uint64_t refused = 0;
  switch (aim(&engine->runtime, record, exception, &refused)) {
    case Aimed::Yes:
      return resume(engine, record, address_of(exception));
    case Aimed::No:
      throw_exception(engine, exception);
      break;
    case Aimed::Refused:
      release_exception(&engine->heap.blocks, exception);
      hand_out(engine, record, kEndingRefused);
      throw_refused(engine, refused);
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

/// What a starter is: its function is in the data, its arguments in the mailbox.
napi_value start(napi_env env, napi_callback_info info) {
  void* data = nullptr;
  if (napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data) != napi_ok) return nullptr;
  const auto* function = static_cast<const VMFunction*>(data);
  Engine* engine = Engine::of(function->context->thread);
  VMContinuation* record = make_record(engine, function);
  if (record == nullptr) return nullptr;
  take_values(engine, record->slots, engine->type(function->type)->params.size());
  record->generation++;
  return resume(engine, record, address_of(record));
}

napi_value create_starter(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const auto* function = in.object<const VMFunction>(0);
  const FunctionType* type = in ? in.engine()->type(function->type) : nullptr;
  if (in && type == nullptr) in.fail("a function of a defined type");
  if (!in) return nullptr;
  napi_value result = nullptr;
  // The starter holds the VMFunction, as an export does.
  napi_create_function(env, nullptr, 0, start, const_cast<VMFunction*>(function), &result);
  return result;
}

/// The record that the mailbox names; null where the handle is stale.
VMContinuation* find(Engine* engine) {
  VMContinuation* record = engine->runtime.records.find(mailbox_number(engine, kMailboxIndex));
  return record != nullptr && record->generation == read_halves(&engine->mailbox()[kMailboxGeneration]) ? record : nullptr;
}

/// Consumes the handle in the mailbox; null, with an error thrown, where it is stale.
VMContinuation* take(Engine* engine) {
  VMContinuation* record = find(engine);
  if (record == nullptr) {
    throw_trap(engine, Trap::ContinuationConsumed, {}, kNever);
    return nullptr;
  }
  Records::let_go(record);
  record->generation++;
  return record;
}

/// Stores the mailbox's values behind those that are bound. False with an exception pending.
bool append(Engine* engine, VMContinuation* record) {
  const uint32_t count = mailbox_number(engine, kMailboxCount);
  if (!Records::reserve(record, record->count + count)) {
    throw_trap(engine, Trap::OutOfMemory, {}, kNever);
    return false;
  }
  take_values(engine, record->slots + uint64_t{kSlotSize} * record->count, count);
  return true;
}

napi_value cont_new(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const auto* function = in.object<const VMFunction>(0);
  VMContinuation* record = in ? make_record(in.engine(), function) : nullptr;
  if (record != nullptr) hand_out(in.engine(), record, kEndingSuspended);
  return nullptr;
}

/// A second continuation in the state of the one that the mailbox names, which is fresh or suspended.
napi_value cont_clone(napi_env env, napi_callback_info) {
  Engine* engine = Engine::of(env);
  VMContinuation* source = find(engine);
  const bool parked = source != nullptr && source->state == static_cast<uint32_t>(State::Parked);
  if (source == nullptr || parked) {
    throw_trap(engine, Trap::ContinuationConsumed, {}, kNever);
    return nullptr;
  }
  uint64_t refused = 0;
  VMContinuation* made = engine->runtime.clone_continuation(source, handle_of(source), &refused);
  if (made != nullptr) {
    hand_out(engine, made, kEndingSuspended);
  } else if (refused > kRefusedShadow) {
    throw_trap(engine, Trap::ShadowStack, {}, refused - kRefusedShadow);
  } else {
    throw_trap(engine, Trap::TooManyStacks, {}, refused);
  }
  return nullptr;
}

napi_value cont_bind(napi_env env, napi_callback_info) {
  Engine* engine = Engine::of(env);
  VMContinuation* record = take(engine);
  if (record == nullptr) return nullptr;
  if (!append(engine, record)) {
    engine->runtime.drop(record);
    return nullptr;
  }
  record->count += mailbox_number(engine, kMailboxCount);
  if (record->generation == kLastGeneration) {
    VMContinuation* fresh = engine->runtime.records.renew(record);
    if (fresh == nullptr) {
      engine->runtime.drop(record);
      throw_trap(engine, Trap::TooManyStacks, {}, kNever);
      return nullptr;
    }
    record = fresh;
  }
  hand_out(engine, record, kEndingSuspended);
  return nullptr;
}

napi_value cont_resume(napi_env env, napi_callback_info) {
  Engine* engine = Engine::of(env);
  VMContinuation* record = take(engine);
  if (record == nullptr) return nullptr;
  if (append(engine, record)) return resume(engine, record, address_of(record));
  engine->runtime.drop(record);
  return nullptr;
}

napi_value cont_throw(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  auto* exception = in.object<VMException>(0);
  VMContinuation* record = in ? take(in.engine()) : nullptr;
  return record == nullptr ? nullptr : throw_into(in.engine(), record, exception);
}

/// Gives a continuation up. False where somebody used it meanwhile.
napi_value cont_drop(napi_env env, napi_callback_info) {
  Engine* engine = Engine::of(env);
  VMContinuation* record = find(engine);
  if (record != nullptr) engine->runtime.drop(record);
  napi_value result = nullptr;
  napi_get_boolean(env, record != nullptr, &result);
  return result;
}

/// Consumes the parked continuation that the mailbox names, which is awake then; null, with an error thrown, where there is none.
inline VMContinuation* take_parked(Engine* engine) {
  VMContinuation* record = find(engine);
  if (record == nullptr || record->state != static_cast<uint32_t>(State::Parked)) {
    napi_throw_type_error(engine->env, "HEDDLE_INTERNAL", "the addon was not given a parked continuation");
    return nullptr;
  }
  if (const uint64_t refused = engine->runtime.wake_or_reclaim(record, {address_of(record)})) {
    // Another version runs where it would go on, and waits in JavaScript that settles this one.
    engine->runtime.drop(record);
    throw_refused(engine, refused);
    return nullptr;
  }
  Records::let_go(record);
  record->generation++;
  return record;
}

/// The results of the import that a continuation is parked in are in the mailbox.
napi_value settle(napi_env env, napi_callback_info) {
  Engine* engine = Engine::of(env);
  VMContinuation* record = take_parked(engine);
  if (record == nullptr) return nullptr;
  // The import, and the address of its slots, in a frame of the innermost fiber (call_suspending in host_call.cc); none where it waits in
  // heddle_wait, which returns the payload.
  const auto [words] = take_parked_words(record);
  if (words[1] == 0) return resume(engine, record, read_halves(engine->mailbox() + kMailboxValues));
  take_values(engine, words[1], at<const HostObject>(words[0])->type->results.size());
  return resume(engine, record, 0);
}

/// That import throws the argument.
napi_value settle_throw(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  Engine* engine = in.engine();
  VMContinuation* record = in ? take_parked(engine) : nullptr;
  if (record == nullptr) return nullptr;
  // Where no handler of any tag is around the value need not become an exception.
  Landing landing;
  VMException* exception = find_landing(suspended_site(record), nullptr, &landing) ? exception_of(engine, in.value(0)) : nullptr;
  if (exception != nullptr) return throw_into(engine, record, exception);
  engine->runtime.drop(record);
  bool pending = false;
  if (napi_is_exception_pending(env, &pending) == napi_ok && !pending) napi_throw(env, in.value(0));
  return nullptr;
}

/// Whether the import whose JavaScript runs could wait for a promise; undefined where none runs that was called from here.
napi_value can_suspend(napi_env env, napi_callback_info) {
  napi_value result = nullptr;
  const Runtime& runtime = Engine::of(env)->runtime;
  if (runtime.running_import != nullptr) napi_get_boolean(env, can_park(&runtime.thread) == Parking::Possible, &result);
  return result;
}

}  // namespace

void define_resumption_functions(napi_env env, napi_value exports) {
  define_functions(env, exports,
                   {{"createStarter", create_starter},
                    {"contNew", cont_new},
                    {"contClone", cont_clone},
                    {"contBind", cont_bind},
                    {"contResume", cont_resume},
                    {"contThrow", cont_throw},
                    {"contDrop", cont_drop},
                    {"settle", settle},
                    {"settleThrow", settle_throw},
                    {"canSuspend", can_suspend}});
}

}  // namespace heddle

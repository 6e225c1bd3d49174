#include "bindings/host_call.h"

#include <optional>

#include "bindings/arguments.h"
#include "bindings/exceptions.h"
#include "bindings/memory.h"
#include "bindings/values.h"
#include "continuation/park.h"
#include "trap/interrupt.h"
#include "trap/turn.h"

namespace heddle {

namespace {

/// False, with an error thrown, where the function was given up.
bool check_callee(const Engine* engine, const HostObject* host) {
  if (host->callee != nullptr) return true;
  napi_throw_error(engine->env, "HEDDLE_DISPOSED", "the import belongs to an instance that was disposed of");
  return false;
}

/// Calls a function of TypeScript's that has its arguments and leaves its result in the mailbox; false when an exception is pending.
__attribute__((always_inline)) inline bool call_with_mailbox(Engine* engine, const HostObject* host) {
  engine->epoch++;
  // It takes no notice of `this`.
  const napi_value callee = engine->value_of(host->callee);
  if (napi_call_function(engine->env, callee, callee, 0, nullptr, nullptr) != napi_ok) return false;
  return refresh_unguarded(engine);
}

/// The same for an import of few numbers, in a scope of its own.
__attribute__((noinline)) bool call_numbers_apart(Engine* engine, const HostObject* host) {
  const HostScope scope(engine);
  return check_callee(engine, host) && call_with_mailbox(engine, host);
}

/// The same, in its call's scope where it is of the innermost.
inline bool call_numbers(Engine* engine, const HostObject* host) {
  VMThread* thread = &engine->runtime.thread;
  auto* entry = static_cast<OuterEntry*>(thread->entry);
  if (host->callee == nullptr || !entry->shares_scope) return call_numbers_apart(engine, host);
  __atomic_store_n(&thread->in_wasm, 0, __ATOMIC_RELAXED);
  CallScope::next(&engine->runtime, entry);
  const bool returned = call_with_mailbox(engine, host);
  // Generated code has called.
  __atomic_store_n(&thread->in_wasm, 1, __ATOMIC_RELAXED);
  return returned;
}

/// Calls the JavaScript function; false when an exception is pending. Apart, because what has no values to convert nests on the host stack,
/// and is not to lie on this one's frame.
__attribute__((noinline)) bool call(Engine* engine, const HostObject* host, uint64_t slots) {
  const std::vector<uint8_t>& params = host->type->params;
  const HostScope scope(engine);
  if (!check_callee(engine, host)) return false;
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

/// Throws a SuspendError. It names the import whose JavaScript is in the way, where one is.
void throw_suspend_error(Engine* engine, const HostObject* host, Parking parking) {
  const VMHostFunction* import = static_cast<const OuterEntry*>(engine->runtime.thread.entry)->import;
  double way = -1;
  if (parking == Parking::Barrier) way = 0;
  if (parking == Parking::HostFrames && import != nullptr) way = import->id;
  napi_value error = call_hook(engine, engine->hooks.suspend_error, {make_number(engine->env, host->vm.id), make_number(engine->env, way)});
  if (error != nullptr) napi_throw(engine->env, error);
}

/// Why an import cannot be called so that its caller waits: a SuspendError, or that the import was given up.
__attribute__((noinline)) HostResult refuse(Engine* engine, const HostObject* host, Parking parking) {
  const HostScope scope(engine);
  if (parking != Parking::Possible) {
    throw_suspend_error(engine, host, parking);
  } else {
    check_callee(engine, host);
  }
  return raise_pending(engine);
}

/// Why the caller of an import that may wait is not set aside; nothing where it can be.
inline std::optional<HostResult> refusal(Engine* engine, const HostObject* host) {
  VMThread* thread = &engine->runtime.thread;
  const auto* entry = static_cast<const OuterEntry*>(thread->entry);
  if ((entry->takes & kTakesCancellation) != 0) return raise_trap(thread, Trap::Cancelled);
  const Parking parking = can_park(thread);
  if (parking != Parking::Possible || host->callee == nullptr) return refuse(engine, host, parking);
  return std::nullopt;
}

/// An import that may wait for a promise is not called from here: its caller is set aside first, and TypeScript calls it. So JavaScript's
/// frames never lie on the host stack between, and values go by the mailbox.
__attribute__((noinline)) HostResult call_suspending(Engine* engine, const HostObject* host, uint64_t slots) {
  if (const auto refused = refusal(engine, host)) return *refused;
  put_values(engine, slots, host->type->params.size());
  engine->mailbox()[kMailboxImport] = host->vm.id;
  return park(&engine->runtime.thread, {{address_of(host), slots}});
}

/// The same where the arguments are in the mailbox already, and the result need not come to slots.
inline HostResult wait_for(Engine* engine, const HostObject* host) {
  if (const auto refused = refusal(engine, host)) return *refused;
  engine->mailbox()[kMailboxImport] = host->vm.id;
  return set_aside(&engine->runtime.thread, {{address_of(host), 0}});
}

/// A turn is to end. Where the import has returned to the turn's own entry, its handlers see a cancellation, and none of them may wait;
/// entries of imports inside trap.
__attribute__((noinline)) HostResult raise_end(Engine* engine) {
  Runtime* runtime = &engine->runtime;
  VMThread* thread = &runtime->thread;
  if (is_in_ended_entry(runtime)) {
    if (thread->entry != runtime->ended_entry) return raise_trap(thread, Trap::Cancelled);
    forget_ended_entry(runtime);
  } else {
    Turn* turn = Turn::ended_around(runtime);
    if (turn == nullptr) return {0, nullptr};
    if (!turn->is_direct()) return raise_trap(thread, Trap::Cancelled);
    turn->told();
  }
  static_cast<OuterEntry*>(thread->entry)->takes = kTakesCancellation;
  return raise_cancellation(engine);
}

/// What is to come when the function of an import has returned, or thrown.
__attribute__((always_inline)) inline HostResult go_on_behind(Engine* engine, bool returned) {
  engine->runtime.running_import = nullptr;
  engine->throws_again = nullptr;
  if (!returned) return raise_pending(engine);
  return __builtin_expect(engine->runtime.turns_ended == 0, 1) ? HostResult{0, nullptr} : raise_end(engine);
}

/// Calls an import by `function`, which says whether it returned.
template <typename Function>
__attribute__((always_inline)) inline HostResult call_from_here(Engine* engine, const VMHostFunction* import, const Function& function) {
  const auto* const entry = static_cast<const OuterEntry*>(engine->runtime.thread.entry);
  engine->runtime.running_import = import;
  const bool returned = function();
  if (__builtin_expect(engine->runtime.thread.entry != entry, 0)) drop_abandoned(&engine->runtime, entry);
  return go_on_behind(engine, returned);
}

/// The trap of an interrupt that may be pending. An import's caller may do nothing but call: code without a loop has no other place to
/// look.
__attribute__((always_inline)) inline Trap look_up(Runtime* runtime) {
  return __builtin_expect(runtime->armed.load(std::memory_order_relaxed) == 0, 1) ? Trap::None : serve_interrupt(runtime);
}

inline HostResult dispatch(Engine* engine, uint64_t function, uint64_t slots) {
  const auto* import = at<VMHostFunction>(function);
  const auto* host = static_cast<const HostObject*>(import->object);
  if (host->kind == kHostSuspending) return call_suspending(engine, host, slots);
  const Trap trap = look_up(&engine->runtime);
  if (__builtin_expect(trap != Trap::None, 0)) return raise_trap(&engine->runtime.thread, trap);
  return call_from_here(engine, import, [=] { return call(engine, host, slots); });
}

/// Apart, as all that calls something is: then the way of a call that waits needs no frame.
__attribute__((noinline)) HostResult collect_and_dispatch(Engine* engine, uint64_t function, uint64_t slots) {
  engine->heap.collect({function});
  return dispatch(engine, function, slots);
}

/// Calls an import of numbers from here. Apart, because JavaScript that is called so nests on the host stack.
__attribute__((noinline)) HostResult call_inside(Engine* engine, const VMHostFunction* import, const HostObject* host) {
  const HostResult result = call_from_here(engine, import, [=] { return call_numbers(engine, host); });
  if (__builtin_expect(result.raise != nullptr, 0)) return result;
  return heddle::returned(read_halves(engine->mailbox() + kMailboxValues));
}

/// An import of numbers: where whoever has made the call can, the call is left for it.
inline HostResult call_numbers_of(Engine* engine, const VMHostFunction* import, const HostObject* host) {
  Runtime* const runtime = &engine->runtime;
  VMThread* const thread = &runtime->thread;
  const Trap trap = look_up(runtime);
  if (__builtin_expect(trap != Trap::None, 0)) return raise_trap(thread, trap);
  if (!static_cast<const OuterEntry*>(thread->entry)->goes_outside || host->callee == nullptr) return call_inside(engine, import, host);
  engine->mailbox()[kMailboxOutside] = uint64_t{host->number} + 1;
  runtime->running_import = import;
  return leave_for_import(thread);
}

inline HostResult wait(Engine* engine, uint64_t function) {
  const auto* import = at<VMHostFunction>(function);
  const auto* host = static_cast<const HostObject*>(import->object);
  return host->kind == kHostNumbers ? call_numbers_of(engine, import, host) : wait_for(engine, host);
}

/// Its arguments may be references that lie nowhere else.
__attribute__((noinline)) HostResult collect_and_wait(Engine* engine, uint64_t function) {
  const auto* host = static_cast<const HostObject*>(at<VMHostFunction>(function)->object);
  engine->mailbox_roots = host->type->params.size();
  engine->heap.collect({function});
  engine->mailbox_roots = 0;
  return wait(engine, function);
}

}  // namespace

HostResult call_import(VMThread* thread, uint64_t function, uint64_t slots, uint64_t, uint64_t) {
  Engine* engine = Engine::of(thread);
  if (engine->heap.is_due()) return collect_and_dispatch(engine, function, slots);
  return dispatch(engine, function, slots);
}

HostResult return_from_import(Engine* engine) {
  return go_on_behind(engine, refresh_unguarded(engine));
}

HostResult throw_from_import(Engine* engine, napi_value value) {
  napi_throw(engine->env, value);
  return go_on_behind(engine, false);
}

HostResult wait_import(VMThread* thread, uint64_t function, uint64_t, uint64_t, uint64_t) {
  Engine* engine = Engine::of(thread);
  if (engine->heap.is_due()) return collect_and_wait(engine, function);
  return wait(engine, function);
}

}  // namespace heddle

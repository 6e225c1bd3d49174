#include "bindings/atomics.h"

#include <limits>

#include "bindings/arguments.h"
#include "bindings/host_call.h"
#include "trap/interrupt.h"
#include "trap/watchdog.h"

namespace heddle {

namespace {

constexpr double kNanosecondsPerMillisecond = 1e6;
constexpr uint32_t kTimedOut = 2;

bool is_shared(const MemoryObject* memory) {
  return (memory->vm.flags & 1) != 0;
}

MemoryObject* object_of(uint64_t memory) {
  return static_cast<MemoryObject*>(at<VMMemory>(memory)->object);
}

double milliseconds_of(int64_t nanoseconds) {
  if (nanoseconds < 0) return std::numeric_limits<double>::infinity();
  return static_cast<double>(nanoseconds) / kNanosecondsPerMillisecond;
}

/// The time that is left to the call's deadline, in milliseconds; infinite without one.
double milliseconds_left(const Runtime* runtime) {
  const uint64_t deadline = runtime->deadline.load(), now = now_nanoseconds();
  if (deadline == ~uint64_t{0}) return std::numeric_limits<double>::infinity();
  return deadline <= now ? 0 : milliseconds_of(static_cast<int64_t>(deadline - now));
}

/// Calls a hook that returns a small number. False when an exception is pending, or a termination.
bool call_hook(Engine* engine, napi_ref hook, const napi_value* arguments, size_t count, uint32_t* number) {
  napi_value nothing = nullptr, result = nullptr;
  napi_get_undefined(engine->env, &nothing);
  if (napi_call_function(engine->env, nothing, engine->value_of(hook), count, arguments, &result) != napi_ok) return false;
  return napi_get_value_uint32(engine->env, result, number) == napi_ok;
}

napi_value expected_value(napi_env env, uint64_t expected, bool wide) {
  napi_value value = nullptr;
  if (wide) {
    napi_create_bigint_int64(env, static_cast<int64_t>(expected), &value);
  } else {
    napi_create_int32(env, static_cast<int32_t>(expected), &value);
  }
  return value;
}

/// The thread sleeps in JavaScript's Atomics.wait, which a termination ends. No watchdog can, so that the wait itself ends with the
/// deadline.
HostResult atomic_wait(VMThread* thread, uint64_t address, uint64_t place, uint64_t expected, uint64_t timeout) {
  MemoryObject* memory = object_of(address);
  if (!is_shared(memory)) return raise_trap(thread, Trap::ExpectedShared);
  HostResult ended;
  if (interrupted(thread, &ended)) return ended;
  Engine* engine = memory->engine;
  const HostScope scope(engine);
  const double wanted = milliseconds_of(static_cast<int64_t>(timeout));
  const double left = milliseconds_left(&engine->runtime);
  const napi_value arguments[4] = {
      engine->value_of(memory->object),
      make_number(engine->env, static_cast<double>(place)),
      expected_value(engine->env, expected, thread->scratch0 == sizeof(uint64_t)),
      make_number(engine->env, wanted < left ? wanted : left),
  };
  uint32_t outcome = 0;
  if (!call_hook(engine, engine->hooks.wait, arguments, 4, &outcome)) return raise_error(thread);
  if (outcome == kTimedOut && left < wanted) return raise_trap(thread, Trap::Deadline);
  return {outcome, nullptr};
}

HostResult atomic_notify(VMThread* thread, uint64_t address, uint64_t place, uint64_t count, uint64_t) {
  MemoryObject* memory = object_of(address);
  // Nobody can wait on a memory that is not shared.
  if (!is_shared(memory)) return {0, nullptr};
  HostResult ended;
  if (interrupted(thread, &ended)) return ended;
  Engine* engine = memory->engine;
  const HostScope scope(engine);
  const napi_value arguments[3] = {
      engine->value_of(memory->object),
      make_number(engine->env, static_cast<double>(place)),
      make_number(engine->env, static_cast<double>(count)),
  };
  uint32_t woken = 0;
  if (!call_hook(engine, engine->hooks.notify, arguments, 3, &woken)) return raise_error(thread);
  return {woken, nullptr};
}

}  // namespace

void install_atomic_libcalls(Runtime* runtime) {
  runtime->set_libcall(Libcall::AtomicWait, atomic_wait);
  runtime->set_libcall(Libcall::AtomicNotify, atomic_notify);
}

}  // namespace heddle

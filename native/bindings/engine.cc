#include "bindings/engine.h"

#include <atomic>
#include <cstdlib>
#include <cstring>

#include "base/check.h"
#include "bindings/memory.h"
#include "trap/watchdog.h"

namespace heddle {

namespace {

/// Calls the poll hook: whatever makes it fail is a termination. A debugger may run anything meanwhile.
bool poll(void* embedder) {
  auto* engine = static_cast<Engine*>(embedder);
  if (engine->hooks.poll == nullptr) return true;
  napi_handle_scope scope = nullptr;
  if (napi_open_handle_scope(engine->env, &scope) != napi_ok) return false;
  napi_value nothing = nullptr;
  napi_value result = nullptr;
  napi_get_undefined(engine->env, &nothing);
  const napi_status status = napi_call_function(engine->env, nothing, engine->value_of(engine->hooks.poll), 0, nullptr, &result);
  napi_close_handle_scope(engine->env, scope);
  engine->epoch++;
  return status == napi_ok && refresh_unguarded(engine);
}

/// Whether a variable of the environment has this value.
bool is_set(const char* name, const char* value) {
  const char* found = std::getenv(name);
  return found != nullptr && std::strcmp(found, value) == 0;
}

/// Bytes for objects of the heap, and for records of continuations, that the code generator's engine may have: it has one instance, and a
/// few more where some panicked; and no continuation.
constexpr uint64_t kCodeGeneratorHeap = 64 << 20;
constexpr uint64_t kCodeGeneratorRecords = 64 << 10;

RuntimeOptions options_of(EngineUse use) {
  RuntimeOptions options = RuntimeOptions::defaults();
  if (use == EngineUse::Program) return options;
  options.continuation.memory = kCodeGeneratorRecords;
  // However much memory the program's own stacks may take, this one stack is not what is too much.
  options.entry.memory = ~uint64_t{0};
  return options;
}

uint64_t heap_limit(EngineUse use) {
  return use == EngineUse::Program ? Heap::default_limit() : kCodeGeneratorHeap;
}

/// What the environment says of a program's engine.
void obey_environment(Engine* engine) {
  Runtime& runtime = engine->runtime;
  if (is_set("HEDDLE_COLLECT", "always")) engine->heap.collect_always();
  if (is_set("HEDDLE_HIBERNATE", "always")) {
    RuntimeOptions options = runtime.options();
    options.continuation.budget = 0;
    runtime.configure(options);
  }
  if (is_set("HEDDLE_DEBUG_SNAPSHOT", "1")) engine->heap.check_snapshots_always();
}

/// The engine of one environment of a program's, mostly of the main thread's, so that to find it costs no call of Node's: that is a
/// twentieth of a short call. Written by that environment's thread; another's only sees that the environment is not its own.
struct FirstEngine {
  std::atomic<napi_env> env{nullptr};
  std::atomic<Engine*> engine{nullptr};
} first;

}  // namespace

__attribute__((noinline)) void CallScope::close(Runtime* runtime, OuterEntry* entry) {
  napi_close_handle_scope(Engine::of(&runtime->thread)->env, static_cast<napi_handle_scope>(entry->scope));
}

__attribute__((noinline)) void CallScope::renew(Runtime* runtime, OuterEntry* entry) {
  if (entry->scope != nullptr) close(runtime, entry);
  napi_handle_scope scope = nullptr;
  napi_open_handle_scope(Engine::of(&runtime->thread)->env, &scope);
  entry->scope = scope;
  entry->scope_left = kImports - 1;
}

Engine::Engine(napi_env environment, EngineUse use)
    : env(environment), runtime(options_of(use)), roots(this), heap(&runtime, &roots, this, heap_limit(use)) {
  install_signal_handlers();
  runtime.embedder = this;
  runtime.poll = poll;
  install_binding_libcalls(&runtime);
  watch(&runtime);
  define_kinds(&heap);
  if (use == EngineUse::Program) obey_environment(this);
  if (is_set("HEDDLE_DEBUG_STACKS", "1")) {
    RuntimeOptions options = runtime.options();
    options.continuation.canary = true;
    options.entry.canary = true;
    runtime.configure(options);
  }
  check_types = is_set("HEDDLE_DEBUG_TYPES", "1");
  windows = !is_set("HEDDLE_DEBUG_WINDOWS", "0");
  // The mailbox is one for all of a thread's engines, and counts the calls of one that are left.
  calls_outside = use == EngineUse::Program && !is_set("HEDDLE_DEBUG_OUTSIDE", "0");
  napi_env none = nullptr;
  if (use == EngineUse::Program && first.env.compare_exchange_strong(none, env)) first.engine = this;
}

Engine::~Engine() {
  ending = true;
  unwatch(&runtime);
  if (first.engine == this) {
    first.engine = nullptr;
    first.env = nullptr;
  }
}

Engine* Engine::of(napi_env environment) {
  if (first.env.load(std::memory_order_relaxed) == environment) return first.engine.load(std::memory_order_relaxed);
  void* data = nullptr;
  napi_get_instance_data(environment, &data);
  return static_cast<Engine*>(data);
}

napi_value Engine::value_of(napi_ref reference) const {
  napi_value value = nullptr;
  napi_get_reference_value(env, reference, &value);
  return value;
}

napi_value make_list(const Engine* engine, const std::vector<napi_value>& values) {
  napi_value nothing = nullptr, list = nullptr;
  napi_get_undefined(engine->env, &nothing);
  const napi_value make = engine->value_of(engine->captured.list);
  return napi_call_function(engine->env, nothing, make, values.size(), values.data(), &list) == napi_ok ? list : nullptr;
}

void throw_trap(Engine* engine, Trap code, const std::vector<Frame>& frames, uint64_t detail) {
  napi_env env = engine->env;
  void* words = nullptr;
  napi_value buffer = nullptr, array = nullptr, nothing = nullptr, error = nullptr;
  if (napi_create_arraybuffer(env, frames.size() * 3 * sizeof(double), &words, &buffer) != napi_ok) return;
  auto* out = static_cast<double*>(words);
  for (const Frame& frame : frames) {
    *out++ = frame.code;
    *out++ = frame.function;
    *out++ = frame.location;
  }
  if (napi_create_typedarray(env, napi_float64_array, frames.size() * 3, buffer, 0, &array) != napi_ok) return;
  napi_get_undefined(env, &nothing);
  napi_value arguments[3] = {nullptr, array, nullptr};
  napi_create_uint32(env, static_cast<uint32_t>(code), &arguments[0]);
  napi_create_double(env, detail == ~uint64_t{0} ? -1 : static_cast<double>(detail), &arguments[2]);
  if (engine->hooks.trap == nullptr) {
    napi_throw_error(env, "HEDDLE_TRAP", "trap");
    return;
  }
  if (napi_call_function(env, nothing, engine->value_of(engine->hooks.trap), 3, arguments, &error) == napi_ok) napi_throw(env, error);
}

napi_value call_hook(Engine* engine, napi_ref hook, std::initializer_list<napi_value> arguments) {
  napi_value nothing = nullptr, result = nullptr;
  napi_get_undefined(engine->env, &nothing);
  const napi_status status = napi_call_function(engine->env, nothing, engine->value_of(hook), arguments.size(), arguments.begin(), &result);
  return status == napi_ok ? result : nullptr;
}

void throw_ending(Engine* engine, const Entry& entry) {
  if (entry.trap() != Trap::Terminated) throw_trap(engine, entry.trap(), entry.frames(), entry.trap_detail());
}

bool fail_call(Engine* engine, const Call& call, Entry::Ending ending) {
  // A call takes neither suspensions nor waits, and this one is not left.
  if (ending != Entry::Ending::Failed) throw_ending(engine, call);
  return false;
}

}  // namespace heddle

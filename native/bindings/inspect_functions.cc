// inspect, keepTrapFibers, trapFibers, stackUsage, noteSignal, takeSignal: looks at a thread's fibers and stacks.
#include <signal.h>

#include <atomic>

#include "bindings/arguments.h"
#include "stacks/usage.h"
#include "trap/inspect.h"

namespace heddle {

namespace {

/// Fibers of a trap that are kept: more than a picture can show.
constexpr size_t kMostTrapFibers = 10'000;

const char* name_of(FiberState state) {
  switch (state) {
    case FiberState::Fresh:
      return "fresh";
    case FiberState::Suspended:
      return "suspended";
    case FiberState::Resuming:
      return "resuming";
    case FiberState::Calling:
      return "calling";
    case FiberState::Parked:
      return "parked";
    case FiberState::Running:
      break;
  }
  return "running";
}

/// The import that the fiber is in; null for none.
const VMHostFunction* import_of(const FiberReport& fiber) {
  // What host_call.cc keeps of a chain that it parks is the function that it waits in.
  return fiber.parked == 0 ? fiber.import : &at<HostObject>(fiber.parked)->vm;
}

/// The import that the fiber began with; null where it began with a function of WebAssembly.
const VMHostFunction* imported_start(const FiberReport& fiber) {
  const VMFunction* function = fiber.start;
  const bool imported = function != nullptr && (function->flags & 1) != 0;
  return imported ? reinterpret_cast<const VMHostFunction*>(function->context) : nullptr;  // SAFETY: what the flag says.
}

double number_of(const VMHostFunction* import) {
  return import == nullptr ? -1 : static_cast<double>(import->id);
}

napi_value frames_array(napi_env env, const std::vector<Frame>& frames) {
  void* data = nullptr;
  napi_value buffer = nullptr, array = nullptr;
  if (napi_create_arraybuffer(env, frames.size() * 3 * sizeof(double), &data, &buffer) != napi_ok) return nullptr;
  auto* out = static_cast<double*>(data);
  for (const Frame& frame : frames) {
    *out++ = frame.code;
    *out++ = frame.function;
    *out++ = frame.location;
  }
  napi_create_typedarray(env, napi_float64_array, frames.size() * 3, buffer, 0, &array);
  return array;
}

napi_value fiber_object(napi_env env, const FiberReport& fiber) {
  const struct {
    const char* name;
    double value;
  } numbers[] = {
      {"id", static_cast<double>(fiber.id)},
      {"continuation", fiber.record == nullptr ? 0 : static_cast<double>(fiber.record->index)},
      {"versions", static_cast<double>(fiber.versions)},
      {"copyOf", static_cast<double>(fiber.copy_of)},
      {"buffer", static_cast<double>(fiber.buffer)},
      {"parent", static_cast<double>(fiber.parent)},
      {"code", static_cast<double>(fiber.function.code)},
      {"function", static_cast<double>(fiber.function.function)},
      {"importedStart", number_of(imported_start(fiber))},
      {"import", number_of(import_of(fiber))},
      {"stackSize", static_cast<double>(fiber.stack_size)},
      {"stackUsed", static_cast<double>(fiber.stack_used)},
      {"stackHighWater", static_cast<double>(fiber.stack_high_water)},
      {"stackResident", static_cast<double>(fiber.stack_resident)},
  };
  napi_value object = nullptr, entered = nullptr, hibernated = nullptr;
  napi_create_object(env, &object);
  for (const auto& row : numbers) set_property(env, object, row.name, make_number(env, row.value));
  napi_get_boolean(env, fiber.entered, &entered);
  set_property(env, object, "entered", entered);
  napi_get_boolean(env, fiber.hibernated, &hibernated);
  set_property(env, object, "hibernated", hibernated);
  set_property(env, object, "state", make_text(env, name_of(fiber.state)));
  set_property(env, object, "frames", frames_array(env, fiber.frames));
  return object;
}

napi_value tree_object(napi_env env, const FiberTree& tree) {
  napi_value list = nullptr, object = nullptr;
  napi_create_array_with_length(env, tree.fibers.size(), &list);
  for (size_t i = 0; i < tree.fibers.size(); i++) {
    napi_handle_scope scope = nullptr;
    if (napi_open_handle_scope(env, &scope) != napi_ok) return nullptr;
    define_element(env, list, i, fiber_object(env, tree.fibers[i]));
    napi_close_handle_scope(env, scope);
  }
  napi_create_object(env, &object);
  set_property(env, object, "fibers", list);
  set_property(env, object, "total", make_number(env, static_cast<double>(tree.total)));
  return object;
}

napi_value inspect(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const uint64_t most = in.number(0);
  return in ? tree_object(env, inspect_fibers(&in.engine()->runtime, most)) : nullptr;
}

/// Records go on being used: what a report says of its record is copied out while it is right.
void keep_fibers(void* embedder) {
  auto* engine = static_cast<Engine*>(embedder);
  napi_handle_scope scope = nullptr;
  if (napi_open_handle_scope(engine->env, &scope) != napi_ok) return;
  napi_value tree = tree_object(engine->env, inspect_fibers(&engine->runtime, kMostTrapFibers));
  if (engine->trap_fibers != nullptr) napi_delete_reference(engine->env, engine->trap_fibers);
  engine->trap_fibers = nullptr;
  if (tree != nullptr) napi_create_reference(engine->env, tree, 1, &engine->trap_fibers);
  napi_close_handle_scope(engine->env, scope);
}

napi_value keep_trap_fibers(napi_env env, napi_callback_info info) {
  const Arguments in(env, info);
  in.engine()->runtime.trapped = keep_fibers;
  return nullptr;
}

napi_value trap_fibers(napi_env env, napi_callback_info info) {
  const Arguments in(env, info);
  return in.engine()->trap_fibers == nullptr ? nullptr : in.engine()->value_of(in.engine()->trap_fibers);
}

napi_value stack_usage(napi_env env, napi_callback_info info) {
  const Arguments in(env, info);
  Runtime& runtime = in.engine()->runtime;
  const StackUsage continuations = runtime.continuation_usage();
  const StackUsage entries = runtime.entry_usage();
  napi_value result = nullptr;
  napi_create_object(env, &result);
  set_property(env, result, "continuationsSuspended", make_number(env, static_cast<double>(runtime.records.suspended())));
  set_property(env, result, "stackBytesResident", make_number(env, static_cast<double>(continuations.resident + entries.resident)));
  set_property(env, result, "stackBytesHighWater", make_number(env, static_cast<double>(continuations.high_water)));
  set_property(env, result, "entryStackBytesHighWater", make_number(env, static_cast<double>(entries.high_water)));
  return result;
}

/// The process's, as signals are.
std::atomic<bool> signal_came{false};
struct sigaction before_signal;

void on_signal(int number, siginfo_t* info, void* context) {
  signal_came.store(true, std::memory_order_relaxed);
  if ((before_signal.sa_flags & SA_SIGINFO) != 0) return before_signal.sa_sigaction(number, info, context);
  if (before_signal.sa_handler != SIG_DFL && before_signal.sa_handler != SIG_IGN) before_signal.sa_handler(number);
}

/// From now on takeSignal says whether the signal came, also where JavaScript does not run; whoever handled it before still does. Once a
/// process.
napi_value note_signal(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const uint64_t number = in.number(0);
  if (!in) return nullptr;
  struct sigaction action {};
  action.sa_sigaction = on_signal;
  // RESTART as Node's own handlers have it: a system call of another thread goes on. ONSTACK: it may come on a fiber near its end.
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(static_cast<int>(number), nullptr, &before_signal);
  sigaction(static_cast<int>(number), &action, nullptr);
  return nullptr;
}

/// The frames of WebAssembly around a hook that a library call has called.
napi_value call_frames(napi_env env, napi_callback_info info) {
  const Arguments in(env, info);
  return in ? frames_array(env, walk_calls(&in.engine()->runtime.thread)) : nullptr;
}

/// Whether it came since the last time.
napi_value take_signal(napi_env env, napi_callback_info) {
  napi_value result = nullptr;
  napi_get_boolean(env, signal_came.exchange(false), &result);
  return result;
}

}  // namespace

void define_inspect_functions(napi_env env, napi_value exports) {
  define_functions(env, exports,
                   {{"inspect", inspect},
                    {"keepTrapFibers", keep_trap_fibers},
                    {"trapFibers", trap_fibers},
                    {"callFrames", call_frames},
                    {"stackUsage", stack_usage},
                    {"noteSignal", note_signal},
                    {"takeSignal", take_signal}});
}

}  // namespace heddle

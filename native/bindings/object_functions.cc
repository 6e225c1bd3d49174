// capture, createTable, tableGrow, tableCopyIn, tableWindow, heapBase, heapWindow, createMemory, watchMemory, createGlobal, createTag,
// createHostFunction, callInvoked.
#include "bindings/arguments.h"
#include "bindings/memory.h"
#include "bindings/table.h"

namespace heddle {

namespace {

napi_value address_value(napi_env env, const void* pointer) {
  return make_number(env, static_cast<double>(address_of(pointer)));
}

napi_value no_memory(napi_env env) {
  napi_throw_range_error(env, "HEDDLE_MEMORY", "no memory for an object of WebAssembly");
  return nullptr;
}

napi_value create_table(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const uint64_t minimum = in.number(0), maximum = in.number(1), fill = in.number(2), type = in.number(3);
  if (!in) return nullptr;
  Heap& heap = in.engine()->heap;
  auto* table = static_cast<TableObject*>(heap.allocate(ObjectKind::Table, sizeof(TableObject), minimum * sizeof(uint64_t)));
  if (table != nullptr) {
    table->vm.maximum = maximum;
    table->type = static_cast<uint32_t>(type);
  }
  if (table == nullptr || (minimum != 0 && grow_table(in.engine(), &table->vm, minimum, fill) < 0)) {
    if (table != nullptr) heap.blocks.free(address_of(table));
    napi_throw_range_error(env, "HEDDLE_MEMORY", "a table of this size cannot be made");
    return nullptr;
  }
  table->vm.object = table;
  return address_value(env, &table->vm);
}

napi_value table_grow(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  VMTable* table = in.object<VMTable>(0);
  const uint64_t delta = in.number(1), fill = in.number(2);
  return in ? make_number(env, static_cast<double>(grow_table(in.engine(), table, delta, fill))) : nullptr;
}

napi_value table_copy_in(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  VMTable* table = in.object<VMTable>(0);
  const uint64_t start = in.number(1);
  const Bytes words = in.doubles(2);
  if (!in) return nullptr;
  napi_value result = nullptr;
  // SAFETY: a Float64Array's data.
  const bool fits = copy_into_table(table, start, reinterpret_cast<const double*>(words.data), words.size / sizeof(double));
  napi_get_boolean(env, fits, &result);
  return result;
}

napi_value table_window(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  VMTable* table = in.object<VMTable>(0);
  return in && in.engine()->windows ? window_of(env, table) : nullptr;
}

napi_value heap_base(napi_env env, napi_callback_info info) {
  const Arguments in(env, info);
  return make_number(env, static_cast<double>(in.engine()->heap.blocks.base()));
}

/// The heap's memory stays mapped for as long as the environment's JavaScript runs: nobody has to know when the ArrayBuffer is gone.
napi_value heap_window(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const uint64_t block = in.number(0);
  const Blocks& blocks = in.engine()->heap.blocks;
  const uint64_t start = blocks.base() + block * kHeapWindow;
  if (in && !blocks.spans(start)) in.fail("a block of the heap");
  napi_value buffer = nullptr;
  if (!in || !in.engine()->windows) return nullptr;
  const napi_status status = napi_create_external_arraybuffer(env, at<void>(start), kHeapWindow, nullptr, nullptr, &buffer);
  return status == napi_ok ? buffer : nullptr;
}

napi_value capture(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  if (!in) return nullptr;
  Captured* captured = &in.engine()->captured;
  if (captured->bytes != nullptr) return nullptr;  // Another copy of Heddle's TypeScript on this thread was first.
  captured->memory_buffer = in.reference(0);
  captured->memory_grow = in.reference(1);
  captured->bytes = in.reference(2);
  captured->list = in.reference(3);
  napi_get_value_bool(env, in.value(4), &captured->transfers);
  return nullptr;
}

napi_value create_memory(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  if (!in) return nullptr;
  Engine* engine = in.engine();
  MemoryObject* memory = allocate_memory(engine);
  if (memory == nullptr) return no_memory(env);
  memory->object = in.reference(0);
  memory->vm.flags = in.number(1) != 0 ? 2 : 0;
  if (!in || !refresh_memory(memory)) {
    free_memory(memory);
    return nullptr;
  }
  const bool guarded = has_guards(memory->vm.base, memory->vm.bytes);
  memory->vm.guarded = guarded ? 1 : 0;
  if (!guarded) watch_length(memory);
  napi_value result = nullptr, flag = nullptr;
  napi_create_object(env, &result);
  napi_get_boolean(env, guarded, &flag);
  set_property(env, result, "address", address_value(env, &memory->vm));
  set_property(env, result, "base", make_number(env, static_cast<double>(memory->vm.base)));
  set_property(env, result, "guarded", flag);
  return result;
}

napi_value watch_memory(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  auto* vm = in.object<VMMemory>(0);
  if (in) watch_length(static_cast<MemoryObject*>(vm->object));
  return nullptr;
}

napi_value create_global(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const uint64_t type = in.number(0);
  if (!in) return nullptr;
  auto* cell = static_cast<Cell*>(in.engine()->heap.allocate(ObjectKind::Global, sizeof(Cell)));
  if (cell == nullptr) return no_memory(env);
  cell->type = static_cast<uint32_t>(type);
  return address_value(env, cell);
}

napi_value create_tag(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const uint64_t type = in.number(0), id = in.number(1);
  if (!in) return nullptr;
  auto* tag = static_cast<VMTag*>(in.engine()->heap.allocate(ObjectKind::Tag, sizeof(VMTag)));
  if (tag == nullptr) return no_memory(env);
  tag->type = static_cast<uint32_t>(type);
  tag->id = static_cast<uint32_t>(id);
  return address_value(env, tag);
}

napi_value create_host_function(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const auto id = static_cast<uint32_t>(in.number(1));
  const uint64_t code = in.number(2), enter = in.number(3), number = in.number(4);
  const auto kind = static_cast<uint32_t>(in.number(5));
  const FunctionType* type = in ? in.engine()->type(id) : nullptr;
  if (in && type == nullptr) in.fail("a defined type");
  if (!in) return nullptr;
  auto* host = static_cast<HostObject*>(in.engine()->heap.allocate(ObjectKind::HostFunction, sizeof(HostObject)));
  if (host == nullptr) return no_memory(env);
  host->callee = in.reference(0);
  if (!in) return nullptr;
  host->type = type;
  host->kind = kind;
  host->number = static_cast<uint32_t>(in.number(6));
  host->vm.thread = &in.engine()->runtime.thread;
  host->vm.object = host;
  host->vm.type = id;
  host->vm.id = static_cast<uint32_t>(number);
  host->function.code = code;
  host->function.context =
      reinterpret_cast<VMInstance*>(&host->vm);  // SAFETY: the code is an import trampoline, which takes a VMHostFunction.
  host->function.type = id;
  host->function.enter = enter;
  host->function.slots = type->slots();
  host->function.flags = 1;
  return address_value(env, &host->function);
}

napi_value call_invoked(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  auto* host = in ? in.engine()->object_at<HostObject>(ObjectKind::HostFunction, in.number(0)) : nullptr;
  auto* table = in.object<VMTable>(1);
  const uint64_t stack = in.number(2), callee = in.number(3), code = in.number(4);
  if (in && (host == nullptr || host->vm.callee != 0)) in.fail("an imported function");
  if (!in) return nullptr;
  host->vm.table = table;
  host->vm.stack = stack;
  host->vm.plain = host->function.code;
  host->vm.callee = static_cast<uint32_t>(callee);
  host->function.code = code;
  return nullptr;
}

}  // namespace

void define_object_functions(napi_env env, napi_value exports) {
  define_functions(env, exports,
                   {{"capture", capture},
                    {"createTable", create_table},
                    {"tableGrow", table_grow},
                    {"tableCopyIn", table_copy_in},
                    {"tableWindow", table_window},
                    {"heapBase", heap_base},
                    {"heapWindow", heap_window},
                    {"createMemory", create_memory},
                    {"watchMemory", watch_memory},
                    {"createGlobal", create_global},
                    {"createTag", create_tag},
                    {"createHostFunction", create_host_function},
                    {"callInvoked", call_invoked}});
}

}  // namespace heddle

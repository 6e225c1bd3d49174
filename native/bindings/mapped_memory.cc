#include "bindings/mapped_memory.h"

#include <sys/mman.h>

#include "bindings/arguments.h"

namespace heddle {

namespace {

/// Detaches the ArrayBuffer over the memory, if JavaScript ever asked for one. False when V8 refuses: JavaScript may then still write
/// there.
bool drop_buffer(MemoryObject* memory) {
  if (memory->buffer == nullptr) return true;
  napi_env env = memory->engine->env;
  napi_handle_scope scope = nullptr;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return false;
  const bool detached = napi_detach_arraybuffer(env, memory->engine->value_of(memory->buffer)) == napi_ok;
  napi_close_handle_scope(env, scope);
  if (!detached) return false;
  napi_delete_reference(env, memory->buffer);
  memory->buffer = nullptr;
  return true;
}

MemoryObject* memory_of(Arguments* in) {
  auto* vm = in->object<VMMemory>(0);
  return *in ? static_cast<MemoryObject*>(vm->object) : nullptr;
}

napi_value create_mapped_memory(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const uint64_t bytes = in.number(0), most = in.number(1), shift = in.number(2);
  if (!in) return nullptr;
  MemoryObject* memory = make_mapped_memory(in.engine(), bytes, most, static_cast<uint32_t>(shift));
  return make_number(env, memory == nullptr ? 0 : static_cast<double>(address_of(&memory->vm)));
}

napi_value mapped_memory_buffer(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  MemoryObject* memory = memory_of(&in);
  return memory == nullptr ? nullptr : mapped_buffer(memory);
}

napi_value mapped_memory_grow(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  MemoryObject* memory = memory_of(&in);
  const uint64_t delta = in.number(1);
  if (!in) return nullptr;
  const uint64_t old = grow_mapped_memory(memory, delta);
  return make_number(env, old == ~uint64_t{0} ? -1 : static_cast<double>(old));
}

}  // namespace

MemoryObject* make_mapped_memory(Engine* engine, uint64_t bytes, uint64_t most_bytes, uint32_t page_shift) {
  Mapping mapping = Mapping::reserve(bytes == 0 ? 1 : bytes, PROT_READ | PROT_WRITE);
  if (!mapping) return nullptr;
  MemoryObject& memory = engine->memories.emplace_back();
  memory.engine = engine;
  memory.mapping = std::move(mapping);
  memory.page_shift = page_shift;
  memory.vm.object = &memory;
  memory.vm.base = memory.mapping.base();
  memory.vm.bytes = bytes;
  memory.vm.maximum = most_bytes >> page_shift;
  return &memory;
}

uint64_t grow_mapped_memory(MemoryObject* memory, uint64_t delta) {
  const uint64_t failure = ~uint64_t{0};
  const uint64_t old = memory->vm.bytes >> memory->page_shift;
  if (delta > memory->vm.maximum || old > memory->vm.maximum - delta) return failure;
  const uint64_t bytes = (old + delta) << memory->page_shift;
  // The specification has every grow detach the buffer, one by nothing too; it comes before the mapping moves away under it.
  if (!drop_buffer(memory) || !memory->mapping.grow(bytes)) return failure;
  memory->vm.base = memory->mapping.base();
  memory->vm.bytes = bytes;
  return old;
}

napi_value mapped_buffer(MemoryObject* memory) {
  Engine* engine = memory->engine;
  if (memory->buffer != nullptr) return engine->value_of(memory->buffer);
  napi_value buffer = nullptr;
  void* nothing = nullptr;
  const napi_status status = memory->vm.bytes == 0 ? napi_create_arraybuffer(engine->env, 0, &nothing, &buffer)
                                                   : napi_create_external_arraybuffer(engine->env, at<void>(memory->vm.base),
                                                                                      memory->vm.bytes, nullptr, nullptr, &buffer);
  if (status != napi_ok) {
    napi_throw_range_error(engine->env, "HEDDLE_MEMORY", "an ArrayBuffer of this length cannot be made");
    return nullptr;
  }
  napi_create_reference(engine->env, buffer, 1, &memory->buffer);
  return buffer;
}

void define_mapped_memory_functions(napi_env env, napi_value exports) {
  define_functions(env, exports,
                   {{"createMappedMemory", create_mapped_memory},
                    {"mappedMemoryBuffer", mapped_memory_buffer},
                    {"mappedMemoryGrow", mapped_memory_grow}});
}

}  // namespace heddle

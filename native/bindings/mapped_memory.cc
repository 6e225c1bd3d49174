#include "bindings/mapped_memory.h"

#include <sys/mman.h>

#include <cstring>

#include "base/attempt.h"
#include "bindings/arguments.h"
#include "bindings/memory.h"

namespace heddle {

namespace {

/// Whether the environment ends. Then Node says of every external ArrayBuffer that it is gone, whoever has its memory.
bool is_closing(napi_env env) {
  napi_value global = nullptr;
  bool has = false;
  // asks: whether there is any answer.
  return napi_get_global(env, &global) != napi_ok || napi_has_named_property(env, global, "Object", &has) != napi_ok;
}

/// Finalizer of an ArrayBuffer, with what it owned: nobody has its memory any more. At the environment's end another thread may, which
/// nothing tells us: then the memory is emptied, but no other comes to its addresses.
void give_back(napi_env env, void*, void* hint) {
  const std::unique_ptr<std::shared_ptr<Loan>> owned(static_cast<std::shared_ptr<Loan>*>(hint));
  std::shared_ptr<Mapping> mapping = std::move((*owned)->mapping);
  if (mapping == nullptr || !(*owned)->transferable || !is_closing(env)) return;
  mapping->advise(0, mapping->size(), MADV_DONTNEED);
  static_cast<void>(new std::shared_ptr<Mapping>(std::move(mapping)));
}

/// The ArrayBuffer, where it still has the memory; null otherwise.
napi_value current_buffer(MemoryObject* memory) {
  if (memory->buffer == nullptr) return nullptr;
  napi_value buffer = memory->engine->value_of(memory->buffer);
  bool detached = true;
  return buffer != nullptr && napi_is_detached_arraybuffer(memory->engine->env, buffer, &detached) == napi_ok && !detached ? buffer
                                                                                                                           : nullptr;
}

void forget_buffer(MemoryObject* memory) {
  if (memory->buffer != nullptr) napi_delete_reference(memory->engine->env, memory->buffer);
  memory->buffer = nullptr;
  memory->loan.reset();
}

/// Detaches the ArrayBuffer over the memory, if JavaScript ever asked for one. False when V8 refuses: JavaScript may then still write
/// there.
bool drop_buffer(MemoryObject* memory) {
  napi_env env = memory->engine->env;
  napi_handle_scope scope = nullptr;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return false;
  const napi_value buffer = current_buffer(memory);
  const bool detached = buffer == nullptr || napi_detach_arraybuffer(env, buffer) == napi_ok;
  napi_close_handle_scope(env, scope);
  if (!detached) return false;
  if (buffer != nullptr && memory->loan != nullptr) memory->loan->mapping.reset();
  forget_buffer(memory);
  return true;
}

/// Makes the mapping longer. Where an ArrayBuffer may still point into it, it stays where it is, and the memory moves to another.
bool grow_mapping(MemoryObject* memory, uint64_t bytes) {
  if (memory->mapping.use_count() == 1) return memory->mapping->grow(bytes);
  if (bytes <= memory->mapping->size()) return true;
  Mapping longer = Mapping::reserve(bytes, PROT_READ | PROT_WRITE);
  if (!longer) return false;
  std::memcpy(at<void>(longer.base()), at<void>(memory->mapping->base()), memory->vm.bytes);
  return attempt([&] { memory->mapping = std::make_shared<Mapping>(std::move(longer)); });
}

napi_value refuse_transfer(napi_env env, napi_callback_info) {
  napi_throw_type_error(env, "HEDDLE_MEMORY", "the ArrayBuffer of a memory is not detachable: it cannot be transferred");
  return nullptr;
}

/// Where this V8 has ways to move an ArrayBuffer's memory to another, of this one they throw. V8 has no way for an addon to say that one is
/// not detachable. (Node refuses to post one whose memory is external.)
void refuse_transfers(napi_env env, napi_value buffer) {
  for (const char* name : {"transfer", "transferToFixedLength"}) {
    const napi_property_descriptor method = {name, nullptr, refuse_transfer, nullptr, nullptr, nullptr, napi_default, nullptr};
    napi_define_properties(env, buffer, 1, &method);
  }
}

/// An ArrayBuffer over the memory; null where V8 makes none.
napi_value lend(MemoryObject* memory) {
  napi_env env = memory->engine->env;
  napi_value buffer = nullptr;
  void* nothing = nullptr;
  if (memory->vm.bytes == 0) return napi_create_arraybuffer(env, 0, &nothing, &buffer) == napi_ok ? buffer : nullptr;
  std::unique_ptr<std::shared_ptr<Loan>> owned;
  const auto make = [&] { owned = std::make_unique<std::shared_ptr<Loan>>(std::make_shared<Loan>(Loan{memory->mapping, false})); };
  if (!attempt(make)) return nullptr;
  void* bytes = at<void>(memory->vm.base);
  if (napi_create_external_arraybuffer(env, bytes, memory->vm.bytes, give_back, owned.get(), &buffer) != napi_ok) return nullptr;
  memory->loan = *owned.release();
  memory->loan->transferable = memory->engine->captured.transfers;
  if (memory->loan->transferable) refuse_transfers(env, buffer);
  return buffer;
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
  Mapping reserved = Mapping::reserve(bytes == 0 ? 1 : bytes, PROT_READ | PROT_WRITE);
  std::shared_ptr<Mapping> mapping;
  if (!reserved || !attempt([&] { mapping = std::make_shared<Mapping>(std::move(reserved)); })) return nullptr;
  MemoryObject* memory = allocate_memory(engine);
  if (memory == nullptr) return nullptr;
  memory->mapping = std::move(mapping);
  memory->page_shift = page_shift;
  memory->vm.base = memory->mapping->base();
  memory->vm.bytes = bytes;
  memory->vm.maximum = most_bytes >> page_shift;
  return memory;
}

uint64_t grow_mapped_memory(MemoryObject* memory, uint64_t delta) {
  const uint64_t failure = ~uint64_t{0};
  const uint64_t old = memory->vm.bytes >> memory->page_shift;
  if (delta > memory->vm.maximum || old > memory->vm.maximum - delta) return failure;
  const uint64_t bytes = (old + delta) << memory->page_shift;
  // The specification has every grow detach the buffer, one by nothing too; it comes before the mapping moves away under it.
  if (!drop_buffer(memory) || !grow_mapping(memory, bytes)) return failure;
  memory->vm.base = memory->mapping->base();
  memory->vm.bytes = bytes;
  return old;
}

napi_value mapped_buffer(MemoryObject* memory) {
  if (napi_value known = current_buffer(memory)) return known;
  forget_buffer(memory);
  napi_env env = memory->engine->env;
  napi_value buffer = lend(memory);
  if (buffer == nullptr) {
    napi_throw_range_error(env, "HEDDLE_MEMORY", "an ArrayBuffer of this length cannot be made");
    return nullptr;
  }
  napi_create_reference(env, buffer, 1, &memory->buffer);
  memory->strong = true;
  return buffer;
}

void define_mapped_memory_functions(napi_env env, napi_value exports) {
  define_functions(env, exports,
                   {{"createMappedMemory", create_mapped_memory},
                    {"mappedMemoryBuffer", mapped_memory_buffer},
                    {"mappedMemoryGrow", mapped_memory_grow}});
}

}  // namespace heddle

#include "bindings/memory.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <new>

#include "base/system.h"
#include "bindings/host_call.h"
#include "bindings/mapped_memory.h"
#include "trap/interrupt.h"

namespace heddle {

namespace {

/// More pages than any memory has: all a 32-bit index reaches, and what the specification allows with 64-bit ones.
constexpr uint64_t kMostPages = 65'536;
/// Far beyond what V8 makes. Of more it takes the lower 32 bits where a memory has no maximum (Node 24.21, 26.10).
constexpr uint64_t kMostPages64 = ~uint32_t{0};
constexpr uint64_t kGuardedSpan = uint64_t{8} << 30;

MemoryObject* object_of(uint64_t memory) {
  return static_cast<MemoryObject*>(at<VMMemory>(memory)->object);
}

/// Data pointer and length of a memory's buffer. No property is asked for. False, with a TypeError pending, for what is none of V8's
/// memories.
bool buffer_of(const Engine* engine, napi_value memory, void** data, size_t* length, bool* shared) {
  napi_env env = engine->env;
  napi_value buffer = nullptr;
  bool plain = false;
  if (napi_call_function(env, memory, engine->value_of(engine->captured.memory_buffer), 0, nullptr, &buffer) != napi_ok) return false;
  if (napi_is_arraybuffer(env, buffer, &plain) != napi_ok) return false;
  *shared = !plain;
  if (plain) return napi_get_arraybuffer_info(env, buffer, data, length) == napi_ok;
  napi_value array = nullptr, owner = nullptr;
  if (napi_new_instance(env, engine->value_of(engine->captured.bytes), 1, &buffer, &array) != napi_ok) return false;
  napi_typedarray_type type;
  size_t offset = 0;
  return napi_get_typedarray_info(env, array, &type, length, data, &owner, &offset) == napi_ok;
}

/// Whether `vm.bytes` cannot have changed since it was read.
bool is_current(const MemoryObject* memory) {
  return memory->is_mapped() || ((memory->vm.flags & 1) == 0 && memory->epoch == memory->engine->epoch);
}

bool in_bounds(MemoryObject* memory, uint64_t start, uint64_t length, bool* failed) {
  const auto fits = [&] { return length <= memory->vm.bytes && start <= memory->vm.bytes - length; };
  if (fits()) return true;
  if (is_current(memory)) return false;
  if (!refresh_memory(memory)) *failed = true;
  return !*failed && fits();
}

/// What a bulk operation does when its range is not inside: a trap, or the error that asking V8 gave.
HostResult out_of_bounds(VMThread* thread, bool failed) {
  return failed ? raise_error(thread) : raise_trap(thread, Trap::MemoryBounds);
}

HostResult memory_size(VMThread* thread, uint64_t address, uint64_t, uint64_t, uint64_t) {
  MemoryObject* memory = object_of(address);
  if (!is_current(memory) && !refresh_memory(memory)) return raise_error(thread);
  return {memory->vm.bytes >> memory->page_shift, nullptr};
}

HostResult memory_refresh(VMThread* thread, uint64_t address, uint64_t, uint64_t, uint64_t) {
  MemoryObject* memory = object_of(address);
  if (!is_current(memory) && !refresh_memory(memory)) return raise_error(thread);
  return {memory->vm.bytes, nullptr};
}

HostResult memory_grow(VMThread* thread, uint64_t address, uint64_t delta, uint64_t, uint64_t) {
  MemoryObject* memory = object_of(address);
  HostResult ended;
  if (interrupted(thread, &ended)) return ended;
  const uint64_t failure = ~uint64_t{0};
  const bool wide = (memory->vm.flags & 2) != 0;
  if (!memory->is_mapped() && delta > (wide ? kMostPages64 : kMostPages)) return {failure, nullptr};
  napi_env env = memory->engine->env;
  const HostScope scope(memory->engine);
  if (memory->is_mapped()) return {grow_mapped_memory(memory, delta), nullptr};
  napi_value object = memory->engine->value_of(memory->object), argument = nullptr, result = nullptr;
  if (wide) {
    napi_create_bigint_uint64(env, delta, &argument);
  } else {
    napi_create_double(env, static_cast<double>(delta), &argument);
  }
  if (napi_call_function(env, object, memory->engine->value_of(memory->engine->captured.memory_grow), 1, &argument, &result) != napi_ok) {
    // A RangeError: V8 will not. (A termination stays pending in V8; the next interrupt finds it.)
    napi_get_and_clear_last_exception(env, &result);
    return {failure, nullptr};
  }
  if (!refresh_memory(memory)) return raise_error(thread);
  double old = 0;
  bool lossless = false;
  uint64_t pages = 0;
  if (napi_get_value_double(env, result, &old) == napi_ok) return {static_cast<uint64_t>(old), nullptr};
  napi_get_value_bigint_uint64(env, result, &pages, &lossless);
  return {pages, nullptr};
}

HostResult memory_copy(VMThread* thread, uint64_t address, uint64_t to, uint64_t from, uint64_t length) {
  MemoryObject* target = object_of(address);
  MemoryObject* source = object_of(thread->scratch0);
  bool failed = false;
  if (!in_bounds(target, to, length, &failed) || !in_bounds(source, from, length, &failed)) return out_of_bounds(thread, failed);
  // Of the same memory nothing is written over that is still to be read.
  const bool backwards = target == source && to > from;
  return in_pieces(thread, length, kPiece, backwards, [=](uint64_t offset, uint64_t size) {
    std::memmove(at<void>(target->vm.base + to + offset), at<void>(source->vm.base + from + offset), size);
  });
}

HostResult memory_fill(VMThread* thread, uint64_t address, uint64_t to, uint64_t byte, uint64_t length) {
  MemoryObject* memory = object_of(address);
  bool failed = false;
  if (!in_bounds(memory, to, length, &failed)) return out_of_bounds(thread, failed);
  return in_pieces(thread, length, kPiece, false, [=](uint64_t offset, uint64_t size) {
    std::memset(at<void>(memory->vm.base + to + offset), static_cast<int>(byte & 0xff), size);
  });
}

HostResult memory_init(VMThread* thread, uint64_t address, uint64_t to, uint64_t from, uint64_t length) {
  MemoryObject* memory = object_of(address);
  const auto* instance = static_cast<const InstanceObject*>(at<VMInstance>(thread->scratch0)->data);
  const auto segment = static_cast<uint32_t>(thread->scratch1);
  bool failed = false;
  if (!in_bounds(memory, to, length, &failed) || !has_range(instance->data, segment, from, length)) return out_of_bounds(thread, failed);
  return in_pieces(thread, length, kPiece, false, [=](uint64_t offset, uint64_t size) {
    // Looked for again, because it may have been dropped.
    if (size == 0 || !has_range(instance->data, segment, from, length)) return;
    std::memcpy(at<void>(memory->vm.base + to + offset), instance->data.at(segment).data() + from + offset, size);
  });
}

HostResult data_drop(VMThread*, uint64_t instance, uint64_t segment, uint64_t, uint64_t) {
  static_cast<InstanceObject*>(at<VMInstance>(instance)->data)->data.erase(static_cast<uint32_t>(segment));
  return {0, nullptr};
}

}  // namespace

MemoryObject* allocate_memory(Engine* engine) {
  void* cell = engine->heap.allocate(ObjectKind::Memory, sizeof(MemoryObject), kMemoryWeight);
  if (cell == nullptr) return nullptr;
  auto* memory = new (cell) MemoryObject;
  memory->engine = engine;
  memory->vm.object = memory;
  engine->memories.push_back(memory);
  return memory;
}

void free_memory(MemoryObject* memory) {
  forget_memory(memory);
  memory->engine->heap.blocks.free(address_of(memory));
}

void forget_memory(MemoryObject* memory) {
  Engine* engine = memory->engine;
  for (auto* list : {&engine->memories, &engine->unguarded}) list->erase(std::remove(list->begin(), list->end(), memory), list->end());
  for (napi_ref reference : {memory->object, memory->buffer}) {
    if (reference != nullptr && !engine->ending) napi_delete_reference(engine->env, reference);
  }
  memory->~MemoryObject();
}

bool refresh_memory(MemoryObject* memory) {
  if (memory->is_mapped()) return true;
  Engine* engine = memory->engine;
  const HostScope scope(engine);
  const napi_value object = engine->value_of(memory->object);
  // Only JavaScript could still have reached it when its reference became weak, and V8 has collected it since: nobody will use it.
  if (object == nullptr) return true;
  void* data = nullptr;
  size_t length = 0;
  bool shared = false;
  if (!buffer_of(engine, object, &data, &length, &shared)) return false;
  memory->vm.base = address_of(data);
  memory->vm.bytes = length;
  memory->vm.flags = (memory->vm.flags & ~1u) | (shared ? 1u : 0u);
  memory->epoch = engine->epoch;
  return true;
}

bool refresh_unguarded(Engine* engine) {
  for (MemoryObject* memory : engine->unguarded) {
    if (!refresh_memory(memory)) return false;
  }
  return true;
}

void watch_length(MemoryObject* memory) {
  std::vector<MemoryObject*>& watched = memory->engine->unguarded;
  // A mapping of ours tells its length itself.
  if (!memory->is_mapped() && std::find(watched.begin(), watched.end(), memory) == watched.end()) watched.push_back(memory);
}

bool has_guards(uint64_t base, uint64_t length) {
  if (base == 0) return false;
  const std::string maps = read_file("/proc/self/maps");
  const uint64_t end = base + kGuardedSpan;
  uint64_t reached = base;  // Everything below is as it must be.
  for (size_t line = 0; line < maps.size() && reached < end; line = std::min(maps.find('\n', line), maps.size() - 1) + 1) {
    uint64_t from = 0, to = 0;
    char access[5] = {};
    if (std::sscanf(maps.c_str() + line, "%" SCNx64 "-%" SCNx64 " %4s", &from, &to, access) != 3) return false;
    if (to <= reached) continue;
    if (from > reached) return false;  // A hole: somebody may map something there.
    const bool faults = access[0] == '-' && access[1] == '-' && access[2] == '-';
    if (!faults && to > base + round_up(length, page_size())) return false;
    reached = to;
  }
  return reached >= end;
}

void install_memory_libcalls(Runtime* runtime) {
  runtime->set_libcall(Libcall::MemorySize, memory_size);
  runtime->set_libcall(Libcall::MemoryGrow, memory_grow);
  runtime->set_libcall(Libcall::MemoryRefresh, memory_refresh);
  runtime->set_libcall(Libcall::MemoryCopy, memory_copy);
  runtime->set_libcall(Libcall::MemoryFill, memory_fill);
  runtime->set_libcall(Libcall::MemoryInit, memory_init);
  runtime->set_libcall(Libcall::DataDrop, data_drop);
}

}  // namespace heddle

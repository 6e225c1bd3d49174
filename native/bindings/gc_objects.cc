// createObject, loadText, storeText, and the library calls of structures and arrays.
#include "bindings/gc_objects.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/attempt.h"
#include "bindings/arguments.h"
#include "heap/objects.h"
#include "trap/interrupt.h"

namespace heddle {

namespace {

const VMType& type_of(const Engine* engine, uint64_t id) {
  return engine->heap.descriptors.at(static_cast<uint32_t>(id));
}

bool in_bounds(uint64_t start, uint64_t count, uint64_t length) {
  return count <= length && start <= length - count;
}

/// Whether an array of so many elements would be longer than any may be.
bool is_too_long(const VMType& type, uint64_t length) {
  return length > (kArrayBytes - sizeof(VMObject)) >> type.bytes;
}

/// A zeroed object of a type, which has its head; null without memory.
VMObject* make_object(Engine* engine, uint32_t id, uint64_t length) {
  const VMType& type = type_of(engine, id);
  const bool is_array = type.kind == kTypeArray;
  const uint64_t bytes = is_array ? array_bytes(type, length) : type.bytes;
  auto* object = static_cast<VMObject*>(engine->heap.allocate(ObjectKind::Object, bytes));
  if (object == nullptr) return nullptr;
  object->type = id;
  object->length = static_cast<uint32_t>(length);
  return object;
}

/// A zeroed object of a type and of so many bytes, at a safepoint: from the thread's run where generated code goes on there.
HostResult new_object(VMThread* thread, uint64_t id, uint64_t length, uint64_t bytes) {
  Heap& heap = Engine::of(thread)->heap;
  auto* object = static_cast<VMObject*>(heap.make_at_safepoint(
      {}, [&] { return bytes <= kRunBytes ? heap.allocate_in_run(bytes) : heap.allocate(ObjectKind::Object, bytes); }));
  if (object == nullptr) return raise_trap(thread, Trap::OutOfMemory, kRefusedHeap);
  object->type = static_cast<uint32_t>(id);
  object->length = static_cast<uint32_t>(length);
  return {address_of(object), nullptr};
}

HostResult struct_new(VMThread* thread, uint64_t id, uint64_t, uint64_t, uint64_t) {
  return new_object(thread, id, 0, type_of(Engine::of(thread), id).bytes);
}

HostResult array_new(VMThread* thread, uint64_t id, uint64_t length, uint64_t, uint64_t) {
  const VMType& type = type_of(Engine::of(thread), id);
  if (is_too_long(type, length)) return raise_trap(thread, Trap::ArraySize);
  return new_object(thread, id, length, array_bytes(type, length));
}

const InstanceObject* instance_at(uint64_t address) {
  return static_cast<const InstanceObject*>(at<VMInstance>(address)->data);
}

HostResult array_new_data(VMThread* thread, uint64_t id, uint64_t from, uint64_t length, uint64_t segment) {
  const InstanceObject* instance = instance_at(thread->scratch0);
  const auto number = static_cast<uint32_t>(segment);
  const uint64_t bytes = length << type_of(Engine::of(thread), id).bytes;
  if (!has_range(instance->data, number, from, bytes)) return raise_trap(thread, Trap::MemoryBounds);
  const HostResult made = array_new(thread, id, length, 0, 0);
  if (made.raise == nullptr && bytes != 0) {
    std::memcpy(at<void>(elements_of(at<VMObject>(made.value))), instance->data.at(number).data() + from, bytes);
  }
  return made;
}

HostResult array_new_elem(VMThread* thread, uint64_t id, uint64_t from, uint64_t length, uint64_t segment) {
  const InstanceObject* instance = instance_at(thread->scratch0);
  const auto number = static_cast<uint32_t>(segment);
  if (!has_range(instance->elements, number, from, length)) return raise_trap(thread, Trap::TableBounds);
  const HostResult made = array_new(thread, id, length, 0, 0);
  if (made.raise == nullptr && length != 0) {
    std::memcpy(at<void>(elements_of(at<VMObject>(made.value))), instance->elements.at(number).data() + from, length * sizeof(uint64_t));
  }
  return made;
}

/// A v128.
struct Wide {
  uint64_t low;
  uint64_t high;
};

/// Fills elements of 1 << `log2` bytes with a value.
void fill(uint64_t elements, uint32_t log2, uint64_t count, Wide value) {
  switch (log2) {
    case 0:
      std::memset(at<void>(elements), static_cast<int>(value.low & 0xff), count);
      return;
    case 1:
      std::fill_n(at<uint16_t>(elements), count, static_cast<uint16_t>(value.low));
      return;
    case 2:
      std::fill_n(at<uint32_t>(elements), count, static_cast<uint32_t>(value.low));
      return;
    case 3:
      std::fill_n(at<uint64_t>(elements), count, value.low);
      return;
    default:
      std::fill_n(at<Wide>(elements), count, value);
  }
}

/// Why a range of an array cannot be used: it is null, or the range is not inside. Else none.
Trap refusal(uint64_t array, uint64_t start, uint64_t count) {
  if (array == 0) return Trap::NullArray;
  return in_bounds(start, count, at<VMObject>(array)->length) ? Trap::None : Trap::ArrayBounds;
}

/// Elements of an array that are filled or copied before the next look.
uint64_t piece_of(uint32_t log2) {
  return kPiece >> log2;
}

HostResult array_fill(VMThread* thread, uint64_t array, uint64_t from, uint64_t length, uint64_t) {
  const Wide value{thread->scratch0, thread->scratch1};
  const Trap refused = refusal(array, from, length);
  if (refused != Trap::None) return raise_trap(thread, refused);
  const uint32_t log2 = type_of(Engine::of(thread), at<VMObject>(array)->type).bytes;
  const uint64_t elements = elements_of(at<VMObject>(array)) + (from << log2);
  return in_pieces(thread, length, piece_of(log2), false,
                   [=](uint64_t offset, uint64_t count) { fill(elements + (offset << log2), log2, count, value); });
}

HostResult array_copy(VMThread* thread, uint64_t target, uint64_t to, uint64_t source, uint64_t from) {
  const uint64_t length = thread->scratch0;
  // Both are looked at for null before either range is.
  if (target == 0 || source == 0) return raise_trap(thread, Trap::NullArray);
  for (const Trap refused : {refusal(target, to, length), refusal(source, from, length)}) {
    if (refused != Trap::None) return raise_trap(thread, refused);
  }
  const uint32_t log2 = type_of(Engine::of(thread), at<VMObject>(target)->type).bytes;
  const uint64_t destination = elements_of(at<VMObject>(target)) + (to << log2);
  const uint64_t origin = elements_of(at<VMObject>(source)) + (from << log2);
  // Of the same array nothing is written over that is still to be read.
  return in_pieces(thread, length, piece_of(log2), target == source && to > from, [=](uint64_t offset, uint64_t count) {
    std::memmove(at<void>(destination + (offset << log2)), at<void>(origin + (offset << log2)), count << log2);
  });
}

HostResult array_init_data(VMThread* thread, uint64_t array, uint64_t to, uint64_t from, uint64_t length) {
  const InstanceObject* instance = instance_at(thread->scratch0);
  const auto segment = static_cast<uint32_t>(thread->scratch1);
  const Trap refused = refusal(array, to, length);
  if (refused != Trap::None) return raise_trap(thread, refused);
  const uint32_t log2 = type_of(Engine::of(thread), at<VMObject>(array)->type).bytes;
  const uint64_t bytes = length << log2;
  if (!has_range(instance->data, segment, from, bytes)) return raise_trap(thread, Trap::MemoryBounds);
  const uint64_t elements = elements_of(at<VMObject>(array)) + (to << log2);
  return in_pieces(thread, bytes, kPiece, false, [=](uint64_t offset, uint64_t size) {
    // Looked for again, because it may have been dropped.
    if (size == 0 || !has_range(instance->data, segment, from, bytes)) return;
    std::memcpy(at<void>(elements + offset), instance->data.at(segment).data() + from + offset, size);
  });
}

HostResult array_init_elem(VMThread* thread, uint64_t array, uint64_t to, uint64_t from, uint64_t length) {
  const InstanceObject* instance = instance_at(thread->scratch0);
  const auto segment = static_cast<uint32_t>(thread->scratch1);
  const Trap refused = refusal(array, to, length);
  if (refused != Trap::None) return raise_trap(thread, refused);
  if (!has_range(instance->elements, segment, from, length)) return raise_trap(thread, Trap::TableBounds);
  const uint64_t elements = elements_of(at<VMObject>(array)) + to * sizeof(uint64_t);
  return in_pieces(thread, length, kPiece / sizeof(uint64_t), false, [=](uint64_t offset, uint64_t count) {
    if (count == 0 || !has_range(instance->elements, segment, from, length)) return;
    std::memcpy(at<void>(elements + offset * sizeof(uint64_t)), instance->elements.at(segment).data() + from + offset,
                count * sizeof(uint64_t));
  });
}

/// No safepoint: the caller may have others that nothing refers to yet.
napi_value create_object(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const uint64_t id = in.number(0), length = in.number(1);
  const Bytes contents = in.bytes(2);
  if (!in) return nullptr;
  Engine* engine = in.engine();
  const uint32_t kind = id < engine->heap.descriptors.count() ? type_of(engine, id).kind : 0;
  if (kind != kTypeStruct && kind != kTypeArray) in.fail("a type of structures or arrays");
  if (!in) return nullptr;
  const VMType& type = type_of(engine, id);
  VMObject* object = kind == kTypeArray && is_too_long(type, length) ? nullptr : make_object(engine, static_cast<uint32_t>(id), length);
  if (object == nullptr) {
    napi_throw_range_error(env, "HEDDLE_MEMORY", "no memory for a structure or array");
    return nullptr;
  }
  const uint64_t bytes = (kind == kTypeArray ? array_bytes(type, length) : type.bytes) - sizeof(VMObject);
  if (contents.size > bytes) {
    in.fail("contents that fit");
    return nullptr;
  }
  if (contents.size != 0) std::memcpy(object + 1, contents.data, contents.size);
  // Elements follow each other without gaps: what is there is doubled.
  for (uint64_t done = contents.size; kind == kTypeArray && done != 0 && done < bytes;) {
    const uint64_t more = std::min(done, bytes - done);
    std::memcpy(at<uint8_t>(elements_of(object)) + done, object + 1, more);
    done += more;
  }
  return make_number(env, static_cast<double>(address_of(object)));
}

napi_value load_text(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const auto* units = in.object<char16_t>(0);
  const uint64_t length = in.number(1);
  napi_value text = nullptr;
  if (!in) return nullptr;
  if (napi_create_string_utf16(env, units, length, &text) == napi_ok) return text;
  napi_throw_range_error(env, "HEDDLE_MEMORY", "the string would be longer than any may be");
  return nullptr;
}

napi_value store_text(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  auto* units = in.object<char16_t>(0);
  size_t length = 0;
  if (in && napi_get_value_string_utf16(env, in.value(1), nullptr, 0, &length) != napi_ok) in.fail("a string");
  if (!in || length == 0) return nullptr;
  // N-API ends what it writes with a zero, for which there may be no room: so by way of a buffer.
  std::vector<char16_t> copy;
  if (!attempt([&] { copy.resize(length + 1); })) {
    napi_throw_range_error(env, "HEDDLE_MEMORY", "no memory to copy a string");
    return nullptr;
  }
  napi_get_value_string_utf16(env, in.value(1), copy.data(), copy.size(), &length);
  std::memcpy(units, copy.data(), length * sizeof(char16_t));
  return nullptr;
}

}  // namespace

void install_object_libcalls(Runtime* runtime) {
  runtime->set_libcall(Libcall::StructNew, struct_new);
  runtime->set_libcall(Libcall::ArrayNew, array_new);
  runtime->set_libcall(Libcall::ArrayNewData, array_new_data);
  runtime->set_libcall(Libcall::ArrayNewElem, array_new_elem);
  runtime->set_libcall(Libcall::ArrayFill, array_fill);
  runtime->set_libcall(Libcall::ArrayCopy, array_copy);
  runtime->set_libcall(Libcall::ArrayInitData, array_init_data);
  runtime->set_libcall(Libcall::ArrayInitElem, array_init_elem);
}

void define_gc_object_functions(napi_env env, napi_value exports) {
  define_functions(env, exports, {{"createObject", create_object}, {"loadText", load_text}, {"storeText", store_text}});
}

}  // namespace heddle

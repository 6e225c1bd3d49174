// shareTypes, defineTypes, forgetTypes, createTypes, reclaim.
#include <cstring>

#include "base/attempt.h"
#include "bindings/arguments.h"

namespace heddle {

namespace {

/// More than V8's own heap may ever be: it collects at once where this much more memory hangs on its objects.
constexpr int64_t kPressure = int64_t{1} << 46;
/// What a type costs besides its id, in bytes, more or less: what V8 and this engine keep of it.
constexpr uint64_t kTypeWeight = 128;

struct Ids {
  const uint32_t* data;
  size_t count;
};

Ids ids_of(const Bytes& bytes) {
  return {reinterpret_cast<const uint32_t*>(bytes.data), bytes.size / sizeof(uint32_t)};  // SAFETY: a Uint32Array's data.
}

napi_value no_memory(napi_env env) {
  napi_throw_range_error(env, "HEDDLE_MEMORY", "no memory for types");
  return nullptr;
}

napi_value share_types(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const Bytes marks = in.words(0, napi_uint32_array);
  if (!in) return nullptr;
  TypeMarks& types = in.engine()->heap.types;
  types.words = reinterpret_cast<uint32_t*>(marks.data);  // SAFETY: a Uint32Array's data.
  types.count = marks.size * 8;
  return nullptr;
}

/// Words in front of what differs from kind to kind.
constexpr size_t kTypeHead = 5;

/// Defines the type that begins at `words` (contract/formats.md, section 8). Returns how many of the `count` words are its, 0 where they
/// are no type. May throw std::bad_alloc.
size_t define_type(Engine* engine, const uint32_t* words, size_t count) {
  if (count < kTypeHead) return 0;
  Descriptors& descriptors = engine->heap.descriptors;
  const uint32_t id = words[0], super = words[1], kind = words[2];
  const uint64_t first = words[3], second = words[4];
  if (id >= descriptors.count() || super >= descriptors.count()) return 0;
  if (kind == kTypeFunc) {
    if (first + second > count - kTypeHead) return 0;
    const uint32_t* values = words + kTypeHead;
    auto type = std::make_unique<FunctionType>();
    type->params.assign(values, values + first);
    type->results.assign(values + first, values + first + second);
    if (engine->types.size() <= id) engine->types.resize(id + 1);
    engine->types[id] = std::move(type);
    descriptors.define(id, kind, super);
    return kTypeHead + first + second;
  }
  VMType* type = descriptors.define(id, kind, super);
  if (kind == kTypeCont) return kTypeHead;
  if (count == kTypeHead) return 0;
  type->bytes = words[3];
  type->references = second | uint64_t{words[5]} << 32;
  return kTypeHead + 1;
}

napi_value define_types(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const Ids words = ids_of(in.words(0, napi_uint32_array));
  if (!in) return nullptr;
  Engine* engine = in.engine();
  if (!engine->heap.descriptors.reserve(engine->heap.types.count)) return no_memory(env);
  const bool well = attempt([&] {
    for (size_t i = 0; i < words.count;) {
      const size_t size = define_type(engine, words.data + i, words.count - i);
      if (size == 0) return in.fail("types");
      i += size;
    }
  });
  return well ? nullptr : no_memory(env);
}

napi_value forget_types(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const Ids ids = ids_of(in.words(0, napi_uint32_array));
  if (!in) return nullptr;
  auto& types = in.engine()->types;
  for (size_t i = 0; i < ids.count; i++) {
    if (ids.data[i] < types.size()) types[ids.data[i]].reset();
    if (ids.data[i] < in.engine()->heap.descriptors.count()) in.engine()->heap.descriptors.forget(ids.data[i]);
  }
  return nullptr;
}

napi_value create_types(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const Ids ids = ids_of(in.words(0, napi_uint32_array));
  if (!in) return nullptr;
  const uint64_t bytes = ids.count * sizeof(uint32_t);
  auto* list = static_cast<TypeList*>(in.engine()->heap.allocate(ObjectKind::Types, sizeof(TypeList) + bytes, ids.count * kTypeWeight));
  if (list == nullptr) return no_memory(env);
  list->count = ids.count;
  if (bytes != 0) std::memcpy(list->ids(), ids.data, bytes);
  return make_number(env, static_cast<double>(address_of(list)));
}

napi_value reclaim(napi_env env, napi_callback_info info) {
  const Arguments in(env, info);
  int64_t now = 0;
  napi_adjust_external_memory(env, kPressure, &now);
  napi_adjust_external_memory(env, -kPressure, &now);
  in.engine()->heap.collect();
  return nullptr;
}

}  // namespace

void define_type_functions(napi_env env, napi_value exports) {
  define_functions(env, exports,
                   {{"shareTypes", share_types},
                    {"defineTypes", define_types},
                    {"forgetTypes", forget_types},
                    {"createTypes", create_types},
                    {"reclaim", reclaim}});
}

}  // namespace heddle

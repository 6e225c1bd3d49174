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

napi_value define_types(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const Ids words = ids_of(in.words(0, napi_uint32_array));
  if (!in) return nullptr;
  auto& types = in.engine()->types;
  const uint64_t most = in.engine()->heap.types.count;
  const bool well = attempt([&] {
    // [id, id of the supertype or 0, n params, n results, params…, results…]*, value types as bytes.
    for (size_t i = 0; i + 4 <= words.count;) {
      const uint32_t id = words.data[i];
      const uint64_t params = words.data[i + 2], results = words.data[i + 3];
      if (id >= most || i + 4 + params + results > words.count) return in.fail("types");
      const uint32_t* values = words.data + i + 4;
      auto type = std::make_unique<FunctionType>();
      type->super = words.data[i + 1];
      type->params.assign(values, values + params);
      type->results.assign(values + params, values + params + results);
      if (types.size() <= id) types.resize(id + 1);
      types[id] = std::move(type);
      i += 4 + params + results;
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

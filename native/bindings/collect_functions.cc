// collect, requestCollection, hibernate, hold, holder, noteCache, useMemory, shareExterns, disposeHostFunction.
#include "bindings/arguments.h"

namespace heddle {

namespace {

napi_value collect(napi_env env, napi_callback_info info) {
  const Arguments in(env, info);
  in.engine()->heap.collect();
  return nullptr;
}

napi_value request_collection(napi_env env, napi_callback_info info) {
  const Arguments in(env, info);
  in.engine()->heap.request();
  return nullptr;
}

napi_value hibernate(napi_env env, napi_callback_info info) {
  const Arguments in(env, info);
  return make_number(env, static_cast<double>(in.engine()->runtime.hibernate()));
}

napi_value hold(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const uint64_t word = in.word(0);
  if (in && !in.engine()->roots.hold(word, in.value(1))) in.fail("an object");
  return nullptr;
}

napi_value holder(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const uint64_t word = in.word(0);
  return in ? in.engine()->roots.holder(word) : nullptr;
}

napi_value note_cache(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  if (in && !in.engine()->roots.note_cache(in.value(0))) in.fail("an object");
  return nullptr;
}

napi_value use_memory(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  auto* memory = in ? in.engine()->object_at<MemoryObject>(ObjectKind::Memory, in.number(0)) : nullptr;
  if (in && memory == nullptr) in.fail("a memory");
  if (in) in.engine()->roots.use_memory(memory);
  return nullptr;
}

napi_value share_externs(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  const Bytes generations = in.words(0, napi_uint32_array);
  const Bytes marks = in.bytes(1);
  if (in && generations.size / sizeof(uint32_t) != marks.size) in.fail("arrays of one length");
  if (!in) return nullptr;
  Externs& externs = in.engine()->heap.externs;
  externs.generations = reinterpret_cast<const uint32_t*>(generations.data);  // SAFETY: a Uint32Array's data.
  externs.marks = marks.data;
  externs.count = marks.size;
  return nullptr;
}

napi_value dispose_host_function(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  auto* host = in ? in.engine()->object_at<HostObject>(ObjectKind::HostFunction, in.number(0)) : nullptr;
  if (in && host == nullptr) in.fail("an imported function");
  if (!in) return nullptr;
  if (host->callee != nullptr) napi_delete_reference(env, host->callee);
  host->callee = nullptr;
  host->vm.callee = 0;
  return make_number(env, host->kind == kHostNumbers ? -1 - static_cast<double>(host->number) : static_cast<double>(host->vm.id));
}

}  // namespace

void define_collect_functions(napi_env env, napi_value exports) {
  define_functions(env, exports,
                   {{"collect", collect},
                    {"requestCollection", request_collection},
                    {"hibernate", hibernate},
                    {"hold", hold},
                    {"holder", holder},
                    {"noteCache", note_cache},
                    {"useMemory", use_memory},
                    {"shareExterns", share_externs},
                    {"disposeHostFunction", dispose_host_function}});
}

}  // namespace heddle

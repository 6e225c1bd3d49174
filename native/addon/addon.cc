// The addon: one engine for each Node environment that loads it.
#include "bindings/arguments.h"

namespace heddle {

namespace {

void destroy(napi_env, void* engine, void*) {
  delete static_cast<Engine*>(engine);
}

napi_value start(napi_env env, napi_value exports) {
#if defined(__x86_64__)
  const char* const arch = "x64";
#else
  const char* const arch = "arm64";
#endif
  auto* engine = new Engine(env);
  if (napi_set_instance_data(env, engine, destroy, nullptr) != napi_ok) {
    delete engine;
    napi_throw_error(env, nullptr, "the addon cannot keep its state");
    return nullptr;
  }
  set_property(env, exports, "arch", make_text(env, arch));
  set_property(env, exports, "contract", make_text(env, kContract));
  define_report_functions(env, exports);
  define_exception_functions(env, exports);
  define_code_functions(env, exports);
  define_object_functions(env, exports);
  define_mapped_memory_functions(env, exports);
  define_call_functions(env, exports);
  define_resumption_functions(env, exports);
  return exports;
}

}  // namespace

}  // namespace heddle

NAPI_MODULE_INIT() {
  return heddle::start(env, exports);
}

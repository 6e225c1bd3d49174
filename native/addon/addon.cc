// The addon: one engine for each time that a Node environment loads it.
#include <napi.h>

#include "bindings/arguments.h"

namespace heddle {

namespace {

#if defined(__x86_64__)
constexpr char kArch[] = "x64";
#else
constexpr char kArch[] = "arm64";
#endif

void destroy(Napi::Env, Engine* engine) {
  delete engine;
}

/// Whether who loads the addon has put this property on the exports: an engine for the code generator is wanted.
EngineUse use_of(napi_env env, napi_value exports) {
  bool has = false;
  // asks: the object that Node, or ts/link/addon.ts, has just made for this.
  napi_has_own_property(env, exports, make_text(env, "codeGenerator"), &has);
  return has ? EngineUse::CodeGenerator : EngineUse::Program;
}

Napi::Object start(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData<Engine, destroy>(new Engine(env, use_of(env, exports)));
  if (env.IsExceptionPending()) return exports;
  // Not by Object::Set: where the thread is being terminated, which fails, that ends the process.
  set_property(env, exports, "arch", make_text(env, kArch));
  set_property(env, exports, "contract", make_text(env, kContract));
  define_report_functions(env, exports);
  define_inspect_functions(env, exports);
  define_exception_functions(env, exports);
  define_code_functions(env, exports);
  define_lazy_functions(env, exports);
  define_file_functions(env, exports);
  define_digest_functions(env, exports);
  define_object_functions(env, exports);
  define_gc_object_functions(env, exports);
  define_mapped_memory_functions(env, exports);
  define_call_functions(env, exports);
  define_collect_functions(env, exports);
  define_resumption_functions(env, exports);
  define_turn_functions(env, exports);
  define_shadow_functions(env, exports);
  define_type_functions(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(heddle, start)

}  // namespace heddle

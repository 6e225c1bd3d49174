// Reading the arguments of the addon's functions. TypeScript calls them rightly; what is checked here keeps a wrong call from reading wild
// memory.
#pragma once
#include <string>

#include "bindings/engine.h"

namespace heddle {

/// Bytes of a typed array.
struct Bytes {
  uint8_t* data = nullptr;
  size_t size = 0;
};

/// The arguments of one call. Each reader throws a TypeError and makes the whole false when an argument is wrong.
class Arguments {
 public:
  Arguments(napi_env env, napi_callback_info info);

  explicit operator bool() const { return ok_; }
  Engine* engine() const { return engine_; }
  napi_env env() const { return env_; }
  napi_value value(size_t i) const { return values_[i]; }
  /// A number; infinite ones become all ones.
  uint64_t number(size_t i);
  /// A reference as WebAssembly has it: a number, or a bigint where it may exceed 2^53.
  uint64_t word(size_t i);
  /// The address of an object of ours: not 0.
  template <typename T>
  T* object(size_t i) {
    const uint64_t address = number(i);
    if (address == 0) fail("an address");
    return at<T>(address);
  }
  /// Milliseconds, 0 for none, as the time at which they have passed: in monotonic nanoseconds, all ones for never.
  uint64_t deadline(size_t i);
  Bytes bytes(size_t i) { return typed(i, napi_uint8_array, 1); }
  Bytes doubles(size_t i) { return typed(i, napi_float64_array, sizeof(double)); }
  Bytes words(size_t i, napi_typedarray_type type) { return typed(i, type, sizeof(uint32_t)); }
  std::string text(size_t i);
  /// A strong reference to a function or object.
  napi_ref reference(size_t i);
  /// Notes and throws that an argument is not what it must be.
  void fail(const char* wanted);

 private:
  Bytes typed(size_t i, napi_typedarray_type type, size_t element);

  static constexpr size_t kMost = 9;
  napi_env env_;
  Engine* engine_;
  napi_value values_[kMost] = {};
  bool ok_ = true;
};

/// A property of `object`, or null when it is undefined or cannot be read.
napi_value property(napi_env env, napi_value object, const char* name);
void set_property(napi_env env, napi_value object, const char* name, napi_value value);
/// The same for an element: to set one would ask what a program has put on Array.prototype. False where it cannot be.
bool define_element(napi_env env, napi_value array, size_t index, napi_value value);
napi_value make_number(napi_env env, double value);
napi_value make_text(napi_env env, const std::string& value);

/// Adds functions to the addon's exports.
struct NativeFunction {
  const char* name;
  napi_callback function;
};
template <size_t N>
void define_functions(napi_env env, napi_value exports, const NativeFunction (&functions)[N]) {
  for (const NativeFunction& entry : functions) {
    napi_value function = nullptr;
    napi_create_function(env, entry.name, NAPI_AUTO_LENGTH, entry.function, nullptr, &function);
    set_property(env, exports, entry.name, function);
  }
}

void define_code_functions(napi_env env, napi_value exports);
void define_lazy_functions(napi_env env, napi_value exports);
void define_file_functions(napi_env env, napi_value exports);
void define_digest_functions(napi_env env, napi_value exports);
void define_object_functions(napi_env env, napi_value exports);
void define_gc_object_functions(napi_env env, napi_value exports);
void define_mapped_memory_functions(napi_env env, napi_value exports);
void define_call_functions(napi_env env, napi_value exports);
void define_report_functions(napi_env env, napi_value exports);
void define_inspect_functions(napi_env env, napi_value exports);
void define_resumption_functions(napi_env env, napi_value exports);
void define_exception_functions(napi_env env, napi_value exports);
void define_turn_functions(napi_env env, napi_value exports);
void define_shadow_functions(napi_env env, napi_value exports);
void define_type_functions(napi_env env, napi_value exports);
void define_collect_functions(napi_env env, napi_value exports);

}  // namespace heddle

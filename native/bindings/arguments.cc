#include "bindings/arguments.h"

#include <cmath>

#include "trap/watchdog.h"

namespace heddle {

Arguments::Arguments(napi_env env, napi_callback_info info) : env_(env), engine_(Engine::of(env)) {
  size_t count = kMost;
  if (napi_get_cb_info(env, info, &count, values_, nullptr, nullptr) != napi_ok) ok_ = false;
}

void Arguments::fail(const char* wanted) {
  if (ok_) napi_throw_type_error(env_, "HEDDLE_INTERNAL", (std::string("the addon was not given ") + wanted).c_str());
  ok_ = false;
}

uint64_t Arguments::number(size_t i) {
  double number = 0;
  if (napi_get_value_double(env_, values_[i], &number) != napi_ok || std::isnan(number) || number < 0) {
    fail("a number");
    return 0;
  }
  return number >= 18446744073709551616.0 ? ~uint64_t{0} : static_cast<uint64_t>(number);
}

uint64_t Arguments::deadline(size_t i) {
  double milliseconds = 0;
  if (napi_get_value_double(env_, values_[i], &milliseconds) != napi_ok || !(milliseconds > 0)) return ~uint64_t{0};
  if (milliseconds > 1e12) return ~uint64_t{0};
  return now_nanoseconds() + static_cast<uint64_t>(milliseconds * 1e6);
}

uint64_t Arguments::word(size_t i) {
  uint64_t word = 0;
  bool lossless = false;
  return napi_get_value_bigint_uint64(env_, values_[i], &word, &lossless) == napi_ok ? word : number(i);
}

Bytes Arguments::typed(size_t i, napi_typedarray_type type, size_t element) {
  napi_typedarray_type actual;
  size_t length = 0, offset = 0;
  void* data = nullptr;
  napi_value buffer = nullptr;
  bool is_array = false;
  napi_is_typedarray(env_, values_[i], &is_array);
  if (!is_array || napi_get_typedarray_info(env_, values_[i], &actual, &length, &data, &buffer, &offset) != napi_ok || actual != type) {
    fail("a typed array");
    return {};
  }
  return {static_cast<uint8_t*>(data), length * element};
}

std::string Arguments::text(size_t i) {
  size_t length = 0;
  if (napi_get_value_string_utf8(env_, values_[i], nullptr, 0, &length) != napi_ok) {
    fail("a string");
    return {};
  }
  std::string text(length, '\0');
  napi_get_value_string_utf8(env_, values_[i], text.data(), length + 1, &length);
  return text;
}

napi_ref Arguments::reference(size_t i) {
  napi_ref reference = nullptr;
  if (napi_create_reference(env_, values_[i], 1, &reference) != napi_ok) fail("an object");
  return reference;
}

napi_value property(napi_env env, napi_value object, const char* name) {
  napi_value key = nullptr, value = nullptr;
  napi_valuetype type = napi_undefined;
  bool own = false;
  if (napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &key) != napi_ok) return nullptr;
  // asks: for its own properties alone.
  if (napi_has_own_property(env, object, key, &own) != napi_ok || !own) return nullptr;
  // asks: a property of its own, of an object that TypeScript made.
  if (napi_get_property(env, object, key, &value) != napi_ok) return nullptr;
  napi_typeof(env, value, &type);
  return type == napi_undefined ? nullptr : value;
}

void set_property(napi_env env, napi_value object, const char* name, napi_value value) {
  const napi_property_descriptor own = {name, nullptr, nullptr, nullptr, nullptr, value, napi_default_jsproperty, nullptr};
  napi_define_properties(env, object, 1, &own);
}

bool define_element(napi_env env, napi_value array, size_t index, napi_value value) {
  const napi_property_descriptor own = {
      nullptr, make_text(env, std::to_string(index)), nullptr, nullptr, nullptr, value, napi_default_jsproperty, nullptr};
  return napi_define_properties(env, array, 1, &own) == napi_ok;
}

napi_value make_number(napi_env env, double value) {
  napi_value result = nullptr;
  napi_create_double(env, value, &result);
  return result;
}

napi_value make_text(napi_env env, const std::string& value) {
  napi_value result = nullptr;
  napi_create_string_utf8(env, value.c_str(), value.size(), &result);
  return result;
}

}  // namespace heddle

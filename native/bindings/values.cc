#include "bindings/values.h"

#include <limits>

namespace heddle {

namespace {

/// Stores a value that is already of the right JavaScript kind; false, with nothing pending, when it is not.
bool store_exact(napi_env env, uint8_t kind, napi_value value, uint64_t slot) {
  switch (kind) {
    case kI32:
      return napi_get_value_int32(env, value, at<int32_t>(slot)) == napi_ok;
    case kI64: {
      bool lossless = false;  // Taken modulo 2^64, as ToBigInt64 does.
      return napi_get_value_bigint_int64(env, value, at<int64_t>(slot), &lossless) == napi_ok;
    }
    case kF32: {
      double number = 0;
      if (napi_get_value_double(env, value, &number) != napi_ok) return false;
      *at<float>(slot) = static_cast<float>(number);
      return true;
    }
    case kF64:
      return napi_get_value_double(env, value, at<double>(slot)) == napi_ok;
    case kReference: {
      double number = 0;
      if (napi_get_value_double(env, value, &number) != napi_ok) return false;
      *at<uint64_t>(slot) = static_cast<uint64_t>(number);
      return true;
    }
    default:
      return false;
  }
}

}  // namespace

bool store_any_value(Engine* engine, uint8_t kind, napi_value value, uint64_t slot) {
  napi_env env = engine->env;
  if (store_exact(env, kind, value, slot)) return true;
  napi_value nothing = nullptr, coerced = nullptr;
  napi_get_undefined(env, &nothing);
  napi_value arguments[2] = {nullptr, value};
  napi_create_uint32(env, kind, &arguments[0]);
  if (engine->hooks.coerce == nullptr) {
    napi_throw_type_error(env, nullptr, "wrong kind of value");
    return false;
  }
  if (napi_call_function(env, nothing, engine->value_of(engine->hooks.coerce), 2, arguments, &coerced) != napi_ok) return false;
  if (store_exact(env, kind, coerced, slot)) return true;
  napi_throw_type_error(env, nullptr, "wrong kind of value");
  return false;
}

napi_value load_any_value(Engine* engine, uint8_t kind, uint64_t slot) {
  napi_env env = engine->env;
  napi_value value = nullptr;
  switch (kind) {
    case kI32:
      napi_create_int32(env, *at<int32_t>(slot), &value);
      return value;
    case kI64:
      napi_create_bigint_int64(env, *at<int64_t>(slot), &value);
      return value;
    case kF32:
      napi_create_double(env, static_cast<double>(*at<float>(slot)), &value);
      return value;
    case kF64:
      napi_create_double(env, *at<double>(slot), &value);
      return value;
    case kReference: {
      const uint64_t word = *at<uint64_t>(slot);
      if (word <= std::numeric_limits<int32_t>::max()) {
        napi_create_int32(env, static_cast<int32_t>(word), &value);
      } else {
        napi_create_double(env, static_cast<double>(word), &value);
      }
      return value;
    }
    default:
      napi_throw_type_error(env, nullptr, "a v128 value has no JavaScript form");
      return nullptr;
  }
}

napi_value load_results(Engine* engine, const std::vector<uint8_t>& kinds, uint64_t slots) {
  napi_value value = nullptr;
  if (kinds.size() == 1) return load_value(engine, kinds[0], slots);
  if (kinds.empty()) {
    napi_get_undefined(engine->env, &value);
    return value;
  }
  std::vector<napi_value> values(kinds.size());
  for (size_t i = 0; i < kinds.size(); i++) {
    values[i] = load_value(engine, kinds[i], slots + kSlotSize * i);
    if (values[i] == nullptr) return nullptr;
  }
  return make_list(engine, values);
}

namespace {

/// The values of an iterable as an array, made by JavaScript's own spread; null when an exception is pending.
napi_value spread(napi_env env, napi_value iterable) {
  napi_value source = nullptr, function = nullptr, nothing = nullptr, array = nullptr;
  napi_create_string_utf8(env, "(v) => [...v]", NAPI_AUTO_LENGTH, &source);
  napi_get_undefined(env, &nothing);
  // asks: the caller's own iterable; TypeScript gives lists.
  if (napi_run_script(env, source, &function) != napi_ok) return nullptr;
  return napi_call_function(env, nothing, function, 1, &iterable, &array) == napi_ok ? array : nullptr;
}

}  // namespace

bool store_results(Engine* engine, const std::vector<uint8_t>& kinds, napi_value value, uint64_t slots) {
  if (kinds.empty()) return true;
  if (kinds.size() == 1) return store_value(engine, kinds[0], value, slots);
  napi_env env = engine->env;
  bool is_array = false;
  napi_is_array(env, value, &is_array);
  if (!is_array) value = spread(env, value);
  uint32_t length = 0;
  if (value == nullptr || napi_get_array_length(env, value, &length) != napi_ok) return false;
  if (length != kinds.size()) {
    napi_throw_type_error(env, nullptr, "multi-return length mismatch");
    return false;
  }
  for (uint32_t i = 0; i < length; i++) {
    napi_value element = nullptr;
    // asks: a list of TypeScript's that has so many elements.
    if (napi_get_element(env, value, i, &element) != napi_ok) return false;
    if (!store_value(engine, kinds[i], element, slots + kSlotSize * i)) return false;
  }
  return true;
}

}  // namespace heddle

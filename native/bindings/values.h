// Values between JavaScript and payload slots.
#pragma once
#include "bindings/engine.h"

namespace heddle {

/// Stores `value` as a `kind` in the 16-byte slot at `slot`. Numbers and bigints of the right kind at once, all else through the coerce
/// hook. References cross as numbers. False when an exception is pending.
bool store_any_value(Engine* engine, uint8_t kind, napi_value value, uint64_t slot);
inline bool store_value(Engine* engine, uint8_t kind, napi_value value, uint64_t slot) {
  // The most frequent kind comes first; a dispatch over all of them takes longer than the rest.
  if (kind == kI32 && napi_get_value_int32(engine->env, value, at<int32_t>(slot)) == napi_ok) return true;
  return store_any_value(engine, kind, value, slot);
}

/// The JavaScript value of the slot at `slot`; null when an exception is pending.
napi_value load_any_value(Engine* engine, uint8_t kind, uint64_t slot);
inline napi_value load_value(Engine* engine, uint8_t kind, uint64_t slot) {
  napi_value value = nullptr;
  if (kind == kI32 && napi_create_int32(engine->env, *at<int32_t>(slot), &value) == napi_ok) return value;
  return load_any_value(engine, kind, slot);
}

/// What a function with these results returns to JavaScript: undefined, a value, or an array.
napi_value load_results(Engine* engine, const std::vector<uint8_t>& kinds, uint64_t slots);

/// Stores what a JavaScript function returned as the results `kinds`.
bool store_results(Engine* engine, const std::vector<uint8_t>& kinds, napi_value value, uint64_t slots);

/// An array of napi_values that is on the C++ stack for short lists.
class ValueList {
 public:
  explicit ValueList(size_t count) : count_(count) {
    if (count > kShort) long_.resize(count);
  }
  napi_value* data() { return count_ > kShort ? long_.data() : short_; }
  napi_value& operator[](size_t i) { return data()[i]; }

 private:
  static constexpr size_t kShort = 16;
  size_t count_;
  napi_value short_[kShort];
  std::vector<napi_value> long_;
};

}  // namespace heddle

#include "heap/objects.h"

#include "heap/marker.h"

namespace heddle {

namespace {

/// Bit of VMType.references: every word may be a reference.
constexpr uint64_t kEveryWord = uint64_t{1} << 63;

void trace_struct(Marker* marker, uint64_t object) {
  const VMType& type = marker->type_of(object);
  if ((type.references & kEveryWord) != 0) return marker->words(object + sizeof(VMObject), object + type.bytes);
  for (uint64_t bits = type.references; bits != 0; bits &= bits - 1) {
    marker->word(at<const uint64_t>(object)[__builtin_ctzll(bits)]);
  }
}

void trace_array(Marker* marker, uint64_t object) {
  const VMType& type = marker->type_of(object);
  if (type.references != 0) marker->words(object + sizeof(VMObject), object + array_bytes(type, at<const VMObject>(object)->length));
}

}  // namespace

Kind struct_kind() {
  return {trace_struct, nullptr};
}

Kind array_kind() {
  return {trace_array, nullptr};
}

}  // namespace heddle

#include "heap/objects.h"

#include "heap/marker.h"

namespace heddle {

namespace {

/// Bit of VMType.references: every word may be a reference.
constexpr uint64_t kEveryWord = uint64_t{1} << 63;

void trace_array(Marker* marker, const VMType& type, uint64_t array) {
  if (type.references != 0) marker->words(array + sizeof(VMObject), array + array_bytes(type, at<const VMObject>(array)->length));
}

void trace_object(Marker* marker, uint64_t object) {
  const VMType& type = marker->type_of(object);
  if (type.kind == kTypeArray) return trace_array(marker, type, object);
  if ((type.references & kEveryWord) != 0) return marker->words(object + sizeof(VMObject), object + type.bytes);
  for (uint64_t bits = type.references; bits != 0; bits &= bits - 1) {
    marker->word(at<const uint64_t>(object)[__builtin_ctzll(bits)]);
  }
}

}  // namespace

Kind object_kind() {
  return {trace_object, nullptr};
}

}  // namespace heddle

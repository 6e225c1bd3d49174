// Structures and arrays, which are objects of the heap.
#pragma once
#include "base/asm.h"
#include "base/layout.h"
#include "heap/blocks.h"
#include "heap/kind.h"

namespace heddle {

/// Bytes of an array with its head. Requires: `length` fits 32 bits.
inline uint64_t array_bytes(const VMType& type, uint64_t length) {
  return sizeof(VMObject) + (length << type.bytes);
}

/// Where the elements of an array begin.
inline uint64_t elements_of(const VMObject* array) {
  return address_of(array + 1);
}

/// How the collector sees them: by their types, since cells of one size have both.
Kind object_kind();

}  // namespace heddle

// SHA-256 for the addon's own functions.
#pragma once
#include <cstddef>
#include <cstdint>

#include "bindings/arguments.h"

namespace heddle {

/// Bytes of a hash.
constexpr size_t kHash = 32;

/// The SHA-256 of some ranges, one after another, `kHash` bytes. False where this Node gives addons no OpenSSL.
bool sha256_of(const Bytes* parts, size_t count, uint8_t* result);

}  // namespace heddle

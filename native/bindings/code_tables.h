// Tables of code as TypeScript gives them.
#pragma once
#include "bindings/arguments.h"
#include "code/code.h"

namespace heddle {

/// The words of a typed array of them.
inline Words words_of(const Bytes& bytes) {
  return {reinterpret_cast<const int32_t*>(bytes.data), bytes.size / sizeof(int32_t)};  // SAFETY: a typed array's data is aligned for it.
}

}  // namespace heddle

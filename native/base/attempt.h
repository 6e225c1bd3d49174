// Running out of memory where the standard library's containers grow.
#pragma once
#include <new>

namespace heddle {

/// Does what may allocate. False where there was no memory for it: then what `action` had not done by then is not done.
template <typename Action>
bool attempt(const Action& action) {
  try {
    action();
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

}  // namespace heddle

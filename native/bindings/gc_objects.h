// Structures and arrays: what generated code calls to make and fill them.
#pragma once
#include "bindings/engine.h"

namespace heddle {

void install_object_libcalls(Runtime* runtime);

}  // namespace heddle

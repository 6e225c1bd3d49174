// Functions that are made when they are first called.
#pragma once
#include "bindings/engine.h"

namespace heddle {

void install_lazy_libcalls(Runtime* runtime);

}  // namespace heddle

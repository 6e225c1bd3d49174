// Function types, as TypeScript's registry of types gives them.
#pragma once
#include "bindings/engine.h"

namespace heddle {

/// Ends the process where something alive names a type that is no more, or another than it should. Requires: a collection has just ended.
void check_types(const Engine& engine);

}  // namespace heddle

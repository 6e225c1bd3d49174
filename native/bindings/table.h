// Tables, which are ours: V8's cannot hold our functions.
#pragma once
#include "bindings/engine.h"

namespace heddle {

/// The old length, or -1 beyond the maximum or without memory.
int64_t grow_table(VMTable* table, uint64_t delta, uint64_t fill);

/// Stores words from `start` on; false, with nothing stored, where they do not fit.
bool copy_into_table(VMTable* table, uint64_t start, const double* words, size_t count);

void install_table_libcalls(Runtime* runtime);

}  // namespace heddle

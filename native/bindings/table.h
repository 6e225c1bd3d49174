// Tables, which are ours: V8's cannot hold our functions.
#pragma once
#include "bindings/engine.h"

namespace heddle {

/// What a table's elements lie in, behind this. It lives for as long as the table or an ArrayBuffer of TypeScript's has it: a view of a
/// table that has moved on shows what is no more, but never memory of others.
struct alignas(16) ElementStore {
  uint64_t owners;
};

/// The old length, or -1 beyond the maximum or without memory.
int64_t grow_table(Engine* engine, VMTable* table, uint64_t delta, uint64_t fill);

/// Lets go of a table's elements: the table is no more.
void release_elements(VMTable* table);

/// An ArrayBuffer over all that the table has room for, until it moves; null where there is nothing, or V8 makes none.
napi_value window_of(napi_env env, VMTable* table);

/// Stores words from `start` on; false, with nothing stored, where they do not fit.
bool copy_into_table(VMTable* table, uint64_t start, const double* words, size_t count);

void install_table_libcalls(Runtime* runtime);

}  // namespace heddle

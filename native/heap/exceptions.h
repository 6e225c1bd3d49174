// Exceptions, which are objects of the heap.
#pragma once
#include "base/layout.h"
#include "heap/blocks.h"
#include "heap/kind.h"

namespace heddle {

/// An exception with zeroed slots; null without memory.
VMException* allocate_exception(Blocks* blocks, VMTag* tag, uint32_t slots);

/// Frees an exception at once unless something else may name it. One that became an exnref, or that a JavaScript object stands for, is the
/// collector's.
void release_exception(Blocks* blocks, VMException* exception);

/// How the collector sees them.
Kind exception_kind();

}  // namespace heddle

// Linear memories that V8 cannot make: with 64-bit addresses on an older Node, or with pages of one byte. They are mappings of ours.
#pragma once
#include "bindings/engine.h"

namespace heddle {

/// Maps a memory of that many bytes; null without memory. JavaScript sees it through `mapped_buffer`.
MemoryObject* make_mapped_memory(Engine* engine, uint64_t bytes, uint64_t most_bytes, uint32_t page_shift);

/// Grows by `delta` pages: the old number of pages, or all ones where it cannot. The base may move; the ArrayBuffer of before is detached.
uint64_t grow_mapped_memory(MemoryObject* memory, uint64_t delta);

/// The ArrayBuffer over the memory: the same one until it grows. Null when an exception is pending.
napi_value mapped_buffer(MemoryObject* memory);

}  // namespace heddle

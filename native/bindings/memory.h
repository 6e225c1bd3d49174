// Linear memories: V8's own, and mappings of ours where V8 cannot make one.
#pragma once
#include "bindings/engine.h"

namespace heddle {

/// A memory on the heap, still without a base; null without memory.
MemoryObject* allocate_memory(Engine* engine);
/// Gives back one that could not be made.
void free_memory(MemoryObject* memory);
/// Frees all that a memory owns besides its cell.
void forget_memory(MemoryObject* memory);

/// Compares a memory's base and length with V8's. False when an exception is pending.
bool refresh_memory(MemoryObject* memory);

/// The same for every memory whose base may change, or whose length is watched. False when an exception is pending.
bool refresh_unguarded(Engine* engine);

/// From now on `vm.bytes` is right whenever WebAssembly runs, unless other threads grow the memory.
void watch_length(MemoryObject* memory);

/// Whether everything in [base + length, base + 8 GiB) is reserved and faults, so that a 33-bit index from `base` needs no check.
/// Read from /proc/self/maps: V8 makes memories without guards silently where address space is short or its trap handler is off.
bool has_guards(uint64_t base, uint64_t length);

/// memory.size, memory.grow and the bulk operations.
void install_memory_libcalls(Runtime* runtime);

}  // namespace heddle

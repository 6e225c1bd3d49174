// The kinds of objects on the heap, and what the collector must know of each.
#pragma once
#include <cstddef>
#include <cstdint>

namespace heddle {

class Marker;

/// What an object on the heap is. Object: a structure or array.
enum class ObjectKind : uint8_t { Instance, Table, Memory, Tag, Global, HostFunction, Exception, Types, Object };
inline constexpr size_t kObjectKinds = 9;

/// Whether objects of a kind are only memory: many, small, with nothing to do where one is freed. Their cells are aligned to 8 bytes.
inline constexpr bool is_plain(ObjectKind kind) {
  return kind == ObjectKind::Object;
}

/// How objects of a kind are traced and freed.
struct Kind {
  /// Marks everything that the object refers to; null where it refers to nothing.
  void (*trace)(Marker* marker, uint64_t object) = nullptr;
  /// Frees what the object owns besides its cell; null where it owns nothing. May allocate nothing on the heap.
  void (*finalize)(void* embedder, uint64_t object) = nullptr;
};

}  // namespace heddle

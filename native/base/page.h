// Pages and owned mappings.
#pragma once
#include <cstddef>
#include <cstdint>

namespace heddle {

/// The system's page size.
size_t page_size();

inline constexpr uint64_t round_up(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

/// A private mapping, unmapped at the end of its life.
class Mapping {
 public:
  Mapping() = default;
  /// Maps `size` bytes with the given protection; empty when the system refuses. Never counted as committed (MAP_NORESERVE).
  static Mapping reserve(size_t size, int protection);
  /// Fresh readable and writable memory with these bytes; empty when the system refuses.
  static Mapping copy(const void* bytes, size_t size);
  /// A file's contents, readable and writable without a change of the file; empty when it cannot be. Whoever writes to the file in place
  /// changes the mapping.
  static Mapping file(const char* path);
  /// The first `size` bytes of an open file, only to be read; empty when it cannot be. As for `file`, whoever writes to the file in place
  /// changes what is not written here; where it becomes shorter, to read behind its end is a SIGBUS.
  static Mapping view(int descriptor, size_t size);
  ~Mapping() { reset(); }
  Mapping(Mapping&& other) noexcept : base_(other.base_), size_(other.size_) { other.release(); }
  Mapping& operator=(Mapping&& other) noexcept;
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  explicit operator bool() const { return base_ != 0; }
  uint64_t base() const { return base_; }
  size_t size() const { return size_; }
  uint64_t end() const { return base_ + size_; }
  /// mprotect on a part; offsets are page-aligned.
  bool protect(size_t offset, size_t size, int protection) const;
  /// madvise on a part; false when the kernel does not know the advice.
  bool advise(size_t offset, size_t size, int advice) const;
  /// Makes it longer, at another address where it has to move; what is added is zero. False, and unchanged, when the system refuses.
  bool grow(size_t size);
  void reset();

 private:
  Mapping(uint64_t base, size_t size) : base_(base), size_(size) {}
  void release() {
    base_ = 0;
    size_ = 0;
  }
  uint64_t base_ = 0;
  size_t size_ = 0;
};

/// Memory at an address, for C++ that reads or writes what generated code shares with it.
template <typename T>
inline T* at(uint64_t address) {
  return reinterpret_cast<T*>(address);  // SAFETY: callers pass addresses of live objects of that type (contract/abi.ts).
}

}  // namespace heddle

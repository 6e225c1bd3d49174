// The file in memory that has all of the process's code that grows.
#pragma once
#include <cstddef>
#include <cstdint>

namespace heddle {

/// A range of the process's file for code, whole pages. Where they lie in the file nobody else has anything; nothing takes memory but what
/// was provided. All modules share one file: each has mappings of its range, and the process one descriptor.
class CodeSpan {
 public:
  CodeSpan() = default;
  /// A range of so many bytes; empty when the system refuses: files in memory, or of that length.
  static CodeSpan reserve(size_t size);
  /// Gives the memory back. Requires: nobody runs or reads it.
  ~CodeSpan();
  CodeSpan(CodeSpan&& other) noexcept;
  CodeSpan& operator=(CodeSpan&& other) noexcept;
  CodeSpan(const CodeSpan&) = delete;
  CodeSpan& operator=(const CodeSpan&) = delete;

  explicit operator bool() const { return size_ != 0; }
  /// Maps a part, shared with all mappings of it: at an address, where that is not 0. 0 when the system refuses.
  uint64_t map(size_t offset, size_t size, int protection, uint64_t address = 0) const;
  /// Memory for a part, which takes it from now on. False where there is none: to write there would be a SIGBUS.
  bool provide(size_t offset, size_t size) const;

 private:
  uint64_t start_ = 0;
  size_t size_ = 0;
};

}  // namespace heddle

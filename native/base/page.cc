#include "base/page.h"

#include <sys/mman.h>
#include <unistd.h>

namespace heddle {

size_t page_size() {
  static const size_t size = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return size;
}

Mapping Mapping::reserve(size_t size, int protection) {
  size = round_up(size, page_size());
  void* base = mmap(nullptr, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) return {};
  return Mapping(reinterpret_cast<uint64_t>(base), size);  // SAFETY: an address as a number.
}

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  if (this != &other) {
    reset();
    base_ = other.base_;
    size_ = other.size_;
    other.release();
  }
  return *this;
}

bool Mapping::protect(size_t offset, size_t size, int protection) const {
  return mprotect(at<void>(base_ + offset), size, protection) == 0;
}

bool Mapping::advise(size_t offset, size_t size, int advice) const {
  return madvise(at<void>(base_ + offset), size, advice) == 0;
}

bool Mapping::grow(size_t size) {
  size = round_up(size, page_size());
  if (size <= size_) return true;
  void* moved = mremap(at<void>(base_), size_, size, MREMAP_MAYMOVE);
  if (moved == MAP_FAILED) return false;
  base_ = reinterpret_cast<uint64_t>(moved);  // SAFETY: an address as a number.
  size_ = size;
  return true;
}

void Mapping::reset() {
  if (base_ != 0) munmap(at<void>(base_), size_);
  release();
}

}  // namespace heddle

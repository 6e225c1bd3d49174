#include "base/page.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

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

Mapping Mapping::copy(const void* bytes, size_t size) {
  Mapping made = reserve(size, PROT_READ | PROT_WRITE);
  if (made && size != 0) std::memcpy(at<void>(made.base()), bytes, size);
  return made;
}

Mapping Mapping::file(const char* path) {
  const int descriptor = open(path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return {};
  struct stat status = {};
  void* base = MAP_FAILED;
  const bool known = fstat(descriptor, &status) == 0 && status.st_size > 0;
  const size_t size = round_up(static_cast<uint64_t>(status.st_size), page_size());
  if (known) base = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, descriptor, 0);
  close(descriptor);
  if (base == MAP_FAILED) return {};
  return Mapping(reinterpret_cast<uint64_t>(base), size);  // SAFETY: an address as a number.
}

Mapping Mapping::view(int descriptor, size_t size) {
  void* base = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
  if (base == MAP_FAILED) return {};
  return Mapping(reinterpret_cast<uint64_t>(base), round_up(size, page_size()));  // SAFETY: an address as a number.
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

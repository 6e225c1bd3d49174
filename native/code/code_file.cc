#include "code/code_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>
#include <utility>

#include "base/descriptor.h"
#include "base/page.h"

namespace heddle {

namespace {

/// MFD_NOEXEC_SEAL, of Linux 6.3: nobody is to exec the file. (To map it for execution is another thing.)
constexpr unsigned kNoExec = 8;

/// The file. Ranges follow each other, and none is given a second time: what has no pages costs nothing.
struct CodeFile {
  std::mutex mutex;
  Descriptor descriptor;
  struct stat identity {};
  uint64_t end = 0;

  /// Makes it where there is none. False where the system gives none, or the descriptor is another file's by now: a program may close what
  /// it has not opened. It is not made anew, because ranges of the first one live.
  bool open() {
    struct stat found {};
    if (descriptor) return fstat(descriptor.number(), &found) == 0 && found.st_dev == identity.st_dev && found.st_ino == identity.st_ino;
    Descriptor file(memfd_create("heddle code", MFD_CLOEXEC | kNoExec));
    if (!file && errno == EINVAL) file = Descriptor(memfd_create("heddle code", MFD_CLOEXEC));
    if (!file || fstat(file.number(), &identity) != 0) return false;
    descriptor = std::move(file);
    return true;
  }
};

/// Never destroyed: other threads may run while the process ends.
CodeFile& code_file() {
  static auto* const file = new CodeFile;
  return *file;
}

}  // namespace

CodeSpan CodeSpan::reserve(size_t size) {
  CodeFile& file = code_file();
  const std::lock_guard<std::mutex> lock(file.mutex);
  // Beyond this limit a file that grows is a signal, which ends the process.
  rlimit limit{};
  if (!file.open() || getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur < file.end || limit.rlim_cur - file.end < size) return {};
  if (ftruncate(file.descriptor.number(), static_cast<off_t>(file.end + size)) != 0) return {};
  CodeSpan span;
  span.start_ = file.end;
  span.size_ = size;
  file.end += size;
  return span;
}

CodeSpan::~CodeSpan() {
  if (size_ == 0) return;
  CodeFile& file = code_file();
  const std::lock_guard<std::mutex> lock(file.mutex);
  if (!file.open()) return;
  fallocate(file.descriptor.number(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(start_), static_cast<off_t>(size_));
}

CodeSpan::CodeSpan(CodeSpan&& other) noexcept : start_(other.start_), size_(std::exchange(other.size_, 0)) {}

CodeSpan& CodeSpan::operator=(CodeSpan&& other) noexcept {
  std::swap(start_, other.start_);
  std::swap(size_, other.size_);
  return *this;
}

uint64_t CodeSpan::map(size_t offset, size_t size, int protection, uint64_t address) const {
  CodeFile& file = code_file();
  const std::lock_guard<std::mutex> lock(file.mutex);
  if (!file.open()) return 0;
  const int flags = MAP_SHARED | MAP_NORESERVE | (address == 0 ? 0 : MAP_FIXED);
  void* const made = mmap(at<void>(address), size, protection, flags, file.descriptor.number(), static_cast<off_t>(start_ + offset));
  return made == MAP_FAILED ? 0 : reinterpret_cast<uint64_t>(made);  // SAFETY: an address as a number.
}

bool CodeSpan::provide(size_t offset, size_t size) const {
  CodeFile& file = code_file();
  const std::lock_guard<std::mutex> lock(file.mutex);
  if (!file.open()) return false;
  int failed = 0;
  do {
    failed = posix_fallocate(file.descriptor.number(), static_cast<off_t>(start_ + offset), static_cast<off_t>(size));
  } while (failed == EINTR);
  return failed == 0;
}

}  // namespace heddle

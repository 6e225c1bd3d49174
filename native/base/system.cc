#include "base/system.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

namespace heddle {

std::string read_file(const char* path) {
  std::string text;
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return text;
  char buffer[4096];
  for (;;) {
    const ssize_t n = read(file, buffer, sizeof buffer);
    if (n <= 0) break;
    text.append(buffer, static_cast<size_t>(n));
  }
  close(file);
  return text;
}

const uint8_t* process_secret() {
  static const struct Secret {
    uint8_t bytes[kSecretSize];
    bool filled;
    Secret() : bytes{}, filled(getrandom(bytes, sizeof bytes, 0) == static_cast<ssize_t>(sizeof bytes)) {}
  } secret;
  return secret.filled ? secret.bytes : nullptr;
}

namespace {

uint64_t number_in(const std::string& path, uint64_t otherwise) {
  const std::string text = read_file(path.c_str());
  if (text.empty() || text[0] < '0' || text[0] > '9') return otherwise;
  return std::strtoull(text.c_str(), nullptr, 10);
}

/// The least of `file` in the cgroup directory `path` below `root` and all its parents.
uint64_t least_up(const std::string& root, std::string path, const char* file, uint64_t limit) {
  for (;;) {
    limit = std::min(limit, number_in(root + path + "/" + file, limit));
    const size_t slash = path.rfind('/');
    if (slash == std::string::npos) return limit;
    path.resize(slash);
  }
}

/// Both cgroup versions; a container often sees its own group as the root, which the walk up ends at.
uint64_t cgroup_limit(uint64_t limit) {
  const std::string groups = read_file("/proc/self/cgroup");
  for (size_t start = 0; start < groups.size();) {
    const size_t end = std::min(groups.find('\n', start), groups.size());
    const std::string line = groups.substr(start, end - start);
    start = end + 1;
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const std::string path = line.substr(second + 1) == "/" ? "" : line.substr(second + 1);
    if (controllers == ",,") limit = least_up("/sys/fs/cgroup", path, "memory.max", limit);
    if (controllers.find(",memory,") != std::string::npos) {
      limit = least_up("/sys/fs/cgroup/memory", path, "memory.limit_in_bytes", limit);
    }
  }
  return limit;
}

}  // namespace

std::string kernel_release() {
  utsname name{};
  return uname(&name) == 0 ? name.release : "unknown";
}

HostStack host_stack() {
  HostStack stack;
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return stack;
  void* base = nullptr;
  size_t size = 0;
  if (pthread_attr_getstack(&attributes, &base, &size) == 0) stack = {reinterpret_cast<uint64_t>(base), size};  // SAFETY: a number is made.
  pthread_attr_destroy(&attributes);
  return stack;
}

uint64_t minimum_signal_stack() {
  const uint64_t from_kernel = getauxval(AT_MINSIGSTKSZ);
  // aarch64's ABI constant is 5 KiB, x86-64's 2 KiB plus whatever xsave needs: 4 KiB or 5 KiB where the kernel does not say.
#if defined(__aarch64__)
  return std::max<uint64_t>(from_kernel, 5120);
#else
  return std::max<uint64_t>(from_kernel, 4096);
#endif
}

uint64_t maximum_maps() {
  return number_in("/proc/sys/vm/max_map_count", 0);
}

uint64_t resident_bytes() {
  // Not by read_file: who asks has perhaps no memory left.
  char buffer[128];
  const int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  const ssize_t n = read(file, buffer, sizeof buffer - 1);
  close(file);
  if (n <= 0) return 0;
  buffer[n] = 0;
  char* second = nullptr;
  std::strtoull(buffer, &second, 10);
  return std::strtoull(second, nullptr, 10) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

uint64_t memory_limit() {
  const uint64_t pages = static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES));
  uint64_t limit = cgroup_limit(pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE)));
  rlimit space{};
  if (getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur != RLIM_INFINITY) limit = std::min<uint64_t>(limit, space.rlim_cur);
  return limit;
}

}  // namespace heddle

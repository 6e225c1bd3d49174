#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "stacks/stack.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

namespace heddle {

namespace {

GuardReport probe() {
  const Mapping page = Mapping::reserve(page_size(), PROT_READ | PROT_WRITE);
  int ends[2];
  if (!page || pipe2(ends, O_CLOEXEC) != 0) return {false, "no memory to try MADV_GUARD_INSTALL on"};
  GuardReport report{true, "MADV_GUARD_INSTALL works"};
  if (!page.advise(0, page_size(), MADV_GUARD_INSTALL)) {
    report = {false, "the kernel has no MADV_GUARD_INSTALL (Linux 6.13 has)"};
  } else if (write(ends[1], at<void>(page.base()), 1) != -1 || errno != EFAULT) {
    report = {false, "MADV_GUARD_INSTALL has no effect (an emulator?)"};
  }
  close(ends[0]);
  close(ends[1]);
  return report;
}

}  // namespace

const GuardReport& probe_kernel_guard() {
  static const GuardReport report = probe();
  return report;
}

bool install_guard(uint64_t page) {
  return madvise(at<void>(page), page_size(), MADV_GUARD_INSTALL) == 0;
}

}  // namespace heddle

// The part of a stack that a fiber sees.
#pragma once
#include "base/layout.h"
#include "base/page.h"

namespace heddle {

/// A span of memory that a fiber runs on. Who mapped it and what guards it is known to native/stacks only.
struct StackSpan {
  /// Lowest byte that may be touched at all.
  uint64_t base = 0;
  /// Lowest address sp may have when a function begins; what lies between base and limit is for signals and interrupts.
  uint64_t limit = 0;
  /// One past the highest byte, 16-aligned.
  uint64_t top = 0;

  explicit operator bool() const { return top != 0; }
  uint64_t size() const { return top - base; }
  /// The control block: the span's last sizeof(VMFiber) bytes.
  VMFiber* block() const { return at<VMFiber>(top - sizeof(VMFiber)); }
};

}  // namespace heddle

#include "stacks/usage.h"

#include <sys/mman.h>

#include <algorithm>

namespace heddle {

namespace {

/// How many pages the kernel is asked about at once.
constexpr uint64_t kPages = 512;

}  // namespace

SpanUsage usage_of(const StackSpan& span) {
  const uint64_t page = page_size();
  const uint64_t first = span.base / page * page;  // malloc's stacks begin anywhere.
  const uint64_t end = round_up(span.top, page);
  unsigned char pages[kPages];
  SpanUsage usage;
  for (uint64_t start = first; start < end; start += kPages * page) {
    const uint64_t bytes = std::min(kPages * page, end - start);
    if (mincore(at<void>(start), bytes, pages) != 0) return {};
    for (uint64_t i = 0; i < bytes / page; i++) {
      if ((pages[i] & 1) == 0) continue;
      if (usage.resident == 0) usage.high_water = end - (start + i * page);
      usage.resident += page;
    }
  }
  return usage;
}

namespace {

template <typename Source>
StackUsage usage_of_all(const Source& stacks) {
  StackUsage all;
  stacks.each([&](const Stack& stack) {
    const SpanUsage one = usage_of(stack.span);
    all.resident += one.resident;
    all.high_water = std::max(all.high_water, one.high_water);
  });
  return all;
}

}  // namespace

StackUsage usage_of(const Stacks& stacks) {
  return usage_of_all(stacks);
}

StackUsage usage_of(const StackSets& stacks) {
  return usage_of_all(stacks);
}

}  // namespace heddle

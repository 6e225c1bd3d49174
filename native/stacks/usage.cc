#include "stacks/usage.h"

#include <sys/mman.h>

#include <algorithm>
#include <vector>

namespace heddle {

SpanUsage usage_of(const StackSpan& span) {
  const uint64_t page = page_size();
  const uint64_t first = span.base / page * page;  // malloc's stacks begin anywhere.
  const uint64_t end = round_up(span.top, page);
  std::vector<unsigned char> pages((end - first) / page);
  if (mincore(at<void>(first), end - first, pages.data()) != 0) return {};
  const auto resident = [](unsigned char state) { return (state & 1) != 0; };
  const auto lowest = std::find_if(pages.begin(), pages.end(), resident);
  SpanUsage usage;
  usage.resident = static_cast<uint64_t>(std::count_if(lowest, pages.end(), resident)) * page;
  usage.high_water = static_cast<uint64_t>(pages.end() - lowest) * page;
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

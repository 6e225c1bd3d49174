#include "stacks/stack.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/system.h"
#include "fiber/sanitizer.h"
#include "stacks/usage.h"

#ifndef HEDDLE_STACK_COLOURS
/// Offsets that stack tops have within their pages, 1 to 24. Set for measurements (docs/decisions/0014).
#define HEDDLE_STACK_COLOURS 24
#endif

namespace heddle {

namespace {
constexpr uint64_t kColourStep = 128;
constexpr uint64_t kColours = HEDDLE_STACK_COLOURS;
constexpr unsigned char kCanary = 0xc5;

uint64_t largest_size(const StackOptions& options) {
  const bool some_larger = options.strategy == Strategy::Pool && options.large > 0;
  return some_larger ? std::max(options.size, options.large_size) : options.size;
}

}  // namespace

uint64_t room_below_limit() {
  static const uint64_t room = round_up(minimum_signal_stack() + 4096 + kRoutineRoom, 64);
  return room;
}

std::unique_ptr<Stacks> Stacks::create(const StackOptions& options) {
  switch (options.strategy) {
    case Strategy::Mmap:
      return create_mmap_stacks(options);
    case Strategy::Malloc:
      return create_malloc_stacks(options);
    case Strategy::Pool:
      break;
  }
  return create_pool_stacks(options);
}

uint64_t usable_bytes(uint64_t size) {
  return round_up(size + kColours * kColourStep + room_below_limit(), page_size());
}

void lay_out(Stack* stack, uint64_t base, uint64_t end, uint64_t number) {
  stack->span.base = base;
  stack->end = end;
  stack->span.limit = base + room_below_limit();
  stack->span.top = end - number % kColours * kColourStep;
}

Stacks::Stacks(const StackOptions& options) : options_(options), largest_(heddle::usable_bytes(largest_size(options))) {}

uint64_t Stacks::committed() const {
  return occupied() * std::max(kLeastCommitted, resident_each_) + counts_.vacant * kVacantCommitted;
}

void Stacks::look_at(Stack* stack) {
  forget_seen(stack);
  if (!stack->live || stack->vacant) return;
  stack->seen = static_cast<uint32_t>(usage_of(stack->span).resident / page_size());
  seen_ += stack->seen;
}

void Stacks::forget_seen(Stack* stack) {
  seen_ -= stack->seen;
  stack->seen = 0;
}

void Stacks::look(bool all) {
  if (all) {
    each([this](Stack& stack) { look_at(&stack); });
  } else if (newest_ != nullptr) {
    look_at(newest_);
  }
}

Stack* Stacks::allocate() {
  const auto looked = [this](bool all) {
    look(all);
    return seen_bytes();
  };
  if (counts_.live >= options_.maximum) {
    refusal_ = Refusal::Maximum;
  } else if (committed() > options_.memory || !limit_.allows(options_.memory, counts_.live, largest(), 0, looked)) {
    refusal_ = Refusal::Memory;
  } else {
    return make();
  }
  return nullptr;
}

Stack* Stacks::make() {
  Stack* stack = take();
  refusal_ = stack == nullptr ? Refusal::System : Refusal::None;
  if (stack == nullptr) return nullptr;
  stack->owner = this;
  stack->live = true;
  newest_ = stack;
  place_canary(*stack);
  counts_.live++;
  counts_.peak = std::max(counts_.peak, counts_.live);
  return stack;
}

void Stacks::release(Stack* stack) {
  HEDDLE_CHECK(stack != nullptr && stack->owner == this && counts_.live > 0);
  sanitizer::forget_frames(stack->span.base, stack->span.size());
  look_below(*stack);
  occupy(stack);
  counts_.live--;
  stack->live = false;
  if (stack->seen != 0) forget_seen(stack);
  if (newest_ == stack) newest_ = nullptr;
  give_back(stack);
}

void Stacks::vacate(Stack** first, Stack** last) {
  for (Stack** each = first; each != last; each++) look_below(**each);
  discard(first, last);
  for (Stack** each = first; each != last; each++) {
    (*each)->vacant = true;
    forget_seen(*each);
  }
  counts_.vacant += static_cast<uint64_t>(last - first);
}

void Stacks::occupy(Stack* stack) {
  if (!stack->vacant) return;
  counts_.vacant--;
  stack->vacant = false;
  place_canary(*stack);
}

void Stacks::place_canary(const Stack& stack) const {
  if (!options_.canary) return;
  std::memset(at<void>(stack.span.base), kCanary, stack.span.limit - kRoutineRoom - stack.span.base);
}

void Stacks::look_below(const Stack& stack) const {
  if (!options_.canary || stack.vacant) return;
  const auto* first = at<const unsigned char>(stack.span.base);
  const auto* last = at<const unsigned char>(stack.span.limit - kRoutineRoom);
  HEDDLE_CHECK(std::all_of(first, last, [](unsigned char byte) { return byte == kCanary; }));
}

void Stacks::discard(Stack** first, Stack** last) {
  for (Stack** each = first; each != last; each++) {
    const uint64_t start = round_up((*each)->span.base, page_size()), end = (*each)->end / page_size() * page_size();
    if (start < end) madvise(at<void>(start), end - start, MADV_DONTNEED);
  }
}

}  // namespace heddle

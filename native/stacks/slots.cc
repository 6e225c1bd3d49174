#include "stacks/slots.h"

#include <sys/mman.h>

#include <algorithm>
#include <new>

#include "base/attempt.h"
#include "stacks/usage.h"

namespace heddle {

namespace {

/// Slots of the first reservation and the most that a later one has (it doubles in between), so that a small program reserves little.
constexpr size_t kFirstChunk = 8;
constexpr size_t kLargestChunk = 16 * 1024;
/// Every so many new slots some are looked at, to learn what a live stack commits.
constexpr uint64_t kMeasureEvery = 1024;
/// A warm slot may keep this many bytes; one that ran deeper gives the rest back.
constexpr uint64_t kShallow = 16 * 1024;
/// Every so many returns a slot is looked at, to learn whether slots run deep now.
constexpr uint64_t kLookEvery = 64;
/// Only the pages right below what a warm slot may keep are looked at: mincore takes longer for each page, also for one that was never
/// touched. A frame may skip pages, but hardly so many.
constexpr uint64_t kLookedAt = 16 * 1024;
/// Slots whose pages are given back together.
constexpr size_t kBatch = 1024;
/// How many slots are looked at to learn what a live stack commits.
constexpr size_t kSample = 16;

/// Bytes of whole pages of [start, end) that are in memory.
uint64_t resident(uint64_t start, uint64_t end) {
  return usage_of({start, start, end}).resident;
}

Stack* pop(Stack** list) {
  Stack* stack = *list;
  if (stack != nullptr) *list = stack->next;
  return stack;
}

void push(Stack** list, Stack* stack) {
  stack->next = *list;
  *list = stack;
}

}  // namespace

Slots::Slots(uint32_t set, uint64_t usable, bool guarded, uint64_t most, uint64_t warm, StackCounts* counts)
    : set_(set),
      guard_(guarded ? page_size() : 0),
      slot_(guard_ + usable),
      most_(most),
      warm_most_(std::max<uint64_t>(warm / kShallow, 1)),
      counts_(counts) {
  dirty_.reserve(kBatch);  // To give a stack back must not need memory.
}

Stack* Slots::take() {
  if (Stack* stack = pop(&warm_)) {
    warm_count_--;
    counts_->pooled--;
    return stack;
  }
  if (!dirty_.empty()) {
    Stack* stack = dirty_.back();
    dirty_.pop_back();
    counts_->pooled--;
    return stack;
  }
  if (Stack* stack = pop(&cold_)) {
    counts_->pooled--;
    return stack;
  }
  if (exhausted()) return nullptr;
  if (chunks_.empty() || chunks_.back().used == chunks_.back().count) {
    if (!grow()) return nullptr;
  }
  Chunk& chunk = chunks_.back();
  const size_t index = chunk.used++;
  if (++made_ % kMeasureEvery == 0) measure();
  Stack* stack = &chunk.stacks[index];
  const uint64_t start = chunk.memory.base() + index * slot_;
  if (guard_ != 0) install_guard(start);  // Where it fails the limit check still holds.
  stack->set = set_;
  lay_out(stack, start + guard_, start + slot_, made_);
  return stack;
}

void Slots::give_back(Stack* stack) {
  counts_->pooled++;
  if (warm_count_ >= warm_most_) {
    dirty_.push_back(stack);
    if (dirty_.size() >= kBatch) discard_dirty();
    return;
  }
  // Deep slots come in runs. Outside a run only every 64th slot costs a look.
  if (deep_run_ > 0 || ++returned_ % kLookEvery == 0) {
    if (ran_deep(stack)) {
      deep_run_ = kLookEvery;
      trim(stack, kShallow);
    } else if (deep_run_ > 0) {
      deep_run_--;
    }
  }
  warm_count_++;
  push(&warm_, stack);
}

void Slots::each(const std::function<void(Stack&)>& visit) const {
  for (const Chunk& chunk : chunks_) {
    for (size_t i = 0; i < chunk.used; i++) visit(chunk.stacks[i]);
  }
}

/// One more reservation; a smaller one where address space is short.
bool Slots::grow() {
  size_t count = chunks_.empty() ? kFirstChunk : std::min(chunks_.back().count * 2, kLargestChunk);
  count = std::min<uint64_t>(count, most_ - made_);
  for (; count > 0; count /= 2) {
    Mapping memory = Mapping::reserve(count * slot_, PROT_READ | PROT_WRITE);
    if (!memory) continue;
    memory.advise(0, memory.size(), MADV_NOHUGEPAGE);  // A huge page would commit 2 MiB for one frame.
    memory.advise(0, memory.size(), MADV_DONTFORK);
    std::unique_ptr<Stack[]> stacks(new (std::nothrow) Stack[count]);
    if (stacks == nullptr) continue;
    const uint64_t bytes = memory.size();
    if (!attempt([&] { chunks_.push_back({std::move(memory), std::move(stacks), count, 0}); })) continue;
    counts_->reserved_bytes += bytes;
    return true;
  }
  return false;
}

/// Bytes of the slot that are in memory, in whole pages.
uint64_t Slots::committed(const Stack* stack) const {
  return resident(stack->span.base, stack->end);
}

/// Whether the slot has more in memory than a warm one may keep.
bool Slots::ran_deep(const Stack* stack) const {
  const uint64_t end = stack->end - std::min(kShallow, slot_ - guard_);
  return resident(std::max(stack->span.base, end - kLookedAt), end) > 0;
}

/// Gives the slot's pages back except the upper `keep` bytes.
void Slots::trim(const Stack* stack, uint64_t keep) const {
  madvise(at<void>(stack->span.base), slot_ - guard_ - keep, MADV_DONTNEED);
}

/// Neighbours go in one call.
void Slots::discard(Stack** first, Stack** last) const {
  std::sort(first, last, [](const Stack* a, const Stack* b) { return a->span.base < b->span.base; });
  while (first != last) {
    const uint64_t start = (*first)->span.base - guard_;
    uint64_t end = start;
    for (; first != last && (*first)->span.base - guard_ == end; first++) end += slot_;
    madvise(at<void>(start), end - start, MADV_DONTNEED);  // Guards stay.
  }
}

/// Gives the pages of all dirty slots back: chains end all at once, and then most are neighbours.
void Slots::discard_dirty() {
  discard(dirty_.data(), dirty_.data() + dirty_.size());
  for (Stack* stack : dirty_) push(&cold_, stack);
  dirty_.clear();
}

/// Looks at slots all over the pool, so that the memory bound holds for stacks that run deep, too.
void Slots::measure() {
  uint64_t sum = 0, looked = 0;
  for (size_t i = 0; i < kSample; i++) {
    const Chunk& chunk = chunks_[chunks_.size() * i / kSample];
    if (chunk.used <= 1) continue;
    const Stack* stack = &chunk.stacks[(chunk.used - 1) * i / kSample];
    if (stack->vacant) continue;
    sum += committed(stack);
    looked++;
  }
  if (looked > 0) resident_each_ = std::max<uint64_t>(page_size(), sum / looked);
}

}  // namespace heddle

#include "stacks/sets.h"

#include <algorithm>

namespace heddle {

namespace {

/// Sets that are to keep fewer bytes, or have larger stacks, keep none of those that were released last.
constexpr uint64_t kLeastWarm = 8 << 20;
constexpr uint64_t kLargestRecent = 1 << 20;

}  // namespace

StackSets::StackSets(const StackOptions& usual) {
  sets_.push_back(Stacks::create(usual));
  // Others want to see each stack that comes back: to unmap it, or to look at what lies below it.
  const bool plain = usual.strategy == Strategy::Pool && !usual.canary;
  if (plain && usual.warm >= kLeastWarm && usual.size <= kLargestRecent && usual.maximum > kMostRecent) most_recent_ = kMostRecent;
}

/// From now on each stack goes to the set that it came from.
void StackSets::forget_recent() {
  most_recent_ = 0;
  while (Stack* stack = take_recent()) usual()->release(stack);
}

Stacks* StackSets::chosen(const StackChoice& choice) {
  StackOptions options = usual()->options();
  if (choice.strategy != nullptr) options.strategy = *choice.strategy;
  if (choice.guard != nullptr) options.guard = *choice.guard;
  if (choice.size != 0) {
    options.size = choice.size;
    options.large = 0;
    options.first = ~uint64_t{0};  // All of them.
  }
  if (choice.hibernates) options.budget = 0;
  for (const auto& set : sets_) {
    const StackOptions& made = set->options();
    if (made.strategy == options.strategy && made.guard == options.guard && made.size == options.size && made.first == options.first &&
        made.budget == options.budget) {
      return set.get();
    }
  }
  sets_.push_back(Stacks::create(options));
  forget_recent();
  return sets_.back().get();
}

Stack* StackSets::allocate(Stacks* set, uint64_t elsewhere) {
  refusal_ = beyond(elsewhere);
  if (refusal_ != Refusal::None) return nullptr;
  Stack* stack = set->make();
  refusal_ = set->refusal();
  if (sets_.size() > 1) peak_ = std::max(peak_, counts().live);
  return stack;
}

Refusal StackSets::beyond(uint64_t elsewhere) {
  const StackOptions& limits = sets_.front()->options();
  uint64_t live = 0, committed = 0, largest = 0;
  for (const auto& set : sets_) {
    live += set->counts().live;
    committed += set->committed();
    largest = std::max(largest, set->largest());
  }
  if (live >= limits.maximum) return Refusal::Maximum;
  if (committed > limits.memory) return Refusal::Memory;
  const auto looked = [this](bool all) { return look(all); };
  return limit_.allows(limits.memory, live, largest, elsewhere, looked) ? Refusal::None : Refusal::Memory;
}

uint64_t StackSets::look(bool all) {
  uint64_t seen = 0;
  for (const auto& set : sets_) {
    set->look(all);
    seen += set->seen_bytes();
  }
  return seen;
}

void StackSets::vacate(Stack** first, Stack** last) {
  for (const auto& set : sets_) {
    Stack** others = std::partition(first, last, [&set](const Stack* stack) { return stack->owner == set.get(); });
    set->vacate(first, others);
    first = others;
  }
}

uint64_t StackSets::committed() const {
  uint64_t sum = 0;
  for (const auto& set : sets_) sum += set->committed();
  return sum;
}

uint64_t StackSets::excess() const {
  const uint64_t budget = sets_.front()->options().budget;
  uint64_t occupied = 0, bytes = 0;
  for (const auto& set : sets_) {
    const uint64_t unused = set == sets_.front() ? recent_count_ : 0;
    occupied += set->occupied() - unused;
    bytes += bytes_of(*set, unused);
  }
  if (bytes <= budget) return 0;  // Asked at every first resume: no division.
  return occupied - static_cast<uint64_t>(static_cast<double>(occupied) * static_cast<double>(budget) / static_cast<double>(bytes));
}

uint64_t StackSets::eager() const {
  uint64_t occupied = 0;
  for (size_t i = 1; i < sets_.size(); i++) {
    if (sets_[i]->options().budget == 0) occupied += sets_[i]->occupied();
  }
  return occupied;
}

StackCounts StackSets::counts() const {
  if (sets_.size() == 1) {
    StackCounts counts = sets_.front()->counts();
    counts.live -= recent_count_;
    counts.pooled += recent_count_;
    return counts;
  }
  StackCounts sum;
  for (const auto& set : sets_) {
    const StackCounts& counts = set->counts();
    sum.live += counts.live;
    sum.vacant += counts.vacant;
    sum.pooled += counts.pooled;
    sum.reserved_bytes += counts.reserved_bytes;
    sum.peak = std::max(sum.peak, counts.peak);
  }
  sum.peak = std::max(sum.peak, peak_);
  return sum;
}

}  // namespace heddle

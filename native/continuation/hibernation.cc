#include "continuation/hibernation.h"

#include <algorithm>

#include "base/attempt.h"

namespace heddle {

namespace {

bool may_hibernate(const VMContinuation* record) {
  const auto state = static_cast<State>(record->state);
  return (state == State::Suspended || state == State::Parked) && record->fiber != nullptr;
}

}  // namespace

/// Looks at all records: those that may hibernate, and enough of them for `most` stacks, the oldest first.
std::vector<VMContinuation*> Hibernation::oldest(const StackSets& stacks, uint64_t most, bool eager) {
  looks_++;
  seen_.resize(records_->end());
  std::vector<VMContinuation*> found;
  for (uint64_t i = 1; i < records_->end(); i++) {
    VMContinuation* record = records_->base() + i;
    if (!may_hibernate(record)) continue;
    if (eager && !stacks.is_eager(static_cast<const Stack*>(record->fiber->stack))) continue;
    const auto generation = static_cast<uint32_t>(record->generation);
    if (seen_[i].since == 0 || seen_[i].generation != generation) seen_[i] = {generation, looks_};
    found.push_back(record);
  }
  // Of one age those come first that were made first, more or less: records are given out in order until some come back.
  const auto older = [this](const VMContinuation* a, const VMContinuation* b) {
    const uint32_t since_a = seen_[a->index].since, since_b = seen_[b->index].since;
    return since_a != since_b ? since_a < since_b : a->index < b->index;
  };
  if (found.size() > most) {
    std::nth_element(found.begin(), found.begin() + static_cast<ptrdiff_t>(most), found.end(), older);
    found.resize(most);
  }
  std::sort(found.begin(), found.end(), older);
  return found;
}

uint64_t Hibernation::hibernate(StackSets* stacks, uint64_t most, bool eager) {
  std::vector<Stack*> emptied;
  std::vector<VMContinuation*> records;
  const uint64_t left = copies_->vacate_empty(stacks);
  if (!attempt([&] { records = oldest(*stacks, most, eager); })) return left;
  for (VMContinuation* record : records) {
    if (left + emptied.size() >= most || !copies_->put_aside(record, &emptied)) break;
  }
  stacks->vacate(emptied.data(), emptied.data() + emptied.size());
  return left + emptied.size();
}

}  // namespace heddle

#include "continuation/hibernation.h"

#include <algorithm>
#include <cstdlib>

#include "base/asm.h"
#include "base/attempt.h"
#include "base/check.h"

namespace heddle {

namespace {

/// Copies words between a stack and its copy. Volatile, so that it stays a loop: memcpy is the sanitizers', who know parts of C++ frames as
/// not to be touched.
__attribute__((no_sanitize("address", "thread"))) void copy_words(uint64_t to, uint64_t from, uint64_t bytes) {
  for (uint64_t i = 0; i < bytes; i += sizeof(uint64_t)) *at<volatile uint64_t>(to + i) = *at<const volatile uint64_t>(from + i);
}

bool may_hibernate(const VMContinuation* record) {
  const auto state = static_cast<State>(record->state);
  return (state == State::Suspended || state == State::Parked) && record->fiber != nullptr;
}

uint64_t size_of(Hibernated* copy) {
  uint64_t bytes = sizeof(Hibernated) + copy->count * sizeof(SavedFiber);
  for (const SavedFiber& fiber : *copy) bytes += fiber.bytes;
  return bytes;
}

/// Makes room for so many more, and for as many again where there are many, so that they are moved seldom. False without memory.
bool make_room(std::vector<Stack*>* stacks, size_t more) {
  if (stacks->capacity() - stacks->size() >= more) return true;
  return attempt([=] { stacks->reserve(std::max(stacks->size() + more, stacks->size() * 2)); });
}

}  // namespace

Hibernation::~Hibernation() {
  for (uint64_t i = 1; chains_ > 0 && i < records_->end(); i++) {
    const VMContinuation* record = records_->base() + i;
    const auto state = static_cast<State>(record->state);
    if ((state == State::Suspended || state == State::Parked) && is_hibernated(record)) free_copy(hibernated(record));
  }
}

void Hibernation::free_copy(Hibernated* copy) {
  chains_--;
  copied_bytes_ -= size_of(copy);
  std::free(copy);
}

/// Copies a chain out. False, and nothing is changed, without memory. The stacks that it has left are added to `emptied`.
bool Hibernation::put_aside(VMContinuation* record, std::vector<Stack*>* emptied) {
  uint64_t count = 0, bytes = 0;
  // The outermost fiber's control block holds where the innermost stands, and each other one's where its parent waits.
  uint64_t sp = record->fiber->sp;
  for (VMFiber* fiber = record->leaf; fiber != nullptr; fiber = fiber->parent) {
    bytes += address_of(fiber + 1) - sp;
    sp = fiber->sp;
    count++;
  }
  if (!make_room(emptied, count)) return false;
  const uint64_t head = sizeof(Hibernated) + count * sizeof(SavedFiber);
  auto* copy = static_cast<Hibernated*>(std::malloc(head + bytes));
  if (copy == nullptr) return false;
  copy->count = count;
  uint64_t place = address_of(copy) + head;
  SavedFiber* part = copy->begin();
  sp = record->fiber->sp;
  for (VMFiber* fiber = record->leaf; fiber != nullptr; fiber = fiber->parent) {
    *part = {sp, address_of(fiber + 1) - sp, place};
    copy_words(place, sp, part->bytes);
    place += part->bytes;
    sp = fiber->sp;
    emptied->push_back(static_cast<Stack*>(fiber->stack));
    if (fiber->record != record) {
      fiber->record->fiber = nullptr;
      fiber->record->leaf = nullptr;
      fiber->record->state = static_cast<uint32_t>(State::Aside);
    }
    part++;
  }
  record->fiber = nullptr;
  record->leaf = at<VMFiber>(address_of(copy));
  chains_++;
  copied_bytes_ += head + bytes;
  hibernations_++;
  return true;
}

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
  if (!attempt([&] { records = oldest(*stacks, most, eager); })) return 0;
  for (VMContinuation* record : records) {
    if (emptied.size() >= most || !put_aside(record, &emptied)) break;
  }
  stacks->vacate(emptied.data(), emptied.data() + emptied.size());
  return emptied.size();
}

void Hibernation::wake(VMContinuation* record) {
  HEDDLE_CHECK(is_hibernated(record));
  Hibernated* copy = hibernated(record);
  record->leaf = copy->begin()->home();
  record->fiber = copy->outermost().home();
  for (const SavedFiber& fiber : *copy) {
    copy_words(fiber.from, fiber.copy, fiber.bytes);
    VMFiber* block = fiber.home();
    auto* stack = static_cast<Stack*>(block->stack);
    stack->owner->occupy(stack);
    if (block == record->fiber) {
      block->record = record;  // It may have moved to another record meanwhile.
      continue;
    }
    block->record->fiber = block;
    block->record->state = static_cast<uint32_t>(State::Running);
  }
  free_copy(copy);
  wakes_++;
}

}  // namespace heddle

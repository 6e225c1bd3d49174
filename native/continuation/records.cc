#include "continuation/records.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/asm.h"
#include "base/check.h"

namespace heddle {

namespace {

/// Bytes of records on small pages: 32,768 records.
constexpr uint64_t kSmallPages = 4 << 20;
constexpr uint64_t kIndices = uint64_t{1} << kHandleIndexBits;
static_assert(sizeof(VMContinuation) == size_t{1} << kRecordSizeLog2);

}  // namespace

/// It has its inline slots then.
void Records::free_slots(VMContinuation* record) {
  if (record->slots != 0 && !has_inline_slots(record)) std::free(at<void>(record->slots));
  use_inline_slots(record);
}

Records::Records(uint64_t most) {
  capacity_ = std::clamp<uint64_t>(most + 1, 2, kIndices);
  for (;; capacity_ /= 2) {
    memory_ = Mapping::reserve(capacity_ << kRecordSizeLog2, PROT_READ | PROT_WRITE);
    if (memory_) break;
    HEDDLE_CHECK(capacity_ > 2);
  }
  memory_.advise(0, memory_.size(), MADV_DONTFORK);
  // Records are used in any order: with small pages each use of one of very many would miss the TLB. The first are spared the rounding up.
  if (memory_.size() > kSmallPages) memory_.advise(kSmallPages, memory_.size() - kSmallPages, MADV_HUGEPAGE);
  base()->generation = kDeadGeneration;
  base()->state = static_cast<uint32_t>(State::Retired);
}

Records::~Records() {
  for (uint64_t i = 1; i < next_; i++) free_slots(base() + i);
}

VMContinuation* Records::take_new() {
  if (next_ >= capacity_) return nullptr;
  VMContinuation* record = base() + next_;
  record->index = static_cast<uint32_t>(next_++);
  record->generation = HEDDLE_GENERATION_START;
  use_inline_slots(record);
  return record;
}

void Records::release(VMContinuation* record) {
  if (!has_inline_slots(record)) free_slots(record);
  // A new life begins below the last generation: what is consumed at the last one is renewed, never counted further.
  if (is_plain(record)) return release_plain(record);
  HEDDLE_CHECK(record->state != static_cast<uint32_t>(State::Free) && record->index != 0);
  live_--;
  retire(record);
}

void Records::retire(VMContinuation* record) {
  let_go(record);
  record->generation = kDeadGeneration;
  record->state = static_cast<uint32_t>(State::Retired);
  retired_++;
}

bool Records::reserve(VMContinuation* record, uint32_t slots) {
  if (slots <= record->capacity) return true;
  // 16-aligned by the C library's promise. Zeroed, since who looks at slots word by word (the collector, the check of snapshots) may look
  // at more than hold values: what somebody else left in the memory must not count.
  void* memory = std::calloc(slots, kSlotSize);
  if (memory == nullptr) return false;
  std::memcpy(memory, at<void>(record->slots), uint64_t{record->capacity} * kSlotSize);
  free_slots(record);
  record->slots = address_of(memory);
  record->capacity = slots;
  return true;
}

uint64_t Records::suspended() const {
  return count([](const VMContinuation& record) {
    return record.state == static_cast<uint32_t>(State::Suspended) || record.state == static_cast<uint32_t>(State::Parked);
  });
}

VMContinuation* Records::renew(VMContinuation* record) {
  VMContinuation* fresh = take();
  if (fresh == nullptr) return nullptr;
  let_go(record);
  fresh->state = record->state;
  fresh->count = record->count;
  fresh->fiber = record->fiber;
  fresh->leaf = record->leaf;
  fresh->function = record->function;
  if (has_inline_slots(record)) {
    std::memcpy(fresh->inline_slots, record->inline_slots, sizeof fresh->inline_slots);
  } else {
    fresh->slots = record->slots;
    fresh->capacity = record->capacity;
    use_inline_slots(record);
  }
  if (fresh->fiber != nullptr) fresh->fiber->record = fresh;
  record->fiber = nullptr;
  record->leaf = nullptr;
  retire(record);
  return fresh;
}

}  // namespace heddle

// The thread's continuation records: one reserved range, so that a handle's index becomes an address by a shift and an add.
#pragma once
#include <algorithm>

#include "base/asm.h"
#include "base/check.h"
#include "base/layout.h"
#include "base/page.h"

#ifndef HEDDLE_GENERATION_START
/// Generation of a record's first use: high enough that no handle looks like an address or a small number, so that the collector does not
/// take one for the other. Tests set it near the maximum.
#define HEDDLE_GENERATION_START 0x800000
#endif

namespace heddle {

/// The last generation that fits a handle.
inline constexpr uint64_t kLastGeneration = (uint64_t{1} << 40) - 1;
/// A generation that no handle has: the record can never be named again.
inline constexpr uint64_t kDeadGeneration = ~uint64_t{0};

/// A record's current handle.
inline uint64_t handle_of(const VMContinuation* record) {
  return record->generation << kHandleIndexBits | record->index;
}

/// Allocates records. Record 0 is never given out: handle 0 is null.
class Records {
 public:
  /// Reserves room for `most` records (at most 2^24 - 1), or fewer where address space is short.
  explicit Records(uint64_t most);
  ~Records();
  Records(const Records&) = delete;
  Records& operator=(const Records&) = delete;

  /// Record 0; the others follow.
  VMContinuation* base() const { return at<VMContinuation>(memory_.base()); }
  /// The record of an index that was given out; null for other numbers.
  VMContinuation* find(uint64_t index) { return index == 0 || index >= next_ ? nullptr : base() + index; }
  /// A record in state fresh with `slots` payload slots; null when there is none, or no memory for the slots. One that is in nobody's hands
  /// has its inline slots.
  VMContinuation* allocate(uint32_t slots) {
    VMContinuation* record = take();
    if (record == nullptr) return nullptr;
    if (slots > kInlineSlots && !reserve(record, slots)) {
      give_back(record);
      return nullptr;
    }
    record->state = static_cast<uint32_t>(State::Fresh);
    record->count = 0;
    record->fiber = nullptr;
    record->leaf = nullptr;
    live_++;
    made_++;
    return record;
  }
  /// Takes a record back; every handle of it is invalid from now on. At the last generation it is retired instead.
  void release(VMContinuation* record);
  /// Whether a record has its own slots, and generations for another life.
  static bool is_plain(const VMContinuation* record) { return has_inline_slots(record) && record->generation + 1 < kLastGeneration; }
  /// The same for a plain one.
  void release_plain(VMContinuation* record) {
    HEDDLE_CHECK(record->state != static_cast<uint32_t>(State::Free) && record->index != 0);
    live_--;
    record->generation++;
    record->state = static_cast<uint32_t>(State::Free);
    give_back(record);
  }
  /// Whether there is one for who needs no slots of its own.
  bool has_free() const { return free_ != 0; }
  /// Makes the slots hold at least `slots`, keeping their contents. False without memory.
  static bool reserve(VMContinuation* record, uint32_t slots);
  /// Moves everything that lives in `record` to a record of a young generation, and retires `record`. Null when there is none.
  VMContinuation* renew(VMContinuation* record);

  /// One past the highest index that was ever given out.
  uint64_t end() const { return next_; }
  /// Notes that the host has the record in its hands: JavaScript may resume it though no handle of it is anywhere. A collector takes these
  /// as roots. The end of its life, and renew, take the note back.
  static void hold(VMContinuation* record) { record->next_free = kHeld; }
  static void let_go(VMContinuation* record) { record->next_free = 0; }
  static bool is_held(const VMContinuation& record) { return record.next_free == kHeld; }
  /// Calls `use` with each that is held; looks at every record, as the number of them does.
  template <typename Use>
  void each_held(Use use) {
    for (VMContinuation* record = base() + 1; record != base() + next_; record++) {
      if (is_held(*record)) use(record);
    }
  }
  uint64_t held() const { return count(is_held); }

  uint64_t live() const { return live_; }
  /// Suspended or parked; looks at every record.
  uint64_t suspended() const;
  uint64_t made() const { return made_; }
  /// Records that are never used again, for their generations are spent.
  uint64_t retired() const { return retired_; }

 private:
  /// What a record's next_free is while the host holds it: the index of no record.
  static constexpr uint64_t kHeld = ~uint64_t{0};
  template <typename Predicate>
  uint64_t count(Predicate predicate) const {
    const auto* first = at<const VMContinuation>(memory_.base());
    return static_cast<uint64_t>(std::count_if(first + 1, first + next_, predicate));
  }
  VMContinuation* take() {
    if (free_ == 0) return take_new();
    VMContinuation* record = base() + free_;
    free_ = record->next_free;
    record->next_free = 0;
    return record;
  }
  VMContinuation* take_new();
  void give_back(VMContinuation* record) {
    record->next_free = free_;
    free_ = record->index;
  }
  static bool has_inline_slots(const VMContinuation* record) { return record->slots == address_of(record->inline_slots); }
  static void use_inline_slots(VMContinuation* record) {
    record->slots = address_of(record->inline_slots);
    record->capacity = kInlineSlots;
  }
  static void free_slots(VMContinuation* record);
  void retire(VMContinuation* record);

  Mapping memory_;
  uint64_t capacity_ = 0;
  uint64_t next_ = 1;
  uint64_t free_ = 0;
  uint64_t live_ = 0;
  uint64_t made_ = 0;
  uint64_t retired_ = 0;
};

}  // namespace heddle

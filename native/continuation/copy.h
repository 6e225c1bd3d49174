// What a suspended chain of fibers has on its stacks, kept elsewhere, to be put back at the same addresses.
//
// No switch of stacks knows of it: a record whose chain is in a copy has no fiber, as a fresh one has none, and that is where generated
// code asks for a stack anyway (cont_allocate).
#pragma once
#include <memory>

#include "continuation/records.h"
#include "continuation/shadow_copy.h"
#include "stacks/stack.h"

namespace heddle {

/// One fiber's part of a copy: its frames, and what of its control block is not the same for as long as the stack is the fiber's.
struct SavedFiber {
  /// The address that its frames were copied from. The control block follows them.
  uint64_t from;
  uint64_t bytes;
  /// Where the frames are in memory now.
  uint64_t copy;
  Stack* stack;
  /// What the fiber began with, and the slots that its record has.
  VMFunction* function;
  uint32_t capacity;
  /// Of the control block; its sp and its parent follow from the other parts. The record is null where each version gets a record of its
  /// own when it wakes.
  uint32_t shadow_entered;
  uint64_t fp;
  uint64_t pc;
  VMContinuation* record;
  VMHandlers* handlers;
  uint64_t id;
  void* shadow;

  /// The address of the control block while the fiber is awake.
  VMFiber* home() const { return at<VMFiber>(from + bytes); }
};

/// A chain's copy: the innermost fiber first. From malloc; the parts follow, and then the bytes.
struct ChainCopy {
  uint32_t count;
  /// Records that go on from it. More than one, or one whose original may be on the stacks as well, makes it never change.
  uint32_t versions;
  /// The look of the collector that saw it last.
  uint32_t scanned;
  /// Whether its stacks count it among their owners, and its inner fibers have no records. Otherwise it is a chain that hibernates: nobody
  /// else is where it was, and inner records are in state aside.
  bool shared;
  /// What it was copied from while that was awake, and the generation of then; null where that is over.
  const VMContinuation* source;
  uint64_t generation;
  /// What a shared one has in linear memory; null for nothing.
  ShadowCopy* shadow;

  SavedFiber* begin() { return at<SavedFiber>(reinterpret_cast<uint64_t>(this + 1)); }  // SAFETY: allocated with `count` parts behind.
  SavedFiber* end() { return begin() + count; }
  /// The outermost fiber, whose control block holds where the chain goes on.
  const SavedFiber& outermost() { return *(end() - 1); }
  /// Whether a consumed or unconsumed record is the one that was copied, in the state that it had then.
  bool is_of(const VMContinuation* record) const { return source == record && record->generation - generation <= 1; }
};

/// Whether a record's continuation was never resumed. Its leaf is not a fiber but the Stacks that its stack is to come from, null for the
/// usual.
inline bool is_fresh(const VMContinuation* record) {
  return record->state == static_cast<uint32_t>(State::Fresh);
}
/// Whether a record's chain is in a copy.
inline bool is_copied(const VMContinuation* record) {
  return record->fiber == nullptr && record->leaf != nullptr && !is_fresh(record);
}
/// The copy. Requires: the chain is in one.
inline ChainCopy* copy_of(const VMContinuation* record) {
  return at<ChainCopy>(reinterpret_cast<uint64_t>(record->leaf));  // SAFETY: what leaf is while the chain is in a copy.
}

}  // namespace heddle

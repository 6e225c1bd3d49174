// What a suspended chain of fibers has on its stacks, kept elsewhere, to be put back at the same addresses.
//
// No switch of stacks knows of it: a record whose chain is in a copy has no fiber, as a fresh one has none, and that is where generated
// code asks for a stack anyway (cont_allocate).
#pragma once
#include <memory>

#include "base/asm.h"
#include "continuation/records.h"
#include "continuation/shadow_copy.h"
#include "stacks/stack.h"

namespace heddle {

/// What a function keeps at its frame pointer: its caller's, and where it returns to. A frame that was put back from a copy has the address
/// of such a pair in the copy, and a piece of heddle_return_copied, in their place (asm/x86_64_sysv.S).
struct FrameLink {
  uint64_t fp;
  uint64_t pc;
};

/// The link of the frame at `fp`, wherever it stands.
inline const FrameLink* link_at(uint64_t fp) {
  const auto* link = at<const FrameLink>(fp);
  const bool is_copied = link->pc - address_of(heddle_return_copied) <= kCopiedPieces * kCopiedPieceBytes;
  return is_copied ? at<const FrameLink>(link->fp) : link;
}

/// Where the suspended chain of an outermost fiber goes on, in generated code.
__attribute__((no_sanitize("address", "thread"))) inline uint64_t resume_pc(const VMFiber* fiber) {
  return fiber->pc == address_of(heddle_resume_copied) ? *at<const uint64_t>(fiber->sp - 8) : fiber->pc;
}

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

/// A chain's copy: the innermost fiber first. From malloc; the parts follow, the links, and then the bytes.
struct ChainCopy {
  uint32_t count;
  /// Records that go on from it. More than one, or one whose original may be on the stacks as well, makes it never change.
  uint32_t versions;
  /// The look of the collector that saw it last.
  uint32_t scanned;
  /// links() and, in the highest bit, shared(): a byte of its own for that would wait, where it has just been written, to be read with the
  /// rest.
  uint32_t shape;
  /// What it was copied from while that was awake, and the generation of then; null where that is over.
  const VMContinuation* source;
  uint64_t generation;
  /// What a shared one has in linear memory; null for nothing.
  ShadowCopy* shadow;

  SavedFiber* begin() { return at<SavedFiber>(reinterpret_cast<uint64_t>(this + 1)); }  // SAFETY: allocated with `count` parts behind.
  SavedFiber* end() { return begin() + count; }
  /// Whether its stacks count it among their owners, and its inner fibers have no records. Otherwise it is a chain that hibernates: nobody
  /// else is where it was, and inner records are in state aside.
  bool shared() const { return (shape & kShared) != 0; }
  void share() { shape |= kShared; }
  /// How many links of its frames are here: of one that is shared, and has one fiber, all but the first frame's, which does not return.
  /// What lies on the stack may use them, and then StackOwners names the copy, which stays.
  uint32_t links() const { return shape & ~kShared; }
  bool in_use() { return links() > 0 && begin()->stack->owners->links == this; }
  FrameLink* first_link() { return at<FrameLink>(address_of(end())); }
  /// The outermost fiber, whose control block holds where the chain goes on.
  const SavedFiber& outermost() { return *(end() - 1); }
  /// Whether a consumed or unconsumed record is the one that was copied, in the state that it had then.
  bool is_of(const VMContinuation* record) const { return source == record && record->generation - generation <= 1; }

 private:
  static constexpr uint32_t kShared = uint32_t{1} << 31;
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

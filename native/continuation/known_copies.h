// What library calls do of Copies where nothing has to be made: a further clone of a state that is copied, its resume, its end. In line,
// since programs that search do little else.
#pragma once
#include <algorithm>
#include <cstring>

#include "continuation/runtime.h"

namespace heddle {

/// StackOwners::place where the stack is in no list.
inline constexpr uint32_t kNowhere = ~uint32_t{0};

typedef uint64_t Vector __attribute__((vector_size(16)));
/// Two words, which may lie at any address that a word may.
struct __attribute__((packed, aligned(8), may_alias)) Pair {
  Vector words;
};

/// Copies words between a stack and its copy. Volatile, so that it stays a loop: memcpy is the sanitizers', who know parts of C++ frames as
/// not to be touched.
__attribute__((no_sanitize("address", "thread"))) inline void copy_words(uint64_t to, uint64_t from, uint64_t bytes) {
  auto* target = at<volatile Pair>(to);
  const auto* source = at<const volatile Pair>(from);
  const uint64_t pairs = bytes / sizeof(Pair);
  uint64_t i = 0;
  for (; i + 4 <= pairs; i += 4) {
    const Vector words[] = {source[i].words, source[i + 1].words, source[i + 2].words, source[i + 3].words};
    target[i].words = words[0];
    target[i + 1].words = words[1];
    target[i + 2].words = words[2];
    target[i + 3].words = words[3];
  }
  for (; i < pairs; i++) target[i].words = source[i].words;
  if (bytes % sizeof(Pair) != 0) *at<volatile uint64_t>(to + bytes - 8) = *at<const volatile uint64_t>(from + bytes - 8);
}

inline Stack* stack_of(const VMFiber* fiber) {
  return static_cast<Stack*>(fiber->stack);
}

/// How many returns a predictor is told of: processors know 32 to 52.
inline constexpr uint32_t kMostExpected = 32;

/// The piece of heddle_return_copied or heddle_expect_return for a link of a chain with so many, counted from the outermost frame's.
inline uint64_t copied_piece(const char* first, uint64_t link, uint64_t links) {
  return address_of(first) + (links < kMostExpected ? link % kCopiedPieces : kCopiedPieces) * kCopiedPieceBytes;
}

/// Has a suspended chain, whose frames use the links of a copy, go on where the predictor is told of their returns.
__attribute__((no_sanitize("address", "thread"))) inline void expect_returns(VMFiber* fiber, uint32_t links) {
  *at<uint64_t>(fiber->sp - 8) = fiber->pc;
  *at<uint64_t>(fiber->sp - 16) = std::min(links, kMostExpected);
  *at<uint64_t>(fiber->sp - 24) = copied_piece(heddle_expect_return, 0, links);
  fiber->pc = address_of(heddle_resume_copied);
}

/// The copy that is still what lies on a record's stacks; null where there is none.
inline ChainCopy* Copies::clean_copy(const VMContinuation* record) const {
  const Stack* stack = stack_of(record->fiber);
  if (!stack->copied) return nullptr;
  auto* copy = static_cast<ChainCopy*>(stack->owners->clean);
  return copy != nullptr && copy->source == record && copy->generation == record->generation ? copy : nullptr;
}

inline VMContinuation* Copies::make_version(const VMContinuation* source, ChainCopy* copy) {
  VMContinuation* made = runtime_->records.allocate(source->capacity);
  if (made == nullptr) return nullptr;
  made->function = source->function;
  made->state = static_cast<uint32_t>(State::Suspended);
  made->leaf = at<VMFiber>(address_of(copy));
  made->count = source->count;
  if (source->count > 0) std::memcpy(at<void>(made->slots), at<const void>(source->slots), uint64_t{source->count} * kSlotSize);
  copy->versions++;
  chains_++;
  clones_++;
  return made;
}

inline VMContinuation* Copies::clone_known(const VMContinuation* source) {
  if (source->state != static_cast<uint32_t>(State::Suspended) || source->fiber != nullptr) return nullptr;
  ChainCopy* copy = copy_of(source);
  // A record's own slots are all that one has that was not used for long.
  if (!copy->shared() || source->capacity > kInlineSlots || source->count > 0 || !runtime_->records.has_free()) return nullptr;
  return make_version(source, copy);
}

inline bool Copies::resume_known(VMContinuation* record) {
  if (!is_copied(record)) return false;
  ChainCopy* const copy = copy_of(record);
  const SavedFiber& part = copy->outermost();
  Stack* const stack = part.stack;
  // Where there are links there is one fiber, and the copy is shared.
  if (copy->links() == 0 || copy->shadow != nullptr || stack->vacant || stack->owners->occupied) return false;
  copy_words(part.from, part.copy, part.bytes);
  VMFiber* const fiber = part.home();
  fiber->sp = part.from;
  fiber->fp = part.fp;
  fiber->pc = part.pc;
  fiber->parent = nullptr;
  fiber->record = record;
  fiber->handlers = part.handlers;
  fiber->id = copy->is_of(record) ? part.id : runtime_->next_fiber_id();
  fiber->shadow = nullptr;
  fiber->shadow_entered = part.shadow_entered;
  expect_returns(fiber, copy->links());
  StackOwners* const owners = stack->owners;
  owners->occupied = true;
  owners->clean = nullptr;
  owners->links = copy;
  record->fiber = fiber;
  record->leaf = fiber;
  copy->versions--;
  chains_--;
  wakes_++;
  return true;
}

inline void Copies::release_links(StackOwners* owners) {
  auto* const copy = static_cast<ChainCopy*>(owners->links);
  owners->links = nullptr;
  if (copy != nullptr && copy->versions == 0) free(copy);
}

inline void Copies::leave(Stack* stack) {
  StackOwners* owners = stack->owners;
  owners->occupied = false;
  owners->clean = nullptr;
  if (owners->place == kNowhere) list_empty(stack);
  release_links(owners);
}

/// What Runtime::release_continuation does, for one that has returned to an instruction, whose stack other versions have as well; false,
/// and nothing is done, for others.
inline bool release_known(Runtime* runtime, VMContinuation* record) {
  Stack* const stack = stack_of(record->fiber);
  if (!stack->copied || !runtime->shadows.empty() || !Records::is_plain(record)) return false;
  StackOwners* const owners = stack->owners;
  const auto* const copy = static_cast<const ChainCopy*>(owners->links);
  if (owners->place == kNowhere || (copy != nullptr && copy->versions == 0)) return false;
  record->fiber = nullptr;
  record->leaf = nullptr;
  runtime->records.release_plain(record);
  owners->occupied = false;
  owners->clean = nullptr;
  owners->links = nullptr;
  return true;
}

}  // namespace heddle

#include "continuation/copies.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/asm.h"
#include "base/attempt.h"
#include "base/check.h"
#include "continuation/known_copies.h"

namespace heddle {

namespace {

/// Bytes of frames that may have been written just now, a word at a time: a load of two words would wait for both stores.
constexpr uint64_t kRecent = 256;

/// Copies out what has just stopped.
__attribute__((no_sanitize("address", "thread"))) void copy_recent(uint64_t to, uint64_t from, uint64_t bytes) {
  const uint64_t recent = std::min(bytes, kRecent);
  for (uint64_t i = 0; i < recent; i += sizeof(uint64_t)) *at<volatile uint64_t>(to + i) = *at<const volatile uint64_t>(from + i);
  copy_words(to + recent, from + recent, bytes - recent);
}

/// The links of a fiber's frames, of which the innermost is at `fp`, but for that of the first, which does not return. Empty as well where
/// they are not understood, or without memory.
__attribute__((no_sanitize("address", "thread"))) void read_links(uint64_t fp, uint64_t end, std::vector<FrameLink>* links) {
  links->clear();
  for (uint64_t below = 0; fp > below && fp <= end - sizeof(FrameLink);) {
    if (at<const FrameLink>(fp)->fp == 0) return;
    if (links->size() == links->capacity() && !attempt([=] { links->reserve(std::max<size_t>(64, 2 * links->size())); })) break;
    const FrameLink link = *link_at(fp);
    links->push_back(link);
    below = fp;
    fp = link.fp;
  }
  links->clear();
}

/// Gives the frames of a copy, so many bytes further on than those that were copied, the links that they had at first.
__attribute__((no_sanitize("address", "thread"))) void restore_links(uint64_t fp, uint64_t distance) {
  while (at<const FrameLink>(fp)->fp != 0) {
    const FrameLink link = *link_at(fp);
    *at<FrameLink>(fp + distance) = link;
    fp = link.fp;
  }
}

/// Has frames, so many bytes further on than those that were copied, use the links of a copy.
__attribute__((no_sanitize("address", "thread"))) void use_links(ChainCopy* copy, uint64_t distance) {
  uint64_t fp = copy->outermost().fp;
  const FrameLink* link = copy->first_link();
  for (uint64_t i = copy->links(); i-- > 0; link++) {
    *at<FrameLink>(fp + distance) = {address_of(link), copied_piece(heddle_return_copied, i, copy->links())};
    fp = link->fp;
  }
}

/// Keeps a fiber's control block.
void save_block(const VMFiber* fiber, SavedFiber* part) {
  part->shadow_entered = static_cast<uint32_t>(fiber->shadow_entered);
  part->fp = fiber->fp;
  part->pc = resume_pc(fiber);
  part->record = fiber->record;
  part->handlers = fiber->handlers;
  part->id = fiber->id;
  part->shadow = fiber->shadow;
}

/// Puts a control block back. What never changes is there still, unless the stack's pages were given back.
void restore_block(ChainCopy* copy, const SavedFiber& part, VMThread* thread) {
  VMFiber* block = part.home();
  if (part.stack->vacant) {
    const VMFunction* function = part.function;
    block->limit = part.stack->span.limit;
    block->thread = thread;
    block->start_enter = function->enter;
    block->start_context = address_of(function->context);
    block->start_code = function->code;
    block->stack = part.stack;
    block->entry = nullptr;
  }
  block->shadow_entered = part.shadow_entered;
  const SavedFiber* outer = &part == &copy->outermost() ? nullptr : &part + 1;
  block->sp = outer == nullptr ? copy->begin()->from : outer->from;
  block->fp = part.fp;
  block->pc = part.pc;
  block->parent = outer == nullptr ? nullptr : outer->home();
  block->record = part.record;
  block->handlers = part.handlers;
  block->id = part.id;
  block->shadow = part.shadow;
}

uint64_t size_of(ChainCopy* copy) {
  uint64_t bytes = sizeof(ChainCopy) + copy->count * sizeof(SavedFiber);
  for (const SavedFiber& fiber : *copy) bytes += fiber.bytes;
  bytes += copy->links() * sizeof(FrameLink);
  return bytes + (copy->shadow == nullptr ? 0 : copy->shadow->bytes());
}

/// Makes room for so many more, and for as many again where there are many, so that they are moved seldom. False without memory.
bool make_room(std::vector<Stack*>* stacks, size_t more) {
  if (stacks->capacity() - stacks->size() >= more) return true;
  return attempt([=] { stacks->reserve(std::max(stacks->size() + more, stacks->size() * 2)); });
}

bool any_copied(const VMFiber* leaf) {
  for (; leaf != nullptr; leaf = leaf->parent) {
    if (stack_of(leaf)->copied) return true;
  }
  return false;
}

/// The record that may be put aside so that a fiber's stack becomes free; null where the fiber's chain runs, or waits for one that does.
VMContinuation* movable(const VMFiber* fiber) {
  while (!is_host(fiber->parent)) fiber = fiber->parent;
  VMContinuation* record = fiber->record;
  const auto state = static_cast<State>(record->state);
  const bool waits = fiber->parent == nullptr && record->fiber == fiber && (state == State::Suspended || state == State::Parked);
  return waits ? record : nullptr;
}

}  // namespace

/// A copy of a chain that is awake, for nobody yet, which several may have. Null without memory.
ChainCopy* Copies::make(const VMContinuation* record, bool shared) {
  uint32_t count = 0;
  uint64_t bytes = 0;
  // The outermost fiber's control block holds where the innermost stands, and each other one's where its parent waits.
  uint64_t sp = record->fiber->sp;
  for (const VMFiber* fiber = record->leaf; fiber != nullptr; fiber = fiber->parent) {
    bytes += address_of(fiber) - sp;
    sp = fiber->sp;
    count++;
  }
  uint64_t fp = record->fiber->fp;
  links_.clear();
  if (shared && count == 1) read_links(fp, address_of(record->fiber), &links_);
  const auto links = static_cast<uint32_t>(links_.size());
  const uint64_t head = sizeof(ChainCopy) + count * sizeof(SavedFiber) + links * sizeof(FrameLink);
  auto* copy = static_cast<ChainCopy*>(std::malloc(head + bytes));
  if (copy == nullptr) return nullptr;
  *copy = {count, 0, scan_ - 1, links, record, record->generation, nullptr};
  uint64_t place = address_of(copy) + head;
  SavedFiber* part = copy->begin();
  sp = record->fiber->sp;
  for (const VMFiber* fiber = record->leaf; fiber != nullptr; fiber = fiber->parent) {
    const VMContinuation* own = fiber->record;
    part->from = sp;
    part->bytes = address_of(fiber) - sp;
    part->copy = place;
    part->stack = stack_of(fiber);
    part->function = own->function;
    part->capacity = own->capacity;
    save_block(fiber, part);
    copy_recent(place, sp, part->bytes);
    if (links > 0) {
      std::memcpy(copy->first_link(), links_.data(), links * sizeof(FrameLink));
      use_links(copy, place - sp);
    } else if (part->stack->copied && part->stack->owners->links != nullptr) {
      restore_links(fp, place - sp);
    }
    place += part->bytes;
    sp = fiber->sp;
    fp = fiber->fp;
    part++;
  }
  count_++;
  bytes_ += head + bytes;
  return copy;
}

void Copies::free(ChainCopy* copy) {
  count_--;
  bytes_ -= size_of(copy);
  delete copy->shadow;
  if (copy->shared()) {
    // The parts are read before any stack goes.
    for (SavedFiber& part : *copy) {
      Stack* stack = part.stack;
      if (stack->owners->clean == copy) stack->owners->clean = nullptr;
      disown(stack);
    }
  }
  std::free(copy);
}

/// Makes a copy one of the owners of its stacks. False, with nothing changed, without memory.
bool Copies::share(ChainCopy* copy, bool occupied) {
  for (SavedFiber* part = copy->begin(); part != copy->end(); part++) {
    Stack* stack = part->stack;
    if (!stack->copied) {
      auto* owners = new (std::nothrow) StackOwners;
      if (owners == nullptr) {
        while (part-- != copy->begin()) {
          if (--part->stack->owners->copies == 0) note_released(part->stack);
        }
        return false;
      }
      owners->occupied = occupied;
      stack->owners = owners;
      stack->copied = true;
    }
    stack->owners->copies++;
  }
  copy->share();
  return true;
}

/// No copies of it are left: it is as other stacks are.
void Copies::note_released(Stack* stack) {
  delete stack->owners;
  stack->owners = nullptr;
  stack->copied = false;
}

void Copies::disown(Stack* stack) {
  StackOwners* owners = stack->owners;
  if (--owners->copies > 0) return;
  const bool occupied = owners->occupied;
  unlist(stack);
  note_released(stack);
  if (!occupied) stack->owner->release(stack);
}

/// Notes a stack that may be owned by copies alone now.
void Copies::list_empty(Stack* stack) {
  if (stack->vacant || !make_room(&empty_, 1)) return;
  stack->owners->place = static_cast<uint32_t>(empty_.size());
  empty_.push_back(stack);
}

/// It is not in the list of those on which nothing lies any more.
void Copies::unlist(Stack* stack) {
  const uint32_t place = stack->owners->place;
  if (place == kNowhere) return;
  stack->owners->place = kNowhere;
  empty_[place] = empty_.back();
  empty_.pop_back();
  if (place < empty_.size()) empty_[place]->owners->place = place;
}

uint64_t Copies::vacate_empty(StackSets* stacks) {
  for (Stack* stack : empty_) stack->owners->place = kNowhere;
  const auto end = std::partition(empty_.begin(), empty_.end(), [](const Stack* stack) { return !stack->owners->occupied; });
  const auto count = static_cast<uint64_t>(end - empty_.begin());
  stacks->vacate(empty_.data(), empty_.data() + count);
  empty_.clear();
  return count;
}

/// Inner fibers of a copy lose the records that they have in it: each version gets some of its own when it wakes.
void Copies::forget_inner(VMContinuation* record) {
  record->fiber = nullptr;
  record->leaf = nullptr;
  runtime_->release_continuation(record);
}

/// Copies what a chain has on shadow stacks, of which most threads have none. 0, or a refused_….
uint64_t Copies::capture(ChainCopy* copy) const {
  if (runtime_->shadows.empty()) return 0;
  return ShadowCopy::capture(
      copy->count, [copy](size_t i) { return static_cast<const ShadowUse*>(copy->begin()[i].shadow); }, &copy->shadow);
}

/// What waits has nothing on shadow stacks any more.
void Copies::end_shadow(SavedFiber* part) {
  if (part->shadow == nullptr) return;
  VMFiber fiber = {};
  fiber.start_context = address_of(part->function->context);  // By which a shadow stack of which little is known finds its own.
  fiber.shadow = std::exchange(part->shadow, nullptr);
  ShadowSwitch(runtime_).end(&fiber, true);
}

/// Makes a copy of a chain that hibernates one that several may have. False, with nothing changed, and `*refused`.
bool Copies::strip(ChainCopy* copy, uint64_t* refused) {
  if (const uint64_t reason = capture(copy)) {
    *refused = reason;
    return false;
  }
  if (!share(copy, false)) {
    delete copy->shadow;
    copy->shadow = nullptr;
    *refused = kRefusedSystem;
    return false;
  }
  if (copy->shadow != nullptr) bytes_ += copy->shadow->bytes();
  copy->source = nullptr;
  for (SavedFiber& part : *copy) {
    end_shadow(&part);
    if (&part != &copy->outermost()) forget_inner(part.record);
    part.record = nullptr;
  }
  return true;
}

/// Makes a copy of a chain that is awake one that several may have: what the chain has besides its frames stays the chain's. 0, or a
/// refused_….
uint64_t Copies::share_new(ChainCopy* copy) {
  if (const uint64_t reason = capture(copy)) return reason;
  if (copy->shadow != nullptr) bytes_ += copy->shadow->bytes();
  if (!share(copy, true)) return kRefusedSystem;
  for (SavedFiber& part : *copy) {
    part.record = nullptr;
    part.shadow = nullptr;
  }
  return 0;
}

/// A copy of a suspended chain that versions may go on from; null, with nothing changed, and `*refused`.
ChainCopy* Copies::shared_copy(VMContinuation* source, uint64_t* refused) {
  if (is_copied(source)) {
    ChainCopy* copy = copy_of(source);
    return copy->shared() || strip(copy, refused) ? copy : nullptr;
  }
  if (ChainCopy* copy = clean_copy(source)) return copy;
  ChainCopy* copy = make(source, true);
  if (copy == nullptr) {
    *refused = kRefusedSystem;
    return nullptr;
  }
  *refused = share_new(copy);
  if (*refused != 0) {
    free(copy);
    return nullptr;
  }
  copied_since_ += size_of(copy);
  // What lies in linear memory others may write while the chain waits.
  stack_of(source->fiber)->owners->clean = copy->shadow == nullptr ? copy : nullptr;
  return copy;
}

VMContinuation* Copies::clone(VMContinuation* source, uint64_t* refused) {
  ChainCopy* copy = nullptr;
  if (!is_fresh(source)) {
    copy = shared_copy(source, refused);
    if (copy == nullptr) return nullptr;
  }
  if (copy != nullptr) {
    VMContinuation* made = make_version(source, copy);
    if (made != nullptr) return made;
    if (copy->versions == 0) free(copy);
    *refused = kRefusedRecords;
    return nullptr;
  }
  VMContinuation* made = runtime_->records.allocate(source->capacity);
  if (made == nullptr) {
    *refused = kRefusedRecords;
    return nullptr;
  }
  made->function = source->function;
  made->count = source->count;
  if (source->count > 0) std::memcpy(at<void>(made->slots), at<const void>(source->slots), uint64_t{source->count} * kSlotSize);
  made->leaf = source->leaf;  // The Stacks that its stack is to come from.
  clones_++;
  return made;
}

bool Copies::put_aside(VMContinuation* record, std::vector<Stack*>* emptied) {
  VMFiber* const leaf = record->leaf;
  const bool shared = any_copied(leaf);
  ChainCopy* copy = shared ? clean_copy(record) : nullptr;
  const bool joins = copy != nullptr;
  if (!joins) copy = make(record, shared);
  if (copy == nullptr) return false;
  if (emptied != nullptr && !make_room(emptied, copy->count)) {
    if (!joins) free(copy);
    return false;
  }
  if (shared && !joins && share_new(copy) != 0) {
    free(copy);
    return false;
  }
  for (VMFiber *fiber = leaf, *parent = nullptr; fiber != nullptr; fiber = parent) {
    parent = fiber->parent;
    Stack* stack = stack_of(fiber);
    if (shared) {
      if (!runtime_->shadows.empty()) ShadowSwitch(runtime_).end(fiber, true);
      if (emptied == nullptr) {
        leave(stack);
      } else {
        unlist(stack);
        stack->owners->occupied = false;
        stack->owners->clean = nullptr;
        release_links(stack->owners);
      }
      if (fiber->record != record) forget_inner(fiber->record);
    } else if (fiber->record != record) {
      fiber->record->fiber = nullptr;
      fiber->record->leaf = nullptr;
      fiber->record->state = static_cast<uint32_t>(State::Aside);
    }
    if (emptied != nullptr) emptied->push_back(stack);
  }
  record->fiber = nullptr;
  record->leaf = at<VMFiber>(address_of(copy));
  copy->versions++;
  chains_++;
  hibernations_++;
  return true;
}

/// Puts aside what lies on the stacks of a copy. 0, or a refused_….
uint64_t Copies::make_way(ChainCopy* copy) {
  for (const SavedFiber& part : *copy) {
    if (part.stack->owners->occupied && movable(part.home()) == nullptr) return kRefusedActive;
  }
  for (const SavedFiber& part : *copy) {
    if (part.stack->owners->occupied && !put_aside(movable(part.home()), nullptr)) return kRefusedSystem;
  }
  return copy->shadow == nullptr || copy->shadow->is_free() ? 0 : kRefusedActive;
}

/// Records for the inner fibers of a copy, in inner_. False, and there are none, where they run out.
bool Copies::make_records(const ChainCopy* copy) {
  inner_.clear();
  if (copy->count == 1) return true;
  if (!attempt([=] { inner_.reserve(copy->count - 1); })) return false;
  const SavedFiber* part = const_cast<ChainCopy*>(copy)->begin();
  for (uint64_t i = 0; i + 1 < copy->count; i++, part++) {
    VMContinuation* record = runtime_->records.allocate(static_cast<uint32_t>(part->capacity));
    if (record == nullptr) {
      for (VMContinuation* each : inner_) runtime_->records.release(each);
      return false;
    }
    record->function = part->function;
    record->state = static_cast<uint32_t>(State::Aside);
    inner_.push_back(record);
  }
  return true;
}

/// What lies on the stacks is what the copy says: who is there and who goes on change places.
void Copies::exchange(VMContinuation* record, ChainCopy* copy) {
  VMFiber* home = copy->outermost().home();
  VMContinuation* other = home->record;
  record->fiber = home;
  record->leaf = other->leaf;
  home->record = record;
  other->fiber = nullptr;
  other->leaf = at<VMFiber>(address_of(copy));
  StackOwners* owners = stack_of(home)->owners;
  owners->clean = nullptr;
  if (copy->links() > 0) {
    use_links(copy, 0);
    release_links(owners);
    owners->links = copy;
  }
  for (VMFiber* fiber = record->leaf; fiber != nullptr; fiber = fiber->parent) fiber->id = runtime_->next_fiber_id();
  hibernations_++;
  wakes_++;
}

uint64_t Copies::wake(VMContinuation* record) {
  HEDDLE_CHECK(is_copied(record));
  ChainCopy* copy = copy_of(record);
  if (copy->shared()) {
    const VMFiber* home = copy->outermost().home();
    const StackOwners* owners = copy->outermost().stack->owners;
    if (owners->clean == copy && clean_copy(home->record) == copy) {
      exchange(record, copy);
      return 0;
    }
    if (!make_records(copy)) return kRefusedRecords;
    if (const uint64_t refused = make_way(copy)) {
      for (VMContinuation* each : inner_) runtime_->records.release(each);
      return refused;
    }
  }
  const bool original = !copy->shared() || copy->is_of(record);
  record->leaf = copy->begin()->home();
  record->fiber = copy->outermost().home();
  size_t i = 0;
  for (const SavedFiber& part : *copy) {
    copy_words(part.from, part.copy, part.bytes);
    restore_block(copy, part, &runtime_->thread);
    VMFiber* block = part.home();
    Stack* stack = part.stack;
    stack->owner->occupy(stack);
    if (copy->shared()) {
      stack->owners->occupied = true;
      stack->owners->clean = nullptr;
      if (block != record->fiber) block->record = inner_[i++];
      if (!original) block->id = runtime_->next_fiber_id();
    }
    if (block == record->fiber) {
      block->record = record;  // It may have moved to another record meanwhile.
      continue;
    }
    block->record->fiber = block;
    block->record->state = static_cast<uint32_t>(State::Running);
  }
  if (copy->shadow != nullptr) copy->shadow->restore([copy](size_t part) { return copy->begin()[part].home(); });
  if (copy->links() > 0) copy->outermost().stack->owners->links = copy;
  chains_--;
  wakes_++;
  unversion(copy);
  return 0;
}

uint64_t Copies::resume(VMContinuation* record) {
  ChainCopy* const copy = copy_of(record);
  if (const uint64_t refused = wake(record)) return refused;
  const Stack* const stack = stack_of(record->fiber);
  if (stack->copied && stack->owners->links == copy) expect_returns(record->fiber, copy->links());
  return 0;
}

void Copies::unversion(ChainCopy* copy) {
  if (--copy->versions == 0 && !copy->in_use()) free(copy);
}

void Copies::drop(VMContinuation* record) {
  ChainCopy* copy = copy_of(record);
  record->leaf = nullptr;
  chains_--;
  if (copy->shared()) {
    if (copy->is_of(record)) copy->source = nullptr;
    runtime_->release_continuation(record);
    return unversion(copy);
  }
  for (SavedFiber& part : *copy) {
    // What waits has no pointer in a global, whoever inside was running.
    end_shadow(&part);
    part.stack->owner->release(part.stack);
    runtime_->release_continuation(&part == &copy->outermost() ? record : part.record);
  }
  unversion(copy);
}

}  // namespace heddle

#include "heap/marker.h"

#include <algorithm>

namespace heddle {

namespace {

/// Records whose stacks are asked for before the first of them is looked at: a stack's top is on a page of its own, far from everything.
constexpr size_t kAhead = 128;
/// Objects that are asked for before the first of them is looked at.
constexpr size_t kQueue = 16;
/// Bytes of frames that are asked for at once.
constexpr uint64_t kShallow = 384;
constexpr uint64_t kLine = 64;

State state_of(const VMContinuation* record) {
  return static_cast<State>(record->state);
}

/// Loads a suspended fiber's frames into the cache. Loads that wait for each other's page walks overlap; prefetches were measured to be
/// twice as slow here. Redzones are looked at, too.
__attribute__((no_sanitize("address", "thread"))) void touch_frames(const VMContinuation* record) {
  if (record->fiber == nullptr) return;
  const uint64_t block = address_of(record->leaf);
  const uint64_t end = std::min(block, record->fiber->sp + kShallow);
  for (uint64_t line = record->fiber->sp / kLine * kLine; line < end; line += kLine) (void)*at<volatile uint64_t>(line);
}

}  // namespace

Marker::Marker(Runtime* runtime, Blocks* blocks, Codes* codes, const Externs* externs, const TypeMarks* types, const Kind* kinds,
               std::vector<MemoryRange> memories)
    : runtime_(runtime),
      blocks_(blocks),
      codes_(codes),
      externs_(externs),
      types_(types),
      kinds_(kinds),
      memories_(std::move(memories)),
      base_(runtime->records.base()),
      record_count_(runtime->records.end()),
      records_((record_count_ + 63) / 64) {
  runtime->copies.begin_scan();
}

void Marker::address(uint64_t word) {
  if (codes_->spans(word)) codes_->mark(word);
  if (!memories_.empty() && word >= memories_.front().base) {
    const auto after =
        std::upper_bound(memories_.begin(), memories_.end(), word, [](uint64_t value, const MemoryRange& row) { return value < row.base; });
    const MemoryRange& memory = *std::prev(after);
    if (word < memory.end) object(memory.object);
  }
  // Generated code keeps a record's address instead of its handle where it has begun to consume it, and where Cranelift has moved the
  // computation of the one from the other out of a loop.
  if (VMContinuation* found = record_at(word)) record(found);
}

VMContinuation* Marker::record_at(uint64_t word) const {
  const uint64_t offset = word - address_of(base_);
  return offset >> kRecordSizeLog2 < record_count_ && offset % sizeof(VMContinuation) == 0 ? base_ + (offset >> kRecordSizeLog2) : nullptr;
}

void Marker::root(uint64_t value) {
  word(value);
  // One that is consumed, and needs a stack or is put back: it has values already that its count does not say.
  if (const VMContinuation* found = record_at(value)) slots(found->slots, found->capacity);
}

// Redzones of C++ frames are looked at, too: what is there is plain memory.
__attribute__((no_sanitize("address", "thread"))) void Marker::words(uint64_t from, uint64_t to) {
  for (uint64_t at_word = from; at_word + sizeof(uint64_t) <= to; at_word += sizeof(uint64_t)) word(*at<const uint64_t>(at_word));
}

void Marker::slots(uint64_t first, uint64_t count) {
  for (uint64_t i = 0; i < count; i++) word(*at<const uint64_t>(first + kSlotSize * i));
}

bool Marker::mark_record(const VMContinuation* record) {
  uint64_t& bits = records_[record->index / 64];
  const uint64_t bit = uint64_t{1} << (record->index % 64);
  if ((bits & bit) != 0) return false;
  bits |= bit;
  return true;
}

void Marker::record(VMContinuation* record) {
  // A running one is found by its chain, which is active or hangs on a suspended one.
  const State state = state_of(record);
  if (state != State::Fresh && state != State::Suspended && state != State::Parked) return;
  if (mark_record(record)) continuations_.push_back(record);
}

void Marker::chain(VMFiber* leaf, uint64_t sp, uint64_t pc) {
  for (VMFiber* fiber = leaf; !is_host(fiber); fiber = fiber->parent) {
    words(sp, address_of(fiber));
    word(pc);
    const auto* stack = static_cast<const Stack*>(fiber->stack);
    if (stack->copied && stack->owners->links != nullptr) links(static_cast<ChainCopy*>(stack->owners->links));
    VMContinuation* own = fiber->record;
    if (own >= base_ && own < base_ + record_count_) {
      mark_record(own);
      // Its frames may be those of other functions, which it called last; its results are of the type that it has.
      word(address_of(own->function));
    }
    // The handlers of a resume that has not ended; those of a suspended chain's outermost fiber are of one that has.
    if (fiber->parent != nullptr) word(address_of(fiber->handlers));
    sp = fiber->sp;
    pc = fiber->pc;
  }
}

void Marker::links(ChainCopy* copy) {
  words(address_of(copy->first_link()), address_of(copy->first_link() + copy->links()));
}

void Marker::copy(ChainCopy* copy) {
  if (!runtime_->copies.scan(copy)) return;
  links(copy);
  word(copy->outermost().pc);
  for (const SavedFiber& fiber : *copy) {
    words(fiber.copy, fiber.copy + fiber.bytes);
    if (&fiber == &copy->outermost()) break;
    // Where the parent waits, the handlers of its resume, and what the fiber began with, as of one that is awake.
    word(fiber.pc);
    word(address_of(fiber.handlers));
    word(address_of(fiber.function));
  }
}

void Marker::suspended(VMContinuation* record) {
  word(address_of(record->function));
  // Consumed ones, whose values are not counted yet, are found by their address only while the count below says nothing; so all slots
  // count.
  const bool fresh = is_fresh(record);
  slots(record->slots, fresh ? record->capacity : record->count);
  if (state_of(record) == State::Parked) slots(record->slots, 1);  // The import's object.
  if (is_copied(record)) return copy(copy_of(record));
  if (!fresh) chain(record->leaf, record->fiber->sp, resume_pc(record->fiber));
}

void Marker::follow_objects() {
  // Each waits in a short queue for its first line to come into the cache.
  uint64_t queue[kQueue];
  size_t first = 0, count = 0;
  for (;;) {
    while (count < kQueue && !objects_.empty()) {
      const uint64_t next = objects_.back();
      objects_.pop_back();
      __builtin_prefetch(at<void>(next));
      queue[(first + count++) % kQueue] = next;
    }
    if (count == 0) return;
    const uint64_t object = queue[first];
    first = (first + 1) % kQueue;
    count--;
    const Kind& kind = kinds_[static_cast<size_t>(blocks_->kind_of(object))];
    if (kind.trace != nullptr) kind.trace(this, object);
  }
}

void Marker::drain() {
  for (;;) {
    follow_objects();
    if (continuations_.empty()) return;
    VMContinuation* batch[kAhead];
    const size_t count = std::min(continuations_.size(), kAhead);
    for (size_t i = 0; i < count; i++) {
      batch[i] = continuations_.back();
      continuations_.pop_back();
      __builtin_prefetch(batch[i]->fiber);
      __builtin_prefetch(batch[i]->leaf);
    }
    for (size_t i = 0; i < count; i++) {
      touch_frames(batch[i]);
    }
    for (size_t i = 0; i < count; i++) suspended(batch[i]);
  }
}

}  // namespace heddle

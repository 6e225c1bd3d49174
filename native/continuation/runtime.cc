#include "continuation/runtime.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>

#include "base/attempt.h"
#include "base/check.h"
#include "base/system.h"
#include "continuation/announce.h"
#include "continuation/fiber_table.h"
#include "continuation/known_copies.h"
#include "continuation/park.h"
#include "fiber/fiber.h"

namespace heddle {

namespace {

/// The zero after the head ends the list of tags.
struct NoHandlers {
  VMHandlers head{};
  uint64_t end = 0;
};
NoHandlers no_handlers;

/// How many fibers may wait for each other, each resumed by the one before: a function that resumes a new continuation of itself for ever
/// traps after seconds, not after all memory that a million fibers may have. Stack::user of a continuation's stack is its place in that
/// row.
constexpr uint32_t kDeepest = 1 << 18;

/// By default so many stacks have 1 MiB, as much as a call from JavaScript has, for programs that have few and run deep on them; so many
/// more 256 KiB, and those beyond 64 KiB: a million large ones do not fit the address space, and 10,000 have their page tables in no cache.
constexpr uint64_t kLargeStacks = 256;
constexpr uint64_t kFullStacks = 16 * 1024;

/// What an entry needs of the thread's own stack: library calls take the most where one makes an error, by hooks of JavaScript, and where
/// V8 runs out of its own part, which ends 192 KiB above the end in a Worker. A thread with a small stack keeps a quarter of it.
constexpr uint64_t kHostRoom = 128 * 1024;

/// Entry fibers kept for the next calls; more than that come from nesting.
constexpr size_t kFreeEntries = 8;

}  // namespace

HostResult refuse_version(VMThread* thread, VMContinuation* record, uint64_t refused) {
  unconsume(record);
  return refused == kRefusedActive ? raise_trap(thread, Trap::SnapshotActive) : raise_trap(thread, Trap::TooManyStacks, refused);
}

HostResult raise_no_copy(VMThread* thread, uint64_t refused) {
  if (refused > kRefusedShadow) return raise_trap(thread, Trap::ShadowStack, refused - kRefusedShadow);
  return raise_trap(thread, Trap::TooManyStacks, refused);
}

VMHandlers* host_handlers() {
  return &no_handlers.head;
}

RuntimeOptions RuntimeOptions::defaults() {
  static const uint64_t half = memory_limit() / 2;
  RuntimeOptions options;
  options.continuation.memory = half;
  options.continuation.budget = half / 2;
  options.continuation.large = kLargeStacks;
  options.continuation.first = kFullStacks;
  options.continuation.warm = std::min<uint64_t>(256 << 20, half / 8);
  options.entry.size = 1 << 20;
  options.entry.memory = half;
  options.entry.warm = 1 << 20;
  return options;
}

Runtime::Runtime(const RuntimeOptions& options)
    : records(options.continuation.memory >> kRecordSizeLog2),
      options_(options),
      host_stack_(host_stack()),
      host_room_(std::min(kHostRoom, host_stack_.size / 4)) {
  thread.self = &thread;
  thread.runtime = this;
  thread.continuations = records.base();
  poll_page = Mapping::reserve(page_size(), PROT_READ);
  HEDDLE_CHECK(poll_page);
  thread.poll_page = poll_page.base();
  thread.fiber_tag = &fiber_tag.tag;
  thread.fiber_handlers = &fiber_tag.handlers;
  fiber_tag.handlers.labels = 1;
  fiber_tag.handlers.first_tag = &fiber_tag.tag;
  fiber_tag.tags[0] = address_of(&fiber_tag.tag);
  host.handlers = host_handlers();
  host.thread = &thread;
  thread.libcalls[static_cast<uint32_t>(Libcall::Wait)] = address_of(heddle_wait);
  thread.libcalls[static_cast<uint32_t>(Libcall::FiberEnd)] = address_of(heddle_fiber_end);
  thread.libcalls[static_cast<uint32_t>(Libcall::FirstCall)] = address_of(heddle_first_call);
  install_continuation_libcalls(this);
  install_fiber_libcalls(this);
  install_asyncify_libcalls(this);
}

Runtime::~Runtime() {
  for (uint64_t i = 1; i < records.end(); i++) {
    const VMContinuation* record = records.find(i);
    const bool live = record->state != static_cast<uint32_t>(State::Free) && record->state != static_cast<uint32_t>(State::Retired);
    if (!live || record->fiber == nullptr) continue;
    ShadowSwitch(this).end(record->fiber, true);
    copies.forget(static_cast<Stack*>(record->fiber->stack));
  }
  for (uint64_t i = 1; copies.chains() > 0 && i < records.end(); i++) {
    VMContinuation* record = records.find(i);
    const auto state = static_cast<State>(record->state);
    if ((state == State::Suspended || state == State::Parked) && is_copied(record)) copies.drop(record);
  }
  while (EntryFiber* entry = free_entries_.first()) {
    free_entries_.remove(entry);
    destroy_entry_fiber(entry);
  }
}

void Runtime::destroy_entry_fiber(EntryFiber* entry) {
  std::free(at<void>(entry->record.slots));
  entry_stacks_->release(entry->stack);
  delete entry;
}

void Runtime::set_libcall(Libcall number, HostFunction function) {
  function = sanitizer::announce(number, function);
  thread.libcalls[static_cast<uint32_t>(number)] = reinterpret_cast<uint64_t>(function);  // SAFETY: the host_call stub calls it as one.
}

bool Runtime::configure(const RuntimeOptions& options) {
  if (continuation_stacks_ != nullptr || entry_stacks_ != nullptr) return false;
  options_ = options;
  return true;
}

StackSets& Runtime::continuation_stacks() {
  if (continuation_stacks_ == nullptr) continuation_stacks_ = std::make_unique<StackSets>(options_.continuation);
  return *continuation_stacks_;
}

Stacks& Runtime::entry_stacks() {
  if (entry_stacks_ == nullptr) entry_stacks_ = Stacks::create(options_.entry);
  return *entry_stacks_;
}

EntryFiber* Runtime::make_entry_fiber(Trap* trap, uint64_t* detail) {
  *trap = Trap::TooManyStacks;
  *detail = kRefusedSystem;
  if (!attempt([this] { entry_stacks(); })) return nullptr;
  Stack* stack = entry_stacks_->allocate();
  if (stack == nullptr) {
    *detail = static_cast<uint64_t>(entry_stacks_->refusal());
    return nullptr;
  }
  auto* entry = new (std::nothrow) EntryFiber{stack, prepare_block(stack->span, heddle_fiber_start), {}, nullptr, nullptr, {}};
  if (entry == nullptr) {
    entry_stacks_->release(stack);
    return nullptr;
  }
  *trap = Trap::None;
  entry->record.generation = kDeadGeneration;
  entry->record.state = static_cast<uint32_t>(State::Running);
  entry->record.fiber = entry->fiber;
  entry->fiber->record = &entry->record;
  entry->fiber->handlers = host_handlers();
  entry->fiber->thread = &thread;
  entry->fiber->stack = stack;
  entry->fiber->entry = entry;
  return entry;
}

EntryFiber* Runtime::take_entry_fiber(const VMFunction* function, Trap* trap, uint64_t* detail) {
  EntryFiber* entry = free_entries_.first();
  if (entry != nullptr) {
    free_entries_.remove(entry);
    free_entry_count_--;
  } else {
    entry = make_entry_fiber(trap, detail);
    if (entry == nullptr) return nullptr;
  }
  taken_entries_.add(entry);
  entry->record.count = 0;
  if (entry->record.capacity < function->slots) {
    std::free(at<void>(entry->record.slots));
    entry->record.slots = address_of(std::calloc(function->slots, kSlotSize));
    entry->record.capacity = entry->record.slots == 0 ? 0 : function->slots;
    if (entry->record.slots == 0) {
      release_entry_fiber(entry);
      *trap = Trap::OutOfMemory;
      return nullptr;
    }
  }
  entry->record.count = function->slots;
  VMFiber* fiber = entry->fiber;
  fiber->sp = address_of(fiber);
  fiber->fp = 0;
  fiber->pc = address_of(heddle_fiber_start);
  fiber->start_enter = function->enter;
  fiber->start_context = address_of(function->context);
  fiber->start_code = function->code;
  fiber->id = ++fibers_made_;
  return entry;
}

void Runtime::release_entry_fiber(EntryFiber* entry) {
  taken_entries_.remove(entry);
  entry_stacks_->look_below(*entry->stack);
  if (free_entry_count_ >= kFreeEntries) return destroy_entry_fiber(entry);
  free_entry_count_++;
  sanitizer::forget_frames(entry->stack->span.base, entry->stack->span.size());
  free_entries_.add(entry);
}

/// Past its budget by so little nothing is done: a look at all records is worth a share of the stacks it puts aside.
constexpr uint64_t kBudgetSlack = 32;
constexpr uint64_t kRecordsLooked = 64;

void Runtime::keep_budget() {
  if (no_collection != 0) return;
  StackSets& stacks = continuation_stacks();
  if (const uint64_t eager = stacks.eager()) put_aside(eager, eager, &look_for_eager_at_, true);
  const uint64_t excess = stacks.excess();
  if (excess == 0) return;
  const uint64_t occupied = stacks.counts().live - stacks.counts().vacant;
  if (excess * kBudgetSlack >= occupied) put_aside(excess, occupied, &look_again_at_, false);
}

void Runtime::put_aside(uint64_t excess, uint64_t occupied, uint64_t* look_again_at, bool eager) {
  if (excess * kRecordsLooked < records.live() || occupied < *look_again_at) return;
  // Where all run there is nothing to put aside, and no use to look at each resume.
  const bool found = hibernation.hibernate(&continuation_stacks(), excess, eager) > 0;
  *look_again_at = found ? 0 : occupied + occupied / 8 + 1;
}

uint64_t Runtime::allocate_fiber(VMContinuation* record) {
  HEDDLE_CHECK(record->fiber == nullptr);
  if (continuation_stacks_ == nullptr && !attempt([this] { continuation_stacks(); })) return kRefusedSystem;
  StackSets& stacks = *continuation_stacks_;
  const bool copied = is_copied(record);
  if (copied && Copies::is_warm(record)) return copies.resume(record);
  if (!stacks.is_within_budget()) keep_budget();  // Nothing that is consumed has a fiber now: where one is needed, this is called first.
  if (copied) return copies.resume(record);
  const Stack* below = thread.current == nullptr ? nullptr : static_cast<const Stack*>(thread.current->stack);
  const uint32_t depth = below == nullptr ? 1 : below->user + 1;
  if (depth > kDeepest) return kRefusedDepth;
  // SAFETY: what leaf is while a record is fresh.
  auto* chosen = reinterpret_cast<Stacks*>(record->leaf);
  Stack* stack = chosen == nullptr ? stacks.take_recent() : nullptr;
  if (stack == nullptr) {
    stack = stacks.allocate(chosen == nullptr ? stacks.usual() : chosen, copies.bytes());
    if (stack == nullptr) return static_cast<uint64_t>(stacks.refusal());
  }
  stack->user = depth;
  const VMFunction* function = record->function;
  VMFiber* fiber = prepare_block(stack->span, heddle_fiber_start);
  fiber->record = record;
  fiber->thread = &thread;
  fiber->start_enter = function->enter;
  fiber->start_context = address_of(function->context);
  fiber->start_code = function->code;
  fiber->stack = stack;
  fiber->id = ++fibers_made_;
  record->fiber = fiber;
  record->leaf = fiber;
  return 0;
}

VMContinuation* Runtime::make_continuation(VMFunction* function, Stacks* stacks) {
  if (records.live() >= reclaim_at) reclaimer->reclaim({address_of(function)});
  VMContinuation* record = records.allocate(function->slots);
  if (record == nullptr && reclaimer != nullptr) {
    reclaimer->reclaim({address_of(function)});
    record = records.allocate(function->slots);
  }
  if (record == nullptr) return nullptr;
  record->function = function;
  record->leaf = reinterpret_cast<VMFiber*>(stacks);  // SAFETY: what leaf is while a record is fresh.
  return record;
}

uint64_t Runtime::allocate_fiber_or_reclaim(VMContinuation* record, uint64_t root) {
  if (reclaimer != nullptr && reclaimer->always()) reclaimer->reclaim({root});
  const uint64_t refused = allocate_fiber(record);
  if (refused == 0 || refused == kRefusedDepth || refused == kRefusedActive || reclaimer == nullptr) return refused;
  reclaimer->reclaim({root});
  return allocate_fiber(record);
}

uint64_t Runtime::wake_or_reclaim(VMContinuation* record, std::initializer_list<uint64_t> roots) {
  const uint64_t refused = wake(record);
  if (refused == 0 || refused == kRefusedActive || reclaimer == nullptr) return refused;
  reclaimer->reclaim(roots);
  return wake(record);
}

VMContinuation* Runtime::clone_continuation(VMContinuation* source, uint64_t handle, uint64_t* refused) {
  const uint64_t memory = options_.continuation.memory;
  const auto is_full = [=] {
    const uint64_t copied = copies.bytes();
    return copied > memory / 2 && copied + (continuation_stacks_ == nullptr ? 0 : continuation_stacks_->committed()) > memory;
  };
  if (reclaimer != nullptr && (records.live() >= reclaim_at || copies.copied_since() >= reclaim_copies_at || is_full())) {
    reclaimer->reclaim({handle});
  }
  *refused = kRefusedMemory;
  if (is_full()) return nullptr;
  VMContinuation* made = copies.clone(source, refused);
  if (made != nullptr || reclaimer == nullptr || *refused >= kRefusedShadow) return made;
  reclaimer->reclaim({handle});
  return copies.clone(source, refused);
}

void Runtime::release_continuation(VMContinuation* record) {
  if (record->state == static_cast<uint32_t>(State::Parked)) take_parked_words(record);  // Its next user must not find them.
  Stack* stack = nullptr;
  if (record->fiber != nullptr) {
    if (!shadows.empty()) ShadowSwitch(this).end(record->fiber, false);
    stack = static_cast<Stack*>(record->fiber->stack);
    __builtin_prefetch(stack);  // Among many it is a miss, which the record's release hides.
  }
  record->fiber = nullptr;
  record->leaf = nullptr;
  records.release(record);
  if (stack == nullptr) return;
  if (stack->copied) {
    copies.leave(stack);
  } else {
    continuation_stacks_->release(stack);
  }
}

void Runtime::drop(VMContinuation* record) {
  if (is_copied(record)) return copies.drop(record);
  if (record->fiber == nullptr) return release_continuation(record);
  release_fibers(record->leaf, nullptr);
}

void Runtime::release_fibers(VMFiber* fiber, const VMFiber* end) {
  while (fiber != end) {
    HEDDLE_CHECK(fiber != nullptr);
    VMFiber* parent = fiber->parent;
    release_continuation(fiber->record);
    fiber = parent;
  }
}

}  // namespace heddle

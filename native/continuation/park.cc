#include "continuation/park.h"

#include "base/check.h"

namespace heddle {

namespace {
bool takes_promises(const OuterEntry* entry) {
  return entry != nullptr && (entry->takes & kTakesPromises) != 0;
}
}  // namespace

Parking can_park(const VMThread* thread) {
  const auto* entry = static_cast<const OuterEntry*>(thread->entry);
  if (takes_promises(entry)) {
    for (const VMFiber* fiber = thread->current; fiber != nullptr; fiber = fiber->parent) {
      if (address_of(fiber->handlers->first_tag) == kBarrierTag) return Parking::Barrier;
    }
    return Parking::Possible;
  }
  while (entry != nullptr && !takes_promises(entry)) entry = entry->outer;
  return entry == nullptr ? Parking::NotPromising : Parking::HostFrames;
}

ParkedWords take_parked_words(VMContinuation* record) {
  if (record->state != static_cast<uint32_t>(State::Parked)) return {};
  uint64_t* kept = at<uint64_t>(record->slots);
  const ParkedWords words{{kept[0], kept[1]}};
  kept[0] = kept[1] = 0;
  return words;
}

namespace {

/// set_aside, by a record that has a generation left.
inline HostResult set_aside_by(VMContinuation* record, VMThread* thread, ParkedWords words) {
  Runtime* runtime = Runtime::of(thread);
  VMFiber* outermost = static_cast<const OuterEntry*>(thread->entry)->outermost;
  // A record has room for one slot at least, and while its function runs nothing lies in it.
  uint64_t* const kept = at<uint64_t>(record->slots);
  kept[0] = words.words[0];
  kept[1] = words.words[1];
  record->count = 0;
  record->leaf = thread->current;
  record->state = static_cast<uint32_t>(State::Parked);
  outermost->parent = nullptr;
  thread->current = &runtime->host;
  __atomic_store_n(&thread->stack_limit, 0, __ATOMIC_RELAXED);
  return {address_of(outermost), nullptr};
}

/// Apart, as all that calls something is: then set_aside itself needs no frame.
__attribute__((noinline)) HostResult renew_and_set_aside(VMContinuation* record, VMThread* thread, ParkedWords words) {
  VMContinuation* fresh = Runtime::of(thread)->records.renew(record);
  return fresh == nullptr ? raise_trap(thread, Trap::TooManyStacks) : set_aside_by(fresh, thread, words);
}

}  // namespace

HostResult set_aside(VMThread* thread, ParkedWords words) {
  const VMFiber* outermost = static_cast<const OuterEntry*>(thread->entry)->outermost;
  HEDDLE_CHECK(outermost->parent == &Runtime::of(thread)->host);
  VMContinuation* record = outermost->record;
  return record->generation == kLastGeneration ? renew_and_set_aside(record, thread, words) : set_aside_by(record, thread, words);
}

HostResult park(VMThread* thread, ParkedWords words) {
  const HostResult result = set_aside(thread, words);
  if (result.raise != nullptr) return result;
  // host_call "raises" to the routine that switches back to the host with the caller's registers kept on its fiber.
  thread->unwind_sp = thread->exit_sp;
  thread->unwind_fp = thread->exit_fp;
  thread->unwind_pc = address_of(heddle_park);
  thread->unwind_p0 = result.value;
  thread->unwind_p1 = thread->exit_pc;
  return {0, thread};
}

}  // namespace heddle

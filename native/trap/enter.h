// Entry::enter, for those who enter: in line, because what it keeps for its end is most of what a short call does.
#pragma once
#include "continuation/announce.h"
#include "trap/entry.h"
#include "trap/signals.h"
#include "trap/watchdog.h"

namespace heddle {

__attribute__((always_inline)) inline Entry::Ending Entry::enter(VMFiber* first, VMFiber* leaf, uint64_t payload, const VMFiber* end,
                                                                 uint64_t deadline) {
  // In locals: to the compiler any store may change a member.
  Runtime* const runtime = runtime_;
  VMThread* const thread = &runtime->thread;
  VMFiber* const current = thread->current;
  OuterEntry* const outer_entry = static_cast<OuterEntry*>(thread->entry);
  const VMHostFunction* const outer_import = runtime->running_import;
  const uint64_t outer_deadline = runtime->deadline.load(std::memory_order_relaxed);
  const bool deadline_changes = deadline < outer_deadline;
  OuterEntry* const own = own_;
  own->outer = outer_entry;
  own->suspended_current = current;
  own->outermost = first;
  own->import = outer_import;
  own->outer_host_sp = thread->host_sp;
  own->outer_in_wasm = thread->in_wasm;
  if (current != nullptr) {
    own->exit_sp = thread->exit_sp;
    own->exit_fp = thread->exit_fp;
    own->exit_pc = thread->exit_pc;
  }
  runtime->running_import = nullptr;
  __atomic_store_n(&thread->entry, own, __ATOMIC_RELAXED);
  thread->current = leaf;
  __atomic_store_n(&thread->stack_limit, leaf->limit, __ATOMIC_RELAXED);
  if (runtime->signal_thread == nullptr) runtime->signal_thread = signal_thread();
  own->outer_signals = *runtime->signal_thread;
  __atomic_store_n(runtime->signal_thread, thread, __ATOMIC_RELAXED);
  __atomic_store_n(&thread->in_wasm, 1, __ATOMIC_RELAXED);
  own->number = runtime->entries.load(std::memory_order_relaxed) + 1;
  runtime->entries.store(own->number, std::memory_order_relaxed);
  note_entry();
  if (deadline_changes) {
    runtime->deadline.store(deadline);
    note_deadline();
  }

  sanitizer::go_to_fiber(runtime, leaf);
  const SwitchResult result = heddle_enter(thread, own->outermost, payload);
  sanitizer::go_to_host(runtime);
  if (result.kind == kSwitchParked && own->is_outside) return stay_outside(own);
  if (deadline_changes) runtime->deadline.store(outer_deadline);
  return leave(own, result.kind, first, end);
}

__attribute__((always_inline)) inline Entry::Ending Entry::stay_outside(const OuterEntry* own) {
  // All else is as when C++ calls the import.
  runtime_->thread.host_sp = own->left_host_sp;
  return Ending::Outside;
}

__attribute__((always_inline)) inline Entry::Ending Entry::leave(OuterEntry* own, uint64_t kind, VMFiber* first, const VMFiber* end) {
  Runtime* const runtime = runtime_;
  VMThread* const thread = &runtime->thread;
  // What is read from `own` now was not kept in locals: that would take a word of the host stack for each call that nests.
  if (__builtin_expect(thread->entry != own, 0)) drop_abandoned(runtime, own);
  __atomic_store_n(&thread->in_wasm, own->outer_in_wasm, __ATOMIC_RELAXED);
  __atomic_store_n(runtime->signal_thread, own->outer_signals, __ATOMIC_RELAXED);
  Ending ending = Ending::Suspended;
  if (kind == kSwitchParked) {
    ending = Ending::Parked;
  } else if (kind == kSwitchReturned) {
    ending = Ending::Returned;
  } else if (kind == kEnterLeft) {
    ending = take_back(first, end);
  }
  VMFiber* const suspended = own->suspended_current;
  __atomic_store_n(&thread->entry, own->outer, __ATOMIC_RELAXED);
  thread->current = suspended;
  runtime->running_import = own->import;
  // Not what it was: an interrupt that was pending then may have been served since.
  __atomic_store_n(&thread->stack_limit, suspended == nullptr ? 0 : suspended->limit, __ATOMIC_RELAXED);
  if (suspended != nullptr) {
    thread->exit_sp = own->exit_sp;
    thread->exit_fp = own->exit_fp;
    thread->exit_pc = own->exit_pc;
  }
  return ending;
}

__attribute__((always_inline)) inline Entry::Ending Call::run_here(uint64_t deadline) {
  if (entry_ == nullptr || refused()) return Ending::Trapped;
  if (shadow_ != nullptr) own_->mark = shadow_->mark();
  const Ending ending = enter(entry_->fiber, entry_->fiber, address_of(&entry_->record), entry_->fiber, deadline);
  if (ending != Ending::Returned && ending != Ending::Outside && shadow_ != nullptr) shadow_->back_to(own_->mark);
  return ending;
}

__attribute__((always_inline)) inline Entry::Ending Call::go_on(uint64_t payload) {
  Runtime* const runtime = runtime_;
  VMThread* const thread = &runtime->thread;
  OuterEntry* const own = own_;
  VMFiber* const fiber = entry_->fiber;
  own->is_outside = false;
  __atomic_store_n(&thread->in_wasm, 1, __ATOMIC_RELAXED);
  sanitizer::go_to_fiber(runtime, thread->current);
  const SwitchResult result = heddle_enter(thread, fiber, payload);
  sanitizer::go_to_host(runtime);
  if (result.kind == kSwitchParked && own->is_outside) return stay_outside(own);
  return end_outside(result.kind);
}

}  // namespace heddle

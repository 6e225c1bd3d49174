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
  const uint32_t in_wasm = thread->in_wasm;
  outer = outer_entry;
  suspended_current = current;
  outermost = first;
  import = outer_import;
  if (current != nullptr) {
    exit_sp = thread->exit_sp;
    exit_fp = thread->exit_fp;
    exit_pc = thread->exit_pc;
  }
  runtime->running_import = nullptr;
  __atomic_store_n(&thread->entry, static_cast<OuterEntry*>(this), __ATOMIC_RELAXED);
  thread->current = leaf;
  __atomic_store_n(&thread->stack_limit, leaf->limit, __ATOMIC_RELAXED);
  if (runtime->signal_thread == nullptr) runtime->signal_thread = signal_thread();
  VMThread** const signals = runtime->signal_thread;
  VMThread* const outer_thread = *signals;
  __atomic_store_n(signals, thread, __ATOMIC_RELAXED);
  __atomic_store_n(&thread->in_wasm, 1, __ATOMIC_RELAXED);
  runtime->entries.store(runtime->entries.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  note_entry();
  if (deadline_changes) {
    runtime->deadline.store(deadline);
    note_deadline();
  }

  sanitizer::go_to_fiber(runtime, leaf);
  const SwitchResult result = heddle_enter(thread, first, payload);
  sanitizer::go_to_host(runtime);

  __atomic_store_n(&thread->in_wasm, in_wasm, __ATOMIC_RELAXED);
  __atomic_store_n(signals, outer_thread, __ATOMIC_RELAXED);
  if (deadline_changes) runtime->deadline.store(outer_deadline);
  Ending ending = Ending::Suspended;
  if (result.kind == kSwitchParked) {
    ending = Ending::Parked;
  } else if (result.kind == kSwitchReturned) {
    ending = Ending::Returned;
  } else if (result.kind == kEnterLeft) {
    ending = take_back(first, end);
  }
  __atomic_store_n(&thread->entry, outer_entry, __ATOMIC_RELAXED);
  thread->current = current;
  runtime->running_import = outer_import;
  // Not what it was: an interrupt that was pending then may have been served since.
  __atomic_store_n(&thread->stack_limit, current == nullptr ? 0 : current->limit, __ATOMIC_RELAXED);
  if (current != nullptr) {
    thread->exit_sp = exit_sp;
    thread->exit_fp = exit_fp;
    thread->exit_pc = exit_pc;
  }
  return ending;
}

}  // namespace heddle

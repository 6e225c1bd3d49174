#include "trap/entry.h"

#include "trap/signals.h"
#include "trap/watchdog.h"

namespace heddle {

namespace {
constexpr uint64_t kNever = ~uint64_t{0};
}  // namespace

bool Entry::too_late() {
  const uint64_t deadline = runtime_->deadline.load(std::memory_order_relaxed);
  // JavaScript that makes short calls for ever may reach no poll: the deadline of the call it is in is looked at here, too.
  if (deadline == kNever || deadline > now_nanoseconds()) return false;
  trap_ = Trap::Deadline;
  return true;
}

void Entry::show_trap() {
  if (runtime_->trapped == nullptr) return;
  VMThread* thread = &runtime_->thread;
  thread->exit_sp = thread->trap_sp;
  thread->exit_fp = thread->trap_fp;
  thread->exit_pc = thread->trap_pc + 1;
  runtime_->stopped = true;
  runtime_->trapped(runtime_->embedder);
  runtime_->stopped = false;
}

Entry::Ending Entry::enter(VMFiber* first, VMFiber* leaf, uint64_t payload, const VMFiber* end, uint64_t deadline) {
  VMThread* thread = &runtime_->thread;
  const uint64_t outer_deadline = runtime_->deadline.load(std::memory_order_relaxed);
  const bool deadline_changes = deadline < outer_deadline;
  exit_sp = thread->exit_sp;
  exit_fp = thread->exit_fp;
  exit_pc = thread->exit_pc;
  const uint32_t in_wasm = thread->in_wasm;
  outer = static_cast<OuterEntry*>(thread->entry);
  suspended_current = thread->current;
  outermost = first;
  import = runtime_->running_import;
  runtime_->running_import = nullptr;
  __atomic_store_n(&thread->entry, static_cast<OuterEntry*>(this), __ATOMIC_RELAXED);
  thread->current = leaf;
  __atomic_store_n(&thread->stack_limit, leaf->limit, __ATOMIC_RELAXED);
  if (runtime_->signal_thread == nullptr) runtime_->signal_thread = signal_thread();
  VMThread* const outer_thread = *runtime_->signal_thread;
  __atomic_store_n(runtime_->signal_thread, thread, __ATOMIC_RELAXED);
  __atomic_store_n(&thread->in_wasm, 1, __ATOMIC_RELAXED);
  runtime_->entries.store(runtime_->entries.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  note_entry();
  if (deadline_changes) {
    runtime_->deadline.store(deadline);
    note_deadline();
  }

  const SwitchResult result = heddle_enter(thread, first, payload);

  __atomic_store_n(&thread->in_wasm, in_wasm, __ATOMIC_RELAXED);
  __atomic_store_n(runtime_->signal_thread, outer_thread, __ATOMIC_RELAXED);
  if (deadline_changes) runtime_->deadline.store(outer_deadline);
  Ending ending = Ending::Returned;
  if (result.kind == kEnterLeft) {
    trap_ = static_cast<Trap>(thread->trap_code);
    detail_ = thread->trap_detail;
    thread->trap_code = 0;
    ending = trap_ == Trap::None ? Ending::Failed : Ending::Trapped;
    if (ending == Ending::Trapped && trap_ != Trap::Terminated) {
      frames_ = walk_frames(thread, first);
      show_trap();
    }
    runtime_->release_chain(end);
  } else if (result.kind == kSwitchParked) {
    ending = Ending::Parked;
  } else if (result.kind != kSwitchReturned) {
    ending = Ending::Suspended;
  }
  __atomic_store_n(&thread->entry, outer, __ATOMIC_RELAXED);
  thread->current = suspended_current;
  runtime_->running_import = import;
  // Not what it was: an interrupt that was pending then may have been served since.
  __atomic_store_n(&thread->stack_limit, suspended_current == nullptr ? 0 : suspended_current->limit, __ATOMIC_RELAXED);
  thread->exit_sp = exit_sp;
  thread->exit_fp = exit_fp;
  thread->exit_pc = exit_pc;
  return ending;
}

Call::Call(Runtime* runtime, const VMFunction* function) : Entry(runtime, 0) {
  entry_ = runtime->take_entry_fiber(function, &trap_, &detail_);
}

Call::~Call() {
  if (entry_ != nullptr) runtime_->release_entry_fiber(entry_);
}

Entry::Ending Call::run(uint64_t deadline) {
  if (entry_ == nullptr || too_late()) return Ending::Trapped;
  return enter(entry_->fiber, entry_->fiber, address_of(&entry_->record), entry_->fiber, deadline);
}

}  // namespace heddle

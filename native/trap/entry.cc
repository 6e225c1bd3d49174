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

Entry::Ending Entry::take_back(const VMFiber* first, const VMFiber* end) {
  VMThread* thread = &runtime_->thread;
  trap_ = static_cast<Trap>(thread->trap_code);
  detail_ = thread->trap_detail;
  thread->trap_code = 0;
  if (trap_ != Trap::None && trap_ != Trap::Terminated) {
    frames_ = walk_frames(thread, first);
    show_trap();
  }
  runtime_->release_chain(end);
  return trap_ == Trap::None ? Ending::Failed : Ending::Trapped;
}

Entry::Ending Entry::enter(VMFiber* first, VMFiber* leaf, uint64_t payload, const VMFiber* end, uint64_t deadline) {
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

  const SwitchResult result = heddle_enter(thread, first, payload);

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

Call::Call(Runtime* runtime, const VMFunction* function)
    // Without flags a function's context is an instance.
    : Entry(runtime, 0), shadow_(function->flags == 0 ? static_cast<ShadowStack*>(function->context->shadow) : nullptr) {
  entry_ = runtime->take_entry_fiber(function, &trap_, &detail_);
}

Call::~Call() {
  if (entry_ != nullptr) runtime_->release_entry_fiber(entry_);
}

Entry::Ending Call::run(uint64_t deadline) {
  if (entry_ == nullptr || too_late()) return Ending::Trapped;
  const ShadowStack::Mark mark = shadow_ == nullptr ? ShadowStack::Mark{} : shadow_->mark();
  const Ending ending = enter(entry_->fiber, entry_->fiber, address_of(&entry_->record), entry_->fiber, deadline);
  if (ending != Ending::Returned && shadow_ != nullptr) shadow_->back_to(mark);
  return ending;
}

}  // namespace heddle

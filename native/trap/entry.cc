#include <utility>

#include "base/check.h"
#include "trap/enter.h"
#include "trap/unwind.h"

namespace heddle {

namespace {
constexpr uint64_t kNever = ~uint64_t{0};

/// How many calls wait for an import that is called from outside. TypeScript sees it.
uint64_t& calls_left(const Runtime* runtime) {
  return static_cast<uint64_t*>(runtime->thread.mailbox)[kMailboxWaiting];
}
}  // namespace

const std::vector<Frame> Entry::kNoFrames;

bool Entry::refused() {
  if (!runtime_->has_host_room()) {
    trap_ = Trap::StackOverflow;
    detail_ = kHostStack;
    return true;
  }
  // JavaScript that makes short calls for ever may reach no poll: the deadline of the call it is in is looked at here, too.
  return runtime_->deadline.load(std::memory_order_relaxed) != kNever && is_late();
}

bool Entry::is_late() {
  if (runtime_->deadline.load(std::memory_order_relaxed) > now_nanoseconds()) return false;
  trap_ = Trap::Deadline;
  return true;
}

void Entry::show_trap() {
  if (runtime_->trapped == nullptr) return;
  VMThread* thread = &runtime_->thread;
  thread->exit_sp = thread->trap_sp;
  thread->exit_fp = thread->trap_fp;
  thread->exit_pc = thread->trap_pc + 1;
  const void* const outer_stopped = std::exchange(runtime_->stopped, thread->entry);
  runtime_->trapped(runtime_->embedder);
  runtime_->stopped = outer_stopped;
}

Entry::Ending Entry::take_back(const VMFiber* first, const VMFiber* end) {
  VMThread* thread = &runtime_->thread;
  trap_ = static_cast<Trap>(thread->trap_code);
  detail_ = thread->trap_detail;
  thread->trap_code = 0;
  // Who terminates a thread may go on with it later; no JavaScript of then has a say.
  if (trap_ == Trap::None) restore_invoked(library_call_site(thread));
  if (trap_ != Trap::None && trap_ != Trap::Terminated) {
    // The innermost frame is that of what trapped.
    restore_invoked({thread->current, thread->trap_fp, thread->trap_pc});
    frames_ = std::make_unique<std::vector<Frame>>(walk_frames(thread, first));
    append_outer_frames(frames_.get(), own_);
    show_trap();
  }
  runtime_->release_chain(end);
  return trap_ == Trap::None ? Ending::Failed : Ending::Trapped;
}

Call::Call(Runtime* runtime, const VMFunction* function)
    // Without flags a function's context is an instance.
    : Entry(runtime, nullptr), shadow_(function->flags == 0 ? static_cast<ShadowStack*>(function->context->shadow) : nullptr) {
  entry_ = runtime->take_entry_fiber(function, &trap_, &detail_);
  // Not on the host stack, where calls nest.
  if (entry_ == nullptr) return;
  own_ = &entry_->entry;
  own_->goes_outside = false;
}

Call::Call(Runtime* runtime, EntryFiber* entry)
    : Entry(runtime, &entry->entry),
      entry_(entry),
      shadow_(entry->record.function->flags == 0 ? static_cast<ShadowStack*>(entry->record.function->context->shadow) : nullptr) {
  calls_left(runtime)--;
}

EntryFiber* Call::outside(const Runtime* runtime) {
  auto* entry = static_cast<OuterEntry*>(runtime->thread.entry);
  if (entry == nullptr || !entry->is_outside) return nullptr;
  return static_cast<EntryFiber*>(entry->outermost->entry);
}

void Call::let_go(const VMFunction* function) {
  // SAFETY: a VMFunction is never changed through a record.
  entry_->record.function = const_cast<VMFunction*>(function);
  entry_ = nullptr;
  calls_left(runtime_)++;
}

Entry::Ending Call::end_outside(uint64_t kind) {
  runtime_->thread.host_sp = own_->outer_host_sp;
  const Ending ending = leave(own_, kind, entry_->fiber, entry_->fiber);
  if (ending != Ending::Returned && shadow_ != nullptr) shadow_->back_to(own_->mark);
  return ending;
}

Entry::Ending Call::go_on_raised() {
  const VMThread* thread = &runtime_->thread;
  VMFiber* fiber = entry_->fiber;
  if (thread->unwind_pc == address_of(heddle_leave)) {
    own_->is_outside = false;
    return end_outside(kEnterLeft);
  }
  // The outermost fiber's block holds where the chain goes on.
  fiber->sp = thread->unwind_sp;
  fiber->fp = thread->unwind_fp;
  fiber->pc = thread->unwind_pc;
  return go_on(thread->unwind_p0);
}

void Call::abandon() {
  runtime_->running_import = nullptr;
  raise_error(&runtime_->thread);
  go_on_raised();
}

void drop_abandoned(Runtime* runtime, const OuterEntry* own) {
  while (runtime->thread.entry != own) {
    EntryFiber* entry = Call::outside(runtime);
    HEDDLE_CHECK(entry != nullptr);
    Call(runtime, entry).abandon();
  }
}

Call::~Call() {
  if (entry_ != nullptr) runtime_->release_entry_fiber(entry_);
}

Entry::Ending Call::run(uint64_t deadline) {
  return run_here(deadline);
}

}  // namespace heddle

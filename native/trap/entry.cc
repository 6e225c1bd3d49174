#include <utility>

#include "trap/enter.h"

namespace heddle {

namespace {
constexpr uint64_t kNever = ~uint64_t{0};
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
  if (trap_ != Trap::None && trap_ != Trap::Terminated) {
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
  if (entry_ != nullptr) own_ = &entry_->entry;
}

Call::~Call() {
  if (entry_ != nullptr) runtime_->release_entry_fiber(entry_);
}

Entry::Ending Call::run(uint64_t deadline) {
  return run_here(deadline);
}

}  // namespace heddle

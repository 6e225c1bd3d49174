#include "trap/resumption.h"

#include "base/check.h"
#include "trap/enter.h"
#include "trap/turn.h"
#include "trap/unwind.h"

namespace heddle {

bool aim_at_handler(Runtime* runtime, VMContinuation* record, const VMTag* tag) {
  Landing landing;
  VMFiber* outermost = record->fiber;
  if (!find_landing(suspended_site(record), tag, &landing)) return false;
  // The outermost fiber's block holds where the chain goes on; what is inside the landing's fiber is given up. That fiber's own block holds
  // where its resumer waits, unless it is the outermost.
  runtime->release_fibers(record->leaf, landing.fiber);
  record->leaf = landing.fiber;
  outermost->sp = landing.sp;
  outermost->fp = landing.fp;
  outermost->pc = landing.pc;
  return true;
}

Aimed aim(Runtime* runtime, VMContinuation* record, const VMException* exception, uint64_t* refused) {
  *refused = runtime->wake_or_reclaim(record, {address_of(record), address_of(exception)});
  if (*refused != 0) {
    unconsume(record);
    return Aimed::Refused;
  }
  if (record->fiber != nullptr && aim_at_handler(runtime, record, exception->tag)) return Aimed::Yes;
  runtime->drop(record);
  return Aimed::No;
}

Entry::Ending Resumption::run(uint64_t payload, uint64_t deadline) {
  // In locals: to the compiler any store may change a member.
  Runtime* const runtime = runtime_;
  VMContinuation* const record = record_;
  if (refused()) {
    runtime->drop(record);
    record_ = nullptr;
    return Ending::Trapped;
  }
  if (record->fiber == nullptr) {
    if (const uint64_t refused = runtime->allocate_fiber(record)) {
      trap_ = refused == kRefusedActive ? Trap::SnapshotActive : Trap::TooManyStacks;
      detail_ = refused;
      if (is_copied(record)) {
        unconsume(record);
      } else {
        runtime->drop(record);
        record_ = nullptr;
      }
      return Ending::Trapped;
    }
  }
  VMFiber* const fiber = record->fiber;
  // Before code of an allocator may run, which is not to take it for one that waits.
  record->state = static_cast<uint32_t>(State::Running);
  if (!runtime->shadows.empty() && !enter_shadow(fiber)) return Ending::Trapped;
  fiber->parent = &runtime->host;
  fiber->handlers = host_handlers();
  runtime->thread.switches++;
  const Ending ending = enter(fiber, record->leaf, payload, &runtime->host, deadline);
  if (__builtin_expect(runtime->ended_entry == own_, 0)) forget_ended_entry(runtime);
  // At its last generation a fiber moves to another record.
  record_ = ending == Ending::Trapped || ending == Ending::Failed ? nullptr : fiber->record;
  return runtime->shadows.empty() ? ending : leave_shadow(fiber, ending);
}

bool Resumption::enter_shadow(VMFiber* fiber) {
  const uint64_t refused = ShadowSwitch(runtime_).enter(fiber, record_->leaf);
  if (refused != 0) refuse(refused);
  return refused == 0;
}

Entry::Ending Resumption::leave_shadow(VMFiber* fiber, Ending ending) {
  ShadowSwitch shadow(runtime_);
  if (ending == Ending::Returned) {
    shadow.end(fiber, true);
  } else if (record_ != nullptr) {
    if (const uint64_t refused = shadow.leave(fiber, record_->leaf)) {
      refuse(refused);
      ending = Ending::Trapped;
    }
  }
  if (runtime_->thread.entry == nullptr) shadow.settle();
  return ending;
}

void Resumption::refuse(uint64_t reason) {
  runtime_->drop(record_);
  record_ = nullptr;
  trap_ = Trap::ShadowStack;
  detail_ = reason;
}

}  // namespace heddle

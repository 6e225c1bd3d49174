// Library calls on continuations. architecture.md, section 5, says when generated code makes each.
#include "base/attempt.h"
#include "base/check.h"
#include "continuation/known_copies.h"

namespace heddle {

namespace {

Records& records_of(VMThread* thread) {
  return Runtime::of(thread)->records;
}

/// A fresh continuation. `stacks` is where its stack is to come from, null for the usual.
HostResult make_continuation(VMThread* thread, uint64_t function_address, Stacks* stacks) {
  if (function_address == 0) return raise_trap(thread, Trap::NullFunction);
  const VMContinuation* record = Runtime::of(thread)->make_continuation(at<VMFunction>(function_address), stacks);
  if (record == nullptr) return raise_trap(thread, Trap::TooManyStacks, kRefusedRecords);
  return {handle_of(record), nullptr};
}

HostResult cont_invalid(VMThread* thread, uint64_t handle, uint64_t, uint64_t, uint64_t) {
  return raise_trap(thread, handle == 0 ? Trap::NullContinuation : Trap::ContinuationConsumed);
}

HostResult cont_new(VMThread* thread, uint64_t function, uint64_t, uint64_t, uint64_t) {
  return make_continuation(thread, function, nullptr);
}

HostResult cont_new_on(VMThread* thread, uint64_t function, uint64_t size, uint64_t kinds, uint64_t) {
  // By their numbers; 0 is what was not chosen.
  static constexpr Strategy kStrategies[] = {Strategy::Pool, Strategy::Pool, Strategy::Mmap, Strategy::Malloc, Strategy::Pool};
  static constexpr Guard kGuards[] = {Guard::Auto, Guard::Auto, Guard::Kernel, Guard::Software};
  static_assert(kStackPool == 1 && kStackMmap == 2 && kStackMalloc == 3 && kStackHibernate == 4);
  static_assert(kStackGuardAuto == 1 && kStackGuardKernel == 2 && kStackGuardSoftware == 3);
  const uint64_t strategy = kinds & ((1 << kStackGuardShift) - 1), guard = kinds >> kStackGuardShift;
  HEDDLE_CHECK(strategy <= kStackHibernate && guard <= kStackGuardSoftware);
  const StackChoice choice{strategy == 0 ? nullptr : &kStrategies[strategy], guard == 0 ? nullptr : &kGuards[guard], size,
                           strategy == kStackHibernate};
  Stacks* stacks = nullptr;
  if (!attempt([&] { stacks = Runtime::of(thread)->continuation_stacks().chosen(choice); })) return raise_trap(thread, Trap::OutOfMemory);
  return make_continuation(thread, function, stacks);
}

// What is needed most often calls nothing, so that it needs no frame.
__attribute__((noinline)) HostResult allocate_slowly(VMThread* thread, VMContinuation* record) {
  Runtime* runtime = Runtime::of(thread);
  // The record is consumed: no handle names it now, so that its address must do.
  const uint64_t refused = runtime->allocate_fiber_or_reclaim(record, address_of(record));
  if (refused == 0) return {0, nullptr};
  if (is_copied(record)) return refuse_version(thread, record, refused);
  // It is consumed already and belongs to no chain: nobody else would take the record back.
  runtime->release_continuation(record);
  return raise_trap(thread, Trap::TooManyStacks, refused);
}

HostResult cont_allocate(VMThread* thread, uint64_t address, uint64_t, uint64_t, uint64_t) {
  Runtime* runtime = Runtime::of(thread);
  if (runtime->reclaims_always() || !runtime->copies.resume_known(at<VMContinuation>(address))) {
    return allocate_slowly(thread, at<VMContinuation>(address));
  }
  return {0, nullptr};
}

__attribute__((noinline)) HostResult clone_slowly(VMThread* thread, VMContinuation* source, uint64_t handle) {
  if (source == nullptr || source->generation != handle >> kHandleIndexBits) return cont_invalid(thread, handle, 0, 0, 0);
  uint64_t refused = 0;
  const VMContinuation* made = Runtime::of(thread)->clone_continuation(source, handle, &refused);
  if (made == nullptr) return raise_no_copy(thread, refused);
  return {handle_of(made), nullptr};
}

HostResult cont_clone(VMThread* thread, uint64_t handle, uint64_t, uint64_t, uint64_t) {
  VMContinuation* source = records_of(thread).find(handle & ((uint64_t{1} << kHandleIndexBits) - 1));
  Runtime* runtime = Runtime::of(thread);
  if (source != nullptr && source->generation == handle >> kHandleIndexBits && runtime->may_clone()) {
    if (const VMContinuation* made = runtime->copies.clone_known(source)) return {handle_of(made), nullptr};
  }
  return clone_slowly(thread, source, handle);
}

__attribute__((noinline)) HostResult release_slowly(VMThread* thread, VMContinuation* record) {
  Runtime::of(thread)->release_continuation(record);
  return {0, nullptr};
}

HostResult cont_release(VMThread* thread, uint64_t address, uint64_t, uint64_t, uint64_t) {
  if (!release_known(Runtime::of(thread), at<VMContinuation>(address))) return release_slowly(thread, at<VMContinuation>(address));
  return {0, nullptr};
}

HostResult cont_reserve(VMThread* thread, uint64_t address, uint64_t slots, uint64_t, uint64_t) {
  if (Records::reserve(at<VMContinuation>(address), static_cast<uint32_t>(slots))) return {0, nullptr};
  return raise_trap(thread, Trap::OutOfMemory);
}

HostResult cont_renew(VMThread* thread, uint64_t address, uint64_t, uint64_t, uint64_t) {
  VMContinuation* fresh = records_of(thread).renew(at<VMContinuation>(address));
  if (fresh == nullptr) return raise_trap(thread, Trap::TooManyStacks, kRefusedRecords);
  return {address_of(fresh), nullptr};
}

/// Index of `tag` among a handler block's labels or switches; -1 when it is not there.
int64_t clause_of(const VMHandlers* handlers, const VMTag* tag, bool switches) {
  // SAFETY: the tags' addresses follow the head: labels, then switches (VMHandlers in contract/abi.ts).
  const VMTag* const* tags = reinterpret_cast<const VMTag* const*>(handlers + 1);
  const uint32_t first = switches ? handlers->labels : 0;
  const uint32_t count = switches ? handlers->switches : handlers->labels;
  for (uint32_t i = 0; i < count; i++) {
    if (tags[first + i] == tag) return i;
  }
  return -1;
}

/// Whether suspensions to a tag are the program's own affair, which JavaScript does not take.
bool is_inner(const VMThread* thread, const VMTag* tag) {
  return tag == thread->fiber_tag || tag->id == kAsyncifyTag;
}

/// Whether a fiber of an outer entry, or the host there, would handle the tag: then it is the host frame between that stops the suspension.
bool handled_outside(const VMThread* thread, const VMTag* tag, bool switches) {
  for (const auto* outer = static_cast<const OuterEntry*>(thread->entry); outer != nullptr; outer = outer->outer) {
    const bool taken = !switches && !is_inner(thread, tag);
    if (taken && outer->outer != nullptr && (outer->outer->takes & kTakesSuspensions) != 0) return true;
    for (const VMFiber* fiber = outer->suspended_current; fiber != nullptr; fiber = fiber->parent) {
      if (clause_of(fiber->handlers, tag, switches) >= 0) return true;
    }
  }
  return false;
}

/// The trap of a suspension that nobody handles, or nobody that it can reach.
HostResult unhandled(VMThread* thread, const VMTag* tag, bool switches) {
  const bool outside = handled_outside(thread, tag, switches);
  if (!outside && tag->id == kAsyncifyTag) return raise_trap(thread, Trap::AsyncifyOutside);
  if (!outside && tag == thread->fiber_tag) return raise_trap(thread, Trap::FiberOutside);
  if (!outside) return raise_trap(thread, Trap::UnhandledTag, tag->id);
  const VMHostFunction* import = static_cast<const OuterEntry*>(thread->entry)->import;
  return raise_trap(thread, Trap::Barrier, import == nullptr ? ~uint64_t{0} : import->id);
}

/// a1 says which clauses: 0 labels, 1 switches. The detail of a barrier's trap is the import's number, 0 for `heddle` `barrier`.
HostResult find_handler(VMThread* thread, uint64_t address, uint64_t which, uint64_t, uint64_t) {
  const VMTag* tag = at<VMTag>(address);
  const bool switches = which == 1;
  for (VMFiber* fiber = thread->current; fiber != nullptr; fiber = fiber->parent) {
    if (address_of(fiber->handlers->first_tag) == kBarrierTag) return raise_trap(thread, Trap::Barrier, 0);
    const int64_t clause = clause_of(fiber->handlers, tag, switches);
    if (clause < 0) continue;
    thread->scratch0 = static_cast<uint64_t>(clause);
    return {address_of(fiber), nullptr};
  }
  auto* entry = static_cast<OuterEntry*>(thread->entry);
  if ((entry->takes & kTakesCancellation) != 0) return raise_trap(thread, Trap::Cancelled);
  if (!switches && (entry->takes & kTakesSuspensions) != 0 && !is_inner(thread, tag)) {
    entry->tag = tag;
    thread->scratch0 = 0;
    return {address_of(entry->outermost), nullptr};
  }
  return unhandled(thread, tag, switches);
}

/// Tags made at run time are never given back; more than this are a runaway.
constexpr size_t kMostNamedTags = 1 << 20;

HostResult tag_new(VMThread* thread, uint64_t model, uint64_t, uint64_t, uint64_t) {
  auto& tags = Runtime::of(thread)->named_tags;
  if (tags.size() >= kMostNamedTags) return raise_trap(thread, Trap::OutOfMemory);
  if (!attempt([&] { tags.emplace_back(); })) return raise_trap(thread, Trap::OutOfMemory);
  NamedTag& made = tags.back();
  made.context.thread = thread;
  made.context.tag = &made.tag;
  made.context.handlers = &made.handlers;
  made.function = *at<VMFunction>(model);
  // SAFETY: the function's code is a suspender, which takes a VMNamedTag for its context; word 0 is the thread in both.
  made.function.context = reinterpret_cast<VMInstance*>(&made.context);
  made.function.flags |= kFunctionIsTag;
  made.tag.type = made.function.type;
  made.handlers.labels = 1;
  made.handlers.first_tag = &made.tag;
  made.tags[0] = address_of(&made.tag);
  return {address_of(&made.function), nullptr};
}

HostResult shadow_set(VMThread* thread, uint64_t cell, uint64_t value, uint64_t saved, uint64_t) {
  uint64_t detail = 0;
  for (const ShadowStack* stack : Runtime::of(thread)->shadows) {
    if (stack->cell() != cell) continue;
    uint64_t pointer = 0;
    if (saved != 0 && stack->restore(value, &pointer)) return {pointer, nullptr};
    detail = stack->room();
    if (detail == 0) detail = stack->failure();
  }
  // A deadline is that of the whole call, wherever it is seen.
  if (detail == kShadowFailed + static_cast<uint64_t>(Trap::Deadline)) return raise_trap(thread, Trap::Deadline);
  return raise_trap(thread, Trap::ShadowOverflow, detail);
}

HostResult shadow_enter(VMThread* thread, uint64_t address, uint64_t, uint64_t, uint64_t) {
  Runtime* runtime = Runtime::of(thread);
  auto* record = at<VMContinuation>(address);
  if (runtime->shadows.empty()) return {0, nullptr};
  // An allocator may run code, to which this is no continuation that waits.
  record->state = static_cast<uint32_t>(State::Running);
  const uint64_t refused = ShadowSwitch(runtime).enter(record->fiber, record->leaf);
  if (refused == 0) return {0, nullptr};
  runtime->drop(record);
  return raise_trap(thread, Trap::ShadowStack, refused);
}

HostResult shadow_leave(VMThread* thread, uint64_t address, uint64_t returned, uint64_t, uint64_t) {
  Runtime* runtime = Runtime::of(thread);
  auto* record = at<VMContinuation>(address);
  if (runtime->shadows.empty()) return {0, nullptr};
  ShadowSwitch shadow(runtime);
  if (returned != 0) {
    shadow.end(record->fiber, true);
    return {0, nullptr};
  }
  const uint64_t refused = shadow.leave(record->fiber, record->leaf);
  if (refused == 0) return {0, nullptr};
  runtime->drop(record);
  return raise_trap(thread, Trap::ShadowStack, refused);
}

}  // namespace

void install_continuation_libcalls(Runtime* runtime) {
  runtime->set_libcall(Libcall::ContNew, cont_new);
  runtime->set_libcall(Libcall::ContNewOn, cont_new_on);
  runtime->set_libcall(Libcall::ContAllocate, cont_allocate);
  runtime->set_libcall(Libcall::ContClone, cont_clone);
  runtime->set_libcall(Libcall::ContRelease, cont_release);
  runtime->set_libcall(Libcall::ContReserve, cont_reserve);
  runtime->set_libcall(Libcall::ContInvalid, cont_invalid);
  runtime->set_libcall(Libcall::ContRenew, cont_renew);
  runtime->set_libcall(Libcall::FindHandler, find_handler);
  runtime->set_libcall(Libcall::TagNew, tag_new);
  runtime->set_libcall(Libcall::ShadowSet, shadow_set);
  runtime->set_libcall(Libcall::ShadowEnter, shadow_enter);
  runtime->set_libcall(Libcall::ShadowLeave, shadow_leave);
}

}  // namespace heddle

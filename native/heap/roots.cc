// What a thread's own stacks refer to.
#include "heap/marker.h"

namespace heddle {

namespace {

/// Entry fibers that are in use: their arguments and results, what they start with, and frames that wait for the host with no entry active.
void mark_entries(Marker* marker, Runtime* runtime) {
  runtime->taken_entries().each([=](const EntryFiber& entry) {
    marker->slots(entry.record.slots, entry.record.count);
    marker->word(entry.fiber->start_context);
    marker->word(entry.fiber->start_code);
    marker->word(entry.fiber->start_enter);
  });
}

/// Functions of tags that were made at run time: their code is some module's, and so is their type.
void mark_named_tags(Marker* marker, const Runtime* runtime) {
  for (const NamedTag& named : runtime->named_tags) {
    marker->word(named.function.code);
    marker->word(named.function.enter);
    marker->type(named.tag.type);
  }
}

/// The fibers that run, of the innermost entry and of those that wait for its end, and the imports that they are in: a caller need not keep
/// what it has called.
void mark_running(Marker* marker, const Runtime& runtime) {
  const VMThread& thread = runtime.thread;
  if (thread.current != nullptr) marker->chain(thread.current, thread.exit_sp, thread.exit_pc);
  marker->word(address_of(runtime.running_import));
  for (const auto* entry = static_cast<const OuterEntry*>(thread.entry); entry != nullptr; entry = entry->outer) {
    if (entry->suspended_current != nullptr) marker->chain(entry->suspended_current, entry->exit_sp, entry->exit_pc);
    marker->word(address_of(entry->import));
  }
}

/// What is looked at of the frame that made the outermost entry, in bytes: more than any has. Above it are Node's.
constexpr uint64_t kEntryFrame = 1024;

/// The host stack from here to the outermost entry. A library call keeps what generated code had in callee-saved registers, so they are in
/// the C++ frames between; and so is whatever C++ itself holds on to while it calls JavaScript.
__attribute__((noinline)) void mark_host(Marker* marker, const VMThread* thread) {
  if (thread->entry == nullptr) return;
  uint64_t outermost = thread->host_sp;
  for (const auto* entry = static_cast<const OuterEntry*>(thread->entry); entry->outer != nullptr; entry = entry->outer) {
    outermost = entry->outer_host_sp;
  }
  // SAFETY: both are addresses on this stack, which grows down.
  const uint64_t here = reinterpret_cast<uint64_t>(__builtin_frame_address(0));
  // A call that was left may have been abandoned since by who would go on with it, who lay deeper.
  if (here < outermost) marker->words(here, outermost + kEntryFrame);
}

}  // namespace

void mark_thread(Marker* marker, Runtime* runtime) {
  mark_entries(marker, runtime);
  mark_named_tags(marker, runtime);
  mark_running(marker, *runtime);
  runtime->records.each_held([=](VMContinuation* record) { marker->record(record); });
  __builtin_unwind_init();  // Puts the callee-saved registers into this frame, which mark_host looks at.
  mark_host(marker, &runtime->thread);
}

}  // namespace heddle

// Imports that wait for a promise: the chain of fibers of their call is set aside until the promise settles.
#pragma once
#include "base/asm.h"
#include "continuation/runtime.h"

namespace heddle {

/// Whether the import that is being called may wait.
enum class Parking {
  Possible,
  /// The host did not begin the innermost call so that it may be set aside.
  NotPromising,
  /// An outer call could be, but JavaScript's frames lie between.
  HostFrames,
  /// A fiber inside is the experiment `barrier`'s.
  Barrier,
};
Parking can_park(const VMThread* thread);

/// What a parked record holds for whoever parked it.
struct ParkedWords {
  uint64_t words[2];
};

/// Sets the chain of the innermost call aside, in a library call: the result is what that call returns, and the host's enter comes back
/// with kind kSwitchParked. The record of the outermost fiber, in state parked, holds `words` in the words of its first slot. When its
/// chain is entered again the library call returns. Requires: parking is possible. Traps when no record has a generation left.
HostResult park(VMThread* thread, ParkedWords words);

/// The same for heddle_wait, which is given the VMFiber to switch through.
HostResult set_aside(VMThread* thread, ParkedWords words);

/// Leaves the innermost entry, in heddle_wait, for an import that whoever made the call is to call: all is as inside that import, but that
/// no frame of C++ is on the host stack. Requires: the entry goes outside. Its fiber's registers lie where thread->exit_sp is then.
inline HostResult leave_for_import(VMThread* thread) {
  auto* const entry = static_cast<OuterEntry*>(thread->entry);
  __atomic_store_n(&thread->in_wasm, 0, __ATOMIC_RELAXED);
  entry->is_outside = true;
  entry->left_host_sp = thread->host_sp;
  thread->exit_sp -= kWaitFrame;
  return {address_of(entry->outermost), nullptr};
}
/// For heddle_wait: the import has returned this.
inline HostResult returned(uint64_t payload) {
  return {payload, reinterpret_cast<VMThread*>(kWaitReturned)};  // SAFETY: a mark, which it compares with.
}

/// Takes the words that park kept out of the record, which may be in another state too; then nothing is left of them. One may be an address
/// inside the chain's frames, and only of a parked chain a record holds such a thing (heap/snapshot_check.h).
ParkedWords take_parked_words(VMContinuation* record);

}  // namespace heddle

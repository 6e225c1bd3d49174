#include "continuation/fiber_table.h"

#include "base/attempt.h"

namespace heddle {

uint32_t FiberTable::add(uint64_t handle) {
  uint32_t index = free_;
  if (index != 0) {
    free_ = entries_[index].next_free;
  } else {
    index = static_cast<uint32_t>(entries_.size());
    if (index >> kIndexBits != 0) return 0;
    entries_.emplace_back();
  }
  Entry& entry = entries_[index];
  entry.life++;
  entry.handle = handle;
  return entry.life << kIndexBits | index;
}

FiberTable::Entry* FiberTable::find(uint32_t number) {
  const uint32_t index = number & ((uint32_t{1} << kIndexBits) - 1);
  if (index == 0 || index >= entries_.size()) return nullptr;
  Entry* entry = &entries_[index];
  return entry->life == number >> kIndexBits && (entry->life & 1) != 0 ? entry : nullptr;
}

void FiberTable::remove(uint32_t number) {
  Entry* entry = find(number);
  entry->handle = 0;
  entry->record = nullptr;
  // After its last life an entry is never used again, so that no number comes twice.
  if (entry->life++ == kLastLife) return;
  entry->next_free = free_;
  free_ = number & ((uint32_t{1} << kIndexBits) - 1);
}

uint32_t FiberTable::status(const Entry* entry) {
  if (entry == nullptr) return kFiberUnknown;
  if (entry->handle != 0) return kFiberSuspended;
  const VMContinuation* record = entry->record;
  // Where an exception has left the fiber its record was given back, and perhaps used again: in another generation.
  const bool runs = record != nullptr && record->generation == entry->generation;
  return runs ? kFiberRunning : kFiberDone;
}

namespace {

FiberTable* table_of(const VMInstance* instance) {
  return static_cast<FiberTable*>(instance->fibers);
}

FiberTable::Entry* entry_of(uint64_t instance, uint64_t number) {
  FiberTable* table = table_of(at<VMInstance>(instance));
  return table == nullptr ? nullptr : table->find(static_cast<uint32_t>(number));
}

VMContinuation* record_of(Runtime* runtime, uint64_t handle) {
  return runtime->records.find(handle & ((uint64_t{1} << kHandleIndexBits) - 1));
}

HostResult fiber_new(VMThread* thread, uint64_t instance_address, uint64_t function, uint64_t, uint64_t) {
  VMInstance* instance = at<VMInstance>(instance_address);
  Runtime* runtime = Runtime::of(thread);
  VMContinuation* record = runtime->make_continuation(at<VMFunction>(function));
  if (record == nullptr) return raise_trap(thread, Trap::TooManyStacks, kRefusedRecords);
  uint32_t number = 0;
  const bool well = attempt([&] {
    if (instance->fibers == nullptr) instance->fibers = new FiberTable;
    number = table_of(instance)->add(handle_of(record));
  });
  if (number != 0) return {number, nullptr};
  runtime->release_continuation(record);
  return well ? raise_trap(thread, Trap::TooManyStacks, kRefusedRecords) : raise_trap(thread, Trap::OutOfMemory);
}

/// The trap of a fiber that should be suspended and is not.
HostResult refuse(VMThread* thread, uint32_t status) {
  if (status == kFiberUnknown) return raise_trap(thread, Trap::FiberUnknown);
  return raise_trap(thread, status == kFiberRunning ? Trap::FiberRunning : Trap::FiberDone);
}

HostResult fiber_enter(VMThread* thread, uint64_t instance, uint64_t number, uint64_t, uint64_t) {
  Runtime* runtime = Runtime::of(thread);
  FiberTable::Entry* entry = entry_of(instance, number);
  const uint32_t status = FiberTable::status(entry);
  if (status != kFiberSuspended) return refuse(thread, status);
  VMContinuation* record = record_of(runtime, entry->handle);
  if (record->fiber == nullptr) {
    const uint64_t refused = runtime->allocate_fiber_or_reclaim(record, entry->handle);
    if (refused == kRefusedActive) return raise_trap(thread, Trap::SnapshotActive);
    if (refused != 0) return raise_trap(thread, Trap::TooManyStacks, refused);
  }
  if (!runtime->shadows.empty()) {
    const uint64_t unknown = ShadowSwitch(runtime).unknown(record->fiber);
    if (unknown != 0) return raise_trap(thread, Trap::ShadowStack, unknown);
  }
  entry->handle = 0;
  entry->record = record;
  entry->generation = ++record->generation;
  record->state = static_cast<uint32_t>(State::Running);
  // Last: an allocator may run code, to which this fiber is one that runs.
  if (!runtime->shadows.empty()) ShadowSwitch(runtime).enter(record->fiber, record->leaf);
  return {address_of(record), nullptr};
}

HostResult fiber_leave(VMThread* thread, uint64_t instance, uint64_t number, uint64_t handle, uint64_t returned) {
  Runtime* runtime = Runtime::of(thread);
  // Of a chain that was cloned each version names it by the one number: it stands for the one that came back last. It may be freed by then.
  FiberTable::Entry* entry = entry_of(instance, number);
  VMContinuation* record = handle == 0 ? at<VMContinuation>(returned) : record_of(runtime, handle);
  ShadowSwitch shadow(runtime);
  if (entry != nullptr) {
    entry->handle = handle;
    entry->record = nullptr;
  }
  if (handle == 0) {
    shadow.end(record->fiber, true);
    runtime->release_continuation(record);
  } else if (!runtime->shadows.empty()) {
    shadow.leave(record->fiber, record->leaf);
  }
  return {0, nullptr};
}

HostResult fiber_clone(VMThread* thread, uint64_t instance, uint64_t number, uint64_t, uint64_t) {
  Runtime* runtime = Runtime::of(thread);
  const FiberTable::Entry* entry = entry_of(instance, number);
  const uint32_t status = FiberTable::status(entry);
  if (status != kFiberSuspended) return refuse(thread, status);
  uint64_t refused = 0;
  VMContinuation* made = runtime->clone_continuation(record_of(runtime, entry->handle), entry->handle, &refused);
  if (made == nullptr) return raise_no_copy(thread, refused);
  uint32_t clone = 0;
  const bool well = attempt([&] { clone = table_of(at<VMInstance>(instance))->add(handle_of(made)); });
  if (clone != 0) return {clone, nullptr};
  runtime->drop(made);
  return well ? raise_trap(thread, Trap::TooManyStacks, kRefusedRecords) : raise_trap(thread, Trap::OutOfMemory);
}

HostResult fiber_free(VMThread* thread, uint64_t instance, uint64_t number, uint64_t, uint64_t) {
  Runtime* runtime = Runtime::of(thread);
  const FiberTable::Entry* entry = entry_of(instance, number);
  const uint32_t status = FiberTable::status(entry);
  if (status == kFiberUnknown || status == kFiberRunning) return refuse(thread, status);
  if (status == kFiberSuspended) runtime->drop(record_of(runtime, entry->handle));
  table_of(at<VMInstance>(instance))->remove(static_cast<uint32_t>(number));
  return {0, nullptr};
}

HostResult fiber_status(VMThread*, uint64_t instance, uint64_t number, uint64_t, uint64_t) {
  return {FiberTable::status(entry_of(instance, number)), nullptr};
}

}  // namespace

void install_fiber_libcalls(Runtime* runtime) {
  runtime->set_libcall(Libcall::FiberNew, fiber_new);
  runtime->set_libcall(Libcall::FiberEnter, fiber_enter);
  runtime->set_libcall(Libcall::FiberLeave, fiber_leave);
  runtime->set_libcall(Libcall::FiberClone, fiber_clone);
  runtime->set_libcall(Libcall::FiberFree, fiber_free);
  runtime->set_libcall(Libcall::FiberStatus, fiber_status);
}

}  // namespace heddle

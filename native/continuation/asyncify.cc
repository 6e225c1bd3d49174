#include "continuation/asyncify.h"

#include <algorithm>
#include <cstring>

#include "base/attempt.h"
#include "continuation/fiber_table.h"

namespace heddle {

namespace {

constexpr uint64_t kNumberShift = 32;
/// The address of a place that is free: no token lies there.
constexpr uint64_t kNowhere = ~uint64_t{0};

}  // namespace

AsyncifyCalls::Call* AsyncifyCalls::place(uint64_t address, uint64_t found) {
  uint64_t number = found >> kNumberShift;
  if (number >= calls_.size() || calls_[number].address != address) {
    const bool well = attempt([&] {
      const auto known = numbers_.find(address);
      number = known != numbers_.end() ? known->second : take(address);
    });
    if (!well) return nullptr;
  }
  Call& call = calls_[number];
  call.token = number << kNumberShift | static_cast<uint32_t>(call.token + 1);
  return &call;
}

uint32_t AsyncifyCalls::take(uint64_t address) {
  if (numbers_.size() >= trim_at_) trim();
  const bool fresh = free_.empty();
  const auto number = fresh ? static_cast<uint32_t>(calls_.size()) : free_.back();
  if (fresh) calls_.emplace_back();
  calls_[number].address = kNowhere;
  numbers_.emplace(address, number);
  calls_[number].address = address;
  if (!fresh) free_.pop_back();
  return number;
}

void AsyncifyCalls::trim() {
  for (uint32_t number = 0; number < calls_.size(); number++) {
    Call& call = calls_[number];
    if (call.handle != 0 || call.address == kNowhere) continue;
    free_.push_back(number);
    numbers_.erase(call.address);
    call.address = kNowhere;
  }
  trim_at_ = std::max(trim_at_, 2 * numbers_.size());
}

AsyncifyCalls::Call* AsyncifyCalls::find(uint64_t address, uint64_t token) {
  const uint64_t number = token >> kNumberShift;
  if (number >= calls_.size()) return nullptr;
  Call& call = calls_[number];
  return call.handle != 0 && call.token == token && call.address == address ? &call : nullptr;
}

namespace {

VMContinuation* record_of(Runtime* runtime, uint64_t handle) {
  return runtime->records.find(handle & ((uint64_t{1} << kHandleIndexBits) - 1));
}

/// The struct that a program's buffer begins with: two addresses, of where the next frame goes and of the buffer's end.
class Buffer {
 public:
  Buffer(VMThread* thread, const VMInstance* instance, const VMAsyncify* state)
      : thread_(thread), memory_(instance->memory0), address_(state->buffer), width_(state->width) {}

  /// Reads the struct; false where it lies beyond the memory.
  bool read() {
    if (!reaches(address_, 2 * width_)) return false;
    std::memcpy(&next_, bytes(address_), width_);
    std::memcpy(&end_, bytes(address_ + width_), width_);
    return true;
  }

  uint64_t next() const { return next_; }
  uint64_t end() const { return end_; }

  /// Whether so many bytes lie in the memory there.
  bool reaches(uint64_t address, uint64_t size) const {
    if (fits(address, size)) return true;
    // The length is one that was right: another thread may have made the memory longer.
    if ((memory_->flags & kShared) == 0) return false;
    const uint64_t refresh = thread_->libcalls[static_cast<uint32_t>(Libcall::MemoryRefresh)];
    // SAFETY: set_libcall put a HostFunction there.
    reinterpret_cast<HostFunction>(refresh)(thread_, address_of(memory_), 0, 0, 0);
    return fits(address, size);
  }

  void move_next(uint64_t next) { std::memcpy(bytes(address_), &next, width_); }

  uint64_t token(uint64_t address) const {
    uint64_t token = 0;
    std::memcpy(&token, bytes(address), kAsyncifyFrame);
    return token;
  }
  void put_token(uint64_t address, uint64_t token) { std::memcpy(bytes(address), &token, kAsyncifyFrame); }

 private:
  static constexpr uint32_t kShared = 1;

  bool fits(uint64_t address, uint64_t size) const { return address <= memory_->bytes && size <= memory_->bytes - address; }
  uint8_t* bytes(uint64_t address) const { return at<uint8_t>(memory_->base + address); }

  VMThread* thread_;
  VMMemory* memory_;
  uint64_t address_;
  uint64_t width_;
  uint64_t next_ = 0;
  uint64_t end_ = 0;
};

AsyncifyCalls* calls_of(VMInstance* instance) {
  if (instance->fibers == nullptr) attempt([&] { instance->fibers = new FiberTable; });
  auto* table = static_cast<FiberTable*>(instance->fibers);
  return table == nullptr ? nullptr : &table->asyncify;
}

/// Gives a record without a fiber its fiber, as if it were to be resumed. False with the trap raised, and the record as it was.
bool allocate(VMThread* thread, VMContinuation* record, uint64_t handle, HostResult* trap) {
  if (record->fiber != nullptr) return true;
  const uint64_t refused = Runtime::of(thread)->allocate_fiber_or_reclaim(record, handle);
  if (refused == 0) return true;
  *trap = refused == kRefusedActive ? raise_trap(thread, Trap::SnapshotActive) : raise_trap(thread, Trap::TooManyStacks, refused);
  return false;
}

/// The record of the call that start_rewind has chosen, which is in the buffer no more; null with the trap raised.
VMContinuation* chosen(VMThread* thread, VMInstance* instance, VMAsyncify* state, HostResult* trap) {
  Buffer buffer(thread, instance, state);
  // The program may be called again after the trap.
  state->state = kAsyncifyNormal;
  if (!buffer.read()) {
    *trap = raise_trap(thread, Trap::MemoryBounds);
    return nullptr;
  }
  AsyncifyCalls* calls = calls_of(instance);
  const uint64_t place = buffer.next() - kAsyncifyFrame;
  AsyncifyCalls::Call* call =
      calls == nullptr || !buffer.reaches(place, kAsyncifyFrame) ? nullptr : calls->find(place, buffer.token(place));
  if (call == nullptr) {
    *trap = raise_trap(thread, Trap::AsyncifyUnknown, state->buffer);
    return nullptr;
  }
  VMContinuation* record = record_of(Runtime::of(thread), call->handle);
  if (!allocate(thread, record, call->handle, trap)) return nullptr;
  call->handle = 0;
  buffer.move_next(place);
  state->state = kAsyncifyRewinding;
  return record;
}

VMContinuation* fresh(VMThread* thread, uint64_t function, HostResult* trap) {
  Runtime* runtime = Runtime::of(thread);
  VMContinuation* record = runtime->make_continuation(at<VMFunction>(function));
  if (record == nullptr) {
    *trap = raise_trap(thread, Trap::TooManyStacks, kRefusedRecords);
    return nullptr;
  }
  if (allocate(thread, record, handle_of(record), trap)) return record;
  runtime->release_continuation(record);
  return nullptr;
}

HostResult asyncify_enter(VMThread* thread, uint64_t instance, uint64_t state_address, uint64_t function, uint64_t) {
  auto* state = at<VMAsyncify>(state_address);
  // Where a trap has ended the program between the two.
  state->bare = 0;
  HostResult trap{};
  VMContinuation* record =
      state->state == kAsyncifyRewinding ? chosen(thread, at<VMInstance>(instance), state, &trap) : fresh(thread, function, &trap);
  if (record == nullptr) return trap;
  record->generation++;
  record->state = static_cast<uint32_t>(State::Running);
  Runtime* runtime = Runtime::of(thread);
  // Last: an allocator may run code, to which this is one that runs.
  if (!runtime->shadows.empty()) ShadowSwitch(runtime, true).enter(record->fiber, record->leaf);
  return {address_of(record), nullptr};
}

/// Puts a call that has suspended into its buffer. The trap where it cannot be there.
HostResult keep(VMThread* thread, VMInstance* instance, const VMAsyncify* state, uint64_t handle) {
  Runtime* runtime = Runtime::of(thread);
  Buffer buffer(thread, instance, state);
  if (!buffer.read()) return raise_trap(thread, Trap::MemoryBounds);
  const uint64_t place = buffer.next();
  if (place > buffer.end() || buffer.end() - place < kAsyncifyFrame) return raise_trap(thread, Trap::AsyncifyFull, state->buffer);
  if (!buffer.reaches(place, kAsyncifyFrame)) return raise_trap(thread, Trap::MemoryBounds);
  AsyncifyCalls* calls = calls_of(instance);
  AsyncifyCalls::Call* call = calls == nullptr ? nullptr : calls->place(place, buffer.token(place));
  if (call == nullptr) return raise_trap(thread, Trap::OutOfMemory);
  const uint64_t overwritten = call->handle;
  call->handle = handle;
  call->buffer = state->buffer;
  buffer.put_token(place, call->token);
  buffer.move_next(place + kAsyncifyFrame);
  if (overwritten != 0) runtime->drop(record_of(runtime, overwritten));
  return {0, nullptr};
}

HostResult asyncify_leave(VMThread* thread, uint64_t instance, uint64_t state, uint64_t handle, uint64_t returned) {
  Runtime* runtime = Runtime::of(thread);
  ShadowSwitch shadow(runtime, true);
  if (handle == 0) {
    auto* record = at<VMContinuation>(returned);
    shadow.end(record->fiber, true);
    runtime->release_continuation(record);
    return {0, nullptr};
  }
  VMContinuation* record = record_of(runtime, handle);
  if (!runtime->shadows.empty()) shadow.leave(record->fiber, record->leaf);
  const HostResult kept = keep(thread, at<VMInstance>(instance), at<VMAsyncify>(state), handle);
  if (kept.raise != nullptr) runtime->drop(record);
  return kept;
}

}  // namespace

void install_asyncify_libcalls(Runtime* runtime) {
  runtime->set_libcall(Libcall::AsyncifyEnter, asyncify_enter);
  runtime->set_libcall(Libcall::AsyncifyLeave, asyncify_leave);
}

}  // namespace heddle

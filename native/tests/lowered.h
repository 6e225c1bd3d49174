// What ts/lower makes of the stack-switching instructions, as C++ that runs on fibers (docs/architecture.md, section 5).
#pragma once
#include <initializer_list>
#include <memory>

#include "base/check.h"
#include "continuation/announce.h"
#include "trap/entry.h"

namespace heddle::test {

extern "C" {
extern const char heddle_test_enter[];
uint64_t heddle_test_wait(VMThread* thread, uint64_t function, uint64_t a0);
uint64_t heddle_test_host_call(VMThread* thread, uint64_t function, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3);
}

/// A function's body: arguments in and results out by the fiber's slots.
using Body = void (*)(VMThread*, VMFiber*);

/// Stands for a VMInstance: word 0 is the thread. What C++ looks for behind `data` is not there.
struct Context {
  VMThread* thread;
  void* data = nullptr;
  uint64_t nothing[sizeof(VMInstance) / sizeof(uint64_t) - 2] = {};
};

inline VMFunction make_function(Context* context, Body body, uint32_t slots) {
  VMFunction function{};
  function.code = reinterpret_cast<uint64_t>(body);
  function.context = reinterpret_cast<VMInstance*>(context);
  function.enter = address_of(heddle_test_enter);
  function.slots = slots;
  return function;
}

/// The called function's context, in a body.
inline Context* context_of(const VMFiber* fiber) {
  return at<Context>(fiber->start_context);
}

inline uint64_t& slot(const VMContinuation* record, size_t i) {
  return *at<uint64_t>(record->slots + kSlotSize * i);
}

/// A function of a test's in the place of a library call. (That is told of the switch where it is put into the thread's table.)
inline HostResult told_of_switch(VMThread* thread, uint64_t function, uint64_t a0, uint64_t a1, uint64_t a2) {
  sanitizer::go_to_host(Runtime::of(thread));
  const HostResult result = reinterpret_cast<HostFunction>(function)(thread, a0, a1, a2, 0);
  sanitizer::go_to_fiber(Runtime::of(thread), thread->current);
  return result;
}

/// On a fiber: calls it on the host stack.
inline uint64_t host_call(VMThread* thread, HostFunction function, uint64_t a0 = 0, uint64_t a1 = 0, uint64_t a2 = 0) {
  return heddle_test_host_call(thread, reinterpret_cast<uint64_t>(told_of_switch), reinterpret_cast<uint64_t>(function), a0, a1, a2);
}

/// On a fiber: waits, by a function in the place of wait_import.
inline uint64_t host_wait(VMThread* thread, HostFunction function, uint64_t a0) {
  Runtime::of(thread)->set_libcall(Libcall::WaitImport, function);
  return heddle_test_wait(thread, thread->libcalls[static_cast<uint32_t>(Libcall::WaitImport)], a0);
}

inline uint64_t libcall(VMThread* thread, Libcall number, uint64_t a0 = 0, uint64_t a1 = 0, uint64_t a2 = 0, uint64_t a3 = 0) {
  return heddle_test_host_call(thread, thread->libcalls[static_cast<uint32_t>(number)], a0, a1, a2, a3);
}

/// One handler block: labels, then switches.
struct Clauses {
  VMHandlers head{};
  VMTag* tags[8] = {};
  Clauses(std::initializer_list<VMTag*> labels, std::initializer_list<VMTag*> switches = {}) {
    size_t n = 0;
    for (VMTag* tag : labels) tags[n++] = tag;
    for (VMTag* tag : switches) tags[n++] = tag;
    head.labels = static_cast<uint32_t>(labels.size());
    head.switches = static_cast<uint32_t>(switches.size());
    head.first_tag = labels.size() != 0 ? tags[0] : nullptr;
  }
};

inline uint64_t cont_new(VMThread* thread, VMFunction* function) {
  return libcall(thread, Libcall::ContNew, address_of(function));
}

inline VMContinuation* consume(VMThread* thread, uint64_t handle) {
  VMContinuation* record = thread->continuations + (handle & ((1u << kHandleIndexBits) - 1));
  if (record->generation != handle >> kHandleIndexBits) libcall(thread, Libcall::ContInvalid, handle);
  record->generation++;
  return record;
}

inline void append(VMThread* thread, VMContinuation* record, std::initializer_list<uint64_t> values) {
  const auto total = static_cast<uint32_t>(record->count + values.size());
  if (total > record->capacity) libcall(thread, Libcall::ContReserve, address_of(record), total);
  size_t i = record->count;
  for (const uint64_t value : values) slot(record, i++) = value;
}

inline uint64_t fresh_handle(VMThread* thread, VMContinuation* record) {
  if (record->generation == kLastGeneration) record = at<VMContinuation>(libcall(thread, Libcall::ContRenew, address_of(record)));
  return handle_of(record);
}

inline uint64_t cont_bind(VMThread* thread, uint64_t handle, std::initializer_list<uint64_t> values) {
  VMContinuation* record = consume(thread, handle);
  append(thread, record, values);
  record->count += static_cast<uint32_t>(values.size());
  return fresh_handle(thread, record);
}

/// What a resume gives.
struct Event {
  bool returned;
  /// The clause, when it suspended.
  uint64_t clause;
  /// The suspended continuation.
  uint64_t handle;
  /// Whose slots hold the values.
  VMContinuation* record;
};

inline Event resume(VMThread* thread, uint64_t handle, Clauses* clauses, std::initializer_list<uint64_t> values) {
  VMContinuation* record = consume(thread, handle);
  append(thread, record, values);
  if (record->fiber == nullptr) libcall(thread, Libcall::ContAllocate, address_of(record));
  VMFiber* fiber = record->fiber;
  fiber->parent = thread->current;
  fiber->handlers = &clauses->head;
  record->state = static_cast<uint32_t>(State::Running);
  thread->current = record->leaf;
  thread->stack_limit = thread->current->limit;
  thread->switches++;
  const SwitchResult back = heddle_fiber_switch(fiber, address_of(record), kSwitchResumed);
  if (back.kind == kSwitchReturned) return {true, 0, 0, at<VMContinuation>(back.payload)};
  return {false, back.kind, back.payload, thread->continuations + (back.payload & ((1u << kHandleIndexBits) - 1))};
}

/// After a return: the first result, and the record is given back.
inline uint64_t finish(VMThread* thread, const Event& event) {
  const uint64_t result = slot(event.record, 0);
  libcall(thread, Libcall::ContRelease, address_of(event.record));
  return result;
}

/// Returns the record whose slots hold the resume's values.
inline VMContinuation* suspend(VMThread* thread, VMTag* tag, std::initializer_list<uint64_t> values, uint32_t results = 1) {
  VMFiber* current = thread->current;
  VMFiber* fiber = current;
  uint64_t clause = 0;
  if (current->handlers->first_tag != tag) {
    fiber = at<VMFiber>(libcall(thread, Libcall::FindHandler, address_of(tag)));
    clause = thread->scratch0;
  }
  VMContinuation* record = fiber->record;
  const uint32_t slots = values.size() > results ? static_cast<uint32_t>(values.size()) : results;
  if (slots > record->capacity) libcall(thread, Libcall::ContReserve, address_of(record), slots);
  size_t i = 0;
  for (const uint64_t value : values) slot(record, i++) = value;
  record->count = 0;
  record->state = static_cast<uint32_t>(State::Suspended);
  record->leaf = current;
  const uint64_t handle = fresh_handle(thread, record);
  VMFiber* parent = fiber->parent;
  fiber->parent = nullptr;
  thread->current = parent;
  thread->stack_limit = parent->limit;
  return at<VMContinuation>(heddle_fiber_switch(fiber, handle, clause).payload);
}

/// A thread for tests.
class Machine {
 public:
  explicit Machine(const RuntimeOptions& options = RuntimeOptions::defaults()) : runtime(options), context{&runtime.thread} {}

  /// Runs `body` as a call from outside; the first slot holds its argument and then its result.
  Call::Ending run(Body body, uint64_t argument = 0) {
    VMFunction function = make_function(&context, body, 1);
    return run_function(&function, argument);
  }

  Call::Ending run_function(const VMFunction* function, uint64_t argument = 0, uint64_t deadline = ~uint64_t{0}) {
    Call call(&runtime, function);
    HEDDLE_CHECK(call);
    *at<uint64_t>(call.slots()) = argument;
    const Call::Ending ending = call.run(deadline);
    result = *at<uint64_t>(call.slots());
    trap = call.trap();
    detail = call.trap_detail();
    frames = call.frames();
    return ending;
  }

  bool clean() const {
    return runtime.continuation_counts().live == 0 && runtime.records.live() == 0 && runtime.thread.current == nullptr &&
           runtime.thread.entry == nullptr && runtime.thread.host_sp == 0 && runtime.thread.trap_code == 0;
  }

  Runtime runtime;
  Context context;
  uint64_t result = 0;
  Trap trap = Trap::None;
  uint64_t detail = 0;
  std::vector<Frame> frames;
};

}  // namespace heddle::test

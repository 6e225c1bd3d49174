// Continuations that the host resumes, and imports that wait for a promise. Built twice: as late_park_test records begin three generations
// before their last one.
#include "continuation/park.h"

#include <algorithm>

#include "tests/check.h"
#include "tests/lowered.h"
#include "trap/enter.h"
#include "trap/resumption.h"

using namespace heddle;
using namespace heddle::test;

namespace {

VMTag tag_a{1, 1, 0};

uint64_t& argument(const VMFiber* fiber) {
  return slot(fiber->record, 0);
}

/// An import that always waits; the first word is what it was called with.
HostResult wait_for(VMThread* thread, uint64_t value, uint64_t, uint64_t, uint64_t) {
  return park(thread, {{value, 0}});
}

void wait(VMThread* thread, uint64_t value) {
  host_call(thread, wait_for, value);
}

/// Waits for argument, argument + 1, … ten times; returns the sum of what it kept across the waits.
void waiter(VMThread* thread, VMFiber* fiber) {
  const uint64_t first = argument(fiber);
  uint64_t sum = 0;
  for (uint64_t i = 0; i < 10; i++) {
    wait(thread, first + i);
    sum += first + i;
  }
  argument(fiber) = sum;
}

/// The same by heddle_wait: what the host goes on with.
uint64_t wait_aside(VMThread* thread, uint64_t value) {
  static const HostFunction aside = [](VMThread* t, uint64_t word, uint64_t, uint64_t, uint64_t) { return set_aside(t, {{word, 0}}); };
  return host_wait(thread, aside, value);
}

/// A call that the host resumes until it returns.
struct Hosted {
  Hosted(Machine* machine, const VMFunction* function, uint64_t value) : runtime(&machine->runtime) {
    record = runtime->records.allocate(function->slots);
    record->function = const_cast<VMFunction*>(function);
    slot(record, 0) = value;
    record->generation++;
  }

  Entry::Ending go_on(uint32_t takes) { return go_on(takes, address_of(record)); }
  Entry::Ending go_on(uint32_t takes, uint64_t payload) {
    Resumption resumption(runtime, record, takes);
    const Entry::Ending ending = resumption.run(payload);
    record = resumption.record();
    trap = resumption.trap();
    suspension = resumption.suspension();
    if (ending == Entry::Ending::Parked || ending == Entry::Ending::Suspended) record->generation++;
    return ending;
  }

  uint64_t finish() {
    const uint64_t result = slot(record, 0);
    runtime->release_continuation(record);
    return result;
  }

  Runtime* runtime;
  VMContinuation* record;
  Trap trap = Trap::None;
  const VMTag* suspension = nullptr;
};

TEST(in_flight, "a thousand calls wait at once, each goes on where it was") {
  Machine machine;
  VMFunction function = make_function(&machine.context, waiter, 1);
  std::vector<Hosted> calls;
  for (uint64_t i = 0; i < 1000; i++) calls.emplace_back(&machine, &function, i * 100);
  for (uint64_t round = 0; round < 10; round++) {
    for (uint64_t i = 0; i < 1000; i++) {
      // Every other round in the opposite order.
      Hosted& call = calls[round % 2 == 0 ? i : 999 - i];
      const uint64_t first = (round % 2 == 0 ? i : 999 - i) * 100;
      EXPECT(call.go_on(kTakesPromises) == Entry::Ending::Parked);
      EXPECT_EQUAL(slot(call.record, 0), first + round);
      EXPECT(call.record->state == static_cast<uint32_t>(State::Parked));
      EXPECT(machine.runtime.thread.current == nullptr && machine.runtime.thread.host_sp == 0);
    }
  }
  for (uint64_t i = 0; i < 1000; i++) {
    EXPECT(calls[i].go_on(kTakesPromises) == Entry::Ending::Returned);
    EXPECT_EQUAL(calls[i].finish(), i * 1000 + 45);
  }
  EXPECT(machine.clean());
}

TEST(aside, "heddle_wait returns what its chain is entered with, whatever lies between, and keeps the registers of its caller") {
  Machine machine;
  static const Body outer = [](VMThread* thread, VMFiber* fiber) {
    static const Body inner = [](VMThread* t, VMFiber* f) {
      // More values than there are registers that a call leaves free, and floats among them.
      uint64_t kept[6];
      for (uint64_t i = 0; i < 6; i++) kept[i] = argument(f) * (i + 3);
      volatile double scale = 0.5;
      const double half = static_cast<double>(argument(f)) * scale;
      uint64_t sum = 0;
      for (uint64_t i = 0; i < 6; i++) sum += wait_aside(t, i) * kept[i];
      argument(f) = sum + static_cast<uint64_t>(half);
    };
    VMFunction function = make_function(context_of(fiber), inner, 1);
    Clauses clauses{&tag_a};
    argument(fiber) = finish(thread, resume(thread, cont_new(thread, &function), &clauses, {argument(fiber)}));
  };
  VMFunction function = make_function(&machine.context, outer, 1);
  std::vector<Hosted> calls;
  for (uint64_t i = 0; i < 10; i++) calls.emplace_back(&machine, &function, 2 * i);
  uint64_t expected = 0;
  for (uint64_t round = 0; round <= 6; round++) {
    if (round < 6) expected += (round + 3) * (round + 100);
    for (Hosted& call : calls) {
      const Entry::Ending ending = round == 0 ? call.go_on(kTakesPromises) : call.go_on(kTakesPromises, round + 99);
      EXPECT(ending == (round == 6 ? Entry::Ending::Returned : Entry::Ending::Parked));
      if (round < 6) EXPECT_EQUAL(slot(call.record, 0), round);
    }
  }
  for (uint64_t i = 0; i < 10; i++) EXPECT_EQUAL(calls[i].finish(), 2 * i * expected + i);
  EXPECT(machine.clean());
}

TEST(raised, "what heddle_wait calls may raise instead") {
  Machine machine;
  static const Body body = [](VMThread* thread, VMFiber*) {
    static const HostFunction refuse = [](VMThread* t, uint64_t, uint64_t, uint64_t, uint64_t) { return raise_trap(t, Trap::Cancelled); };
    host_wait(thread, refuse, 0);
  };
  VMFunction function = make_function(&machine.context, body, 1);
  for (int i = 0; i < 100; i++) {
    Hosted call(&machine, &function, 0);
    EXPECT(call.go_on(kTakesPromises) == Entry::Ending::Trapped);
    EXPECT(call.trap == Trap::Cancelled);
  }
  EXPECT(machine.clean());
}

TEST(inside, "a wait inside continuations sets their whole chain aside") {
  Machine machine;
  static const Body outer = [](VMThread* thread, VMFiber* fiber) {
    static const Body inner = [](VMThread* t, VMFiber* f) {
      wait(t, 7);
      const uint64_t answer = slot(suspend(t, &tag_a, {8}), 0);
      wait(t, 9);
      argument(f) = answer + 1;
    };
    VMFunction function = make_function(context_of(fiber), inner, 1);
    Clauses clauses{&tag_a};
    Event event = resume(thread, cont_new(thread, &function), &clauses, {0});
    EXPECT(!event.returned);
    EXPECT_EQUAL(slot(event.record, 0), 8u);
    event = resume(thread, event.handle, &clauses, {40});
    argument(fiber) = finish(thread, event) + 1;
  };
  VMFunction function = make_function(&machine.context, outer, 1);
  Hosted call(&machine, &function, 0);
  EXPECT(call.go_on(kTakesPromises) == Entry::Ending::Parked);
  EXPECT_EQUAL(slot(call.record, 0), 7u);
  EXPECT(call.record->leaf != call.record->fiber);
  EXPECT(call.go_on(kTakesPromises) == Entry::Ending::Parked);
  EXPECT_EQUAL(slot(call.record, 0), 9u);
  EXPECT(call.go_on(kTakesPromises) == Entry::Ending::Returned);
  EXPECT_EQUAL(call.finish(), 42u);
  EXPECT(machine.clean());
}

TEST(words, "what park keeps in the record is taken out once, and a record that is given back has nothing of it left") {
  Machine machine;
  VMFunction function = make_function(&machine.context, waiter, 1);
  Hosted taken(&machine, &function, 3), dropped(&machine, &function, 4);
  EXPECT(taken.go_on(kTakesPromises) == Entry::Ending::Parked);
  EXPECT(dropped.go_on(kTakesPromises) == Entry::Ending::Parked);
  EXPECT_EQUAL(take_parked_words(taken.record).words[0], 3u);
  EXPECT_EQUAL(slot(taken.record, 0), 0u);
  machine.runtime.drop(dropped.record);
  EXPECT_EQUAL(*at<uint64_t>(address_of(dropped.record->inline_slots)), 0u);
  machine.runtime.drop(taken.record);
  EXPECT(machine.clean());
}

TEST(dropped, "a chain that waits can be given up") {
  Machine machine;
  static const Body outer = [](VMThread* thread, VMFiber* fiber) {
    VMFunction function = make_function(context_of(fiber), waiter, 1);
    Clauses clauses{&tag_a};
    resume(thread, cont_new(thread, &function), &clauses, {0});
  };
  VMFunction function = make_function(&machine.context, outer, 1);
  for (int i = 0; i < 100; i++) {
    Hosted call(&machine, &function, 0);
    EXPECT(call.go_on(kTakesPromises) == Entry::Ending::Parked);
    EXPECT_EQUAL(machine.runtime.records.live(), 2u);
    machine.runtime.drop(call.record);
  }
  EXPECT(machine.clean());
}

TEST(suspended, "the host takes a suspension that nothing inside handles, and answers it") {
  Machine machine;
  static const Body body = [](VMThread* thread, VMFiber* fiber) {
    uint64_t sum = argument(fiber);
    for (uint64_t i = 0; i < 5; i++) sum += slot(suspend(thread, &tag_a, {i}), 0);
    argument(fiber) = sum;
  };
  VMFunction function = make_function(&machine.context, body, 1);
  Hosted call(&machine, &function, 1000);
  for (uint64_t i = 0; i < 5; i++) {
    EXPECT(call.go_on(kTakesSuspensions) == Entry::Ending::Suspended);
    EXPECT(call.suspension == &tag_a);
    EXPECT_EQUAL(slot(call.record, 0), i);
    slot(call.record, 0) = i * 10;
  }
  EXPECT(call.go_on(kTakesSuspensions) == Entry::Ending::Returned);
  EXPECT_EQUAL(call.finish(), 1100u);

  Hosted refused(&machine, &function, 0);
  EXPECT(refused.go_on(kTakesPromises) == Entry::Ending::Trapped);
  EXPECT(refused.trap == Trap::UnhandledTag);
  EXPECT(machine.clean());
}

TEST(allowed, "whether a call may wait depends on who began it") {
  Machine machine;
  static Parking seen[3];
  static const HostFunction look = [](VMThread* thread, uint64_t at, uint64_t, uint64_t, uint64_t) -> HostResult {
    seen[at] = can_park(thread);
    return {0, nullptr};
  };
  static const Body leaf = [](VMThread* thread, VMFiber* fiber) { host_call(thread, look, argument(fiber)); };
  static const HostFunction nested = [](VMThread* thread, uint64_t context, uint64_t, uint64_t, uint64_t) -> HostResult {
    VMFunction function = make_function(at<Context>(context), leaf, 1);
    Call call(Runtime::of(thread), &function);
    *at<uint64_t>(call.slots()) = 2;
    EXPECT(call.run() == Entry::Ending::Returned);
    return {0, nullptr};
  };
  static const Body nesting = [](VMThread* thread, VMFiber* fiber) { host_call(thread, nested, address_of(context_of(fiber))); };
  EXPECT(machine.run(leaf, 0) == Call::Ending::Returned);
  VMFunction function = make_function(&machine.context, leaf, 1);
  Hosted call(&machine, &function, 1);
  EXPECT(call.go_on(kTakesPromises) == Entry::Ending::Returned);
  call.finish();
  VMFunction outer = make_function(&machine.context, nesting, 1);
  Hosted with_frames(&machine, &outer, 0);
  EXPECT(with_frames.go_on(kTakesPromises) == Entry::Ending::Returned);
  with_frames.finish();
  EXPECT(seen[0] == Parking::NotPromising);
  EXPECT(seen[1] == Parking::Possible);
  EXPECT(seen[2] == Parking::HostFrames);
  EXPECT(machine.clean());
}

/// An import that is called from outside where the call allows that, and else returns one more at once. Its argument is what Left::seen is.
HostResult leave(VMThread* thread, uint64_t value, uint64_t, uint64_t, uint64_t) {
  if (!static_cast<const OuterEntry*>(thread->entry)->goes_outside) return returned(value + 1);
  static_cast<uint64_t*>(thread->mailbox)[kMailboxOutside] = value;
  return leave_for_import(thread);
}

/// A call that is left for each of its imports; nested ones lie inside.
struct Left {
  explicit Left(Machine* machine) : runtime(&machine->runtime) { runtime->thread.mailbox = mailbox; }
  ~Left() { runtime->thread.mailbox = nullptr; }

  Entry::Ending start(const VMFunction* function, uint64_t value, bool outside = true) {
    Call call(runtime, function);
    if (outside) call.go_outside();
    *at<uint64_t>(call.slots()) = value;
    return end(&call, function, call.run());
  }
  Entry::Ending go_on(uint64_t payload) {
    Call call(runtime, Call::outside(runtime));
    const VMFunction* const function = call.function();
    return end(&call, function, call.go_on(payload));
  }
  Entry::Ending trap() {
    Call call(runtime, Call::outside(runtime));
    const VMFunction* const function = call.function();
    raise_trap(&runtime->thread, Trap::Unreachable);
    return end(&call, function, call.go_on_raised());
  }
  uint64_t seen() const { return mailbox[kMailboxOutside]; }
  uint64_t waiting() const { return mailbox[kMailboxWaiting]; }

  Entry::Ending end(Call* call, const VMFunction* function, Entry::Ending ending) {
    if (ending == Entry::Ending::Outside) {
      call->let_go(function);
    } else {
      result = *at<uint64_t>(call->slots());
    }
    return ending;
  }

  Runtime* runtime;
  uint64_t mailbox[kMailboxSize] = {};
  uint64_t result = 0;
};

/// Calls the import with what it was given, and one more each time, ten times; returns the sum of what that gave and what it kept
/// meanwhile.
void importer(VMThread* thread, VMFiber* fiber) {
  const uint64_t first = argument(fiber);
  uint64_t sum = 0;
  for (uint64_t i = 0; i < 10; i++) sum += host_wait(thread, leave, first + i) + first;
  argument(fiber) = sum;
}

TEST(left, "a call is left for each import, and gone on with where it was; calls nest inside") {
  Machine machine;
  VMFunction function = make_function(&machine.context, importer, 1);
  Left left(&machine);
  constexpr uint64_t kDeep = 50;
  for (uint64_t depth = 1; depth <= kDeep; depth++) {
    EXPECT(left.start(&function, 100 * depth) == Entry::Ending::Outside);
    EXPECT_EQUAL(left.seen(), 100 * depth);
    EXPECT_EQUAL(left.waiting(), depth);
  }
  for (uint64_t depth = kDeep; depth > 0; depth--) {
    for (uint64_t i = 0; i < 9; i++) {
      EXPECT(left.go_on(1000 + i) == Entry::Ending::Outside);
      EXPECT_EQUAL(left.seen(), 100 * depth + i + 1);
    }
    EXPECT(left.go_on(1009) == Entry::Ending::Returned);
    EXPECT_EQUAL(left.result, 10045 + 1000 * depth);
    EXPECT_EQUAL(left.waiting(), depth - 1);
  }
  EXPECT(Call::outside(&machine.runtime) == nullptr);
  // The same import where nobody can call it from outside.
  EXPECT(left.start(&function, 5, false) == Entry::Ending::Returned);
  EXPECT_EQUAL(left.result, 10u * 5 + 45 + 10 + 10 * 5);
  EXPECT(machine.clean());
}

TEST(left_raised, "a trap, and an end that nobody told, give back a call that was left, with the fibers inside") {
  Machine machine;
  static const Body chain = [](VMThread* thread, VMFiber* fiber) {
    VMFunction inner = make_function(context_of(fiber), importer, 1);
    Clauses clauses({&tag_a});
    resume(thread, cont_new(thread, &inner), &clauses, {7});
  };
  VMFunction function = make_function(&machine.context, chain, 1);
  VMFunction plain = make_function(&machine.context, importer, 1);
  Left left(&machine);
  for (int i = 0; i < 20; i++) {
    EXPECT(left.start(&function, 0) == Entry::Ending::Outside);
    EXPECT_EQUAL(left.seen(), 7u);
    EXPECT(left.go_on(1) == Entry::Ending::Outside);
    EXPECT(left.trap() == Entry::Ending::Trapped);
    EXPECT(left.start(&plain, 1) == Entry::Ending::Outside);
    EXPECT(left.start(&function, 0) == Entry::Ending::Outside);
    EXPECT(left.start(&plain, 2) == Entry::Ending::Outside);
    EXPECT_EQUAL(left.waiting(), 3u);
    const auto* outermost = static_cast<const OuterEntry*>(machine.runtime.thread.entry)->outer->outer;
    drop_abandoned(&machine.runtime, outermost);
    EXPECT_EQUAL(left.waiting(), 1u);
    for (uint64_t k = 0; k < 9; k++) EXPECT(left.go_on(0) == Entry::Ending::Outside);
    EXPECT(left.go_on(0) == Entry::Ending::Returned);
    EXPECT_EQUAL(left.result, 10u);
  }
  EXPECT(machine.clean());
}

TEST(trapped, "a trap after a wait gives everything back") {
  Machine machine;
  static const Body body = [](VMThread* thread, VMFiber*) {
    wait(thread, 1);
    libcall(thread, Libcall::ContInvalid, 0);
  };
  VMFunction function = make_function(&machine.context, body, 1);
  for (int i = 0; i < 100; i++) {
    Hosted call(&machine, &function, 0);
    EXPECT(call.go_on(kTakesPromises) == Entry::Ending::Parked);
    EXPECT(call.go_on(kTakesPromises) == Entry::Ending::Trapped);
    EXPECT(call.trap == Trap::NullContinuation);
  }
  EXPECT(machine.clean());
}

TEST(held, "what the host holds is known until it lets go, or the record's life ends") {
  Machine machine;
  Records& records = machine.runtime.records;
  std::vector<VMContinuation*> made;
  for (int i = 0; i < 10; i++) {
    made.push_back(records.allocate(1));
    records.hold(made.back());
  }
  records.let_go(made[3]);
  records.release(made[9]);
  records.release(made[0]);
  records.let_go(made[3]);  // Again: it is not there.
  EXPECT_EQUAL(records.held(), 7u);
  std::vector<VMContinuation*> held;
  records.each_held([&](VMContinuation* record) { held.push_back(record); });
  EXPECT(held == (std::vector<VMContinuation*>{made[1], made[2], made[4], made[5], made[6], made[7], made[8]}));
  for (const int i : {1, 2, 3, 4, 5, 6, 7, 8}) records.release(made[static_cast<size_t>(i)]);
  EXPECT_EQUAL(records.held(), 0u);
  EXPECT(machine.clean());
}

}  // namespace

TEST_MAIN

// native/continuation: the whole life of continuations, with C++ in the part of generated code. Built twice: as generation_test records
// begin three generations before their last one.
#include "fiber/sanitizer.h"
#include "tests/check.h"
#include "tests/lowered.h"

using namespace heddle;
using namespace heddle::test;

namespace {

VMTag tag_a{1, 1, 0};
VMTag tag_b{2, 2, 0};
VMTag tag_c{3, 3, 0};

uint64_t argument(const VMFiber* fiber) {
  return slot(fiber->record, 0);
}

/// Suspends with 0, 1, 2, …, `argument` times; returns the sum of what came back.
void generator(VMThread* thread, VMFiber* fiber) {
  const uint64_t count = argument(fiber);
  uint64_t sum = 0;
  for (uint64_t i = 0; i < count; i++) sum += slot(suspend(thread, &tag_a, {i}), 0);
  slot(fiber->record, 0) = sum;
}

TEST(yields, "a generator's values and answers cross, then its result") {
  Machine machine;
  EXPECT(machine.run(
             [](VMThread* thread, VMFiber* fiber) {
               VMFunction function = make_function(context_of(fiber), generator, 1);
               Clauses clauses{&tag_a};
               uint64_t sum = 0;
               Event event = resume(thread, cont_new(thread, &function), &clauses, {1000});
               while (!event.returned) {
                 sum += slot(event.record, 0);
                 event = resume(thread, event.handle, &clauses, {2});
               }
               slot(fiber->record, 0) = sum * 10000 + finish(thread, event);
             },
             0) == Call::Ending::Returned);
  EXPECT_EQUAL(machine.result, 499500ull * 10000 + 2000);
  EXPECT_EQUAL(machine.runtime.thread.switches, 1001u);
  EXPECT(machine.clean());
}

TEST(chain, "a chain of fibers suspends and resumes as one") {
  Machine machine;
  EXPECT(machine.run([](VMThread* thread, VMFiber* fiber) {
    // outer handles b; middle handles a and c but not b; the generator inside suspends to a, then to b, through middle.
    static const Body inner = [](VMThread* t, VMFiber* f) {
      uint64_t sum = slot(suspend(t, &tag_a, {1}), 0);
      sum += slot(suspend(t, &tag_b, {10}), 0);
      sum += slot(suspend(t, &tag_a, {100}), 0);
      slot(f->record, 0) = sum;
    };
    static const Body middle = [](VMThread* t, VMFiber* f) {
      VMFunction function = make_function(context_of(f), inner, 1);
      Clauses clauses({&tag_c, &tag_a});
      Event event = resume(t, cont_new(t, &function), &clauses, {0});
      uint64_t got = 0;
      while (!event.returned) {
        EXPECT_EQUAL(event.clause, 1u);
        got += slot(event.record, 0);
        event = resume(t, event.handle, &clauses, {slot(event.record, 0) * 2});
      }
      slot(f->record, 0) = got * 1000 + finish(t, event);
    };
    VMFunction function = make_function(context_of(fiber), middle, 1);
    Clauses clauses{&tag_b};
    Event event = resume(thread, cont_new(thread, &function), &clauses, {0});
    EXPECT(!event.returned && event.clause == 0);
    EXPECT_EQUAL(slot(event.record, 0), 10u);
    event = resume(thread, event.handle, &clauses, {5});
    EXPECT(event.returned);
    slot(fiber->record, 0) = finish(thread, event);
  }) == Call::Ending::Returned);
  EXPECT_EQUAL(machine.result, 101000u + 2 + 5 + 200);
  EXPECT(machine.clean());
}

TEST(versions, "versions of a chain go on from one state in any order, each with its own answers") {
  Machine machine;
  EXPECT(machine.run([](VMThread* thread, VMFiber* fiber) {
    // The generator inside another fiber, which does not handle what it suspends with.
    static const Body outside = [](VMThread* t, VMFiber* f) {
      VMFunction function = make_function(context_of(f), generator, 1);
      Clauses clauses{&tag_c};
      slot(f->record, 0) = 1000 + finish(t, resume(t, cont_new(t, &function), &clauses, {argument(f)}));
    };
    for (const Body body : {generator, outside}) {
      VMFunction function = make_function(context_of(fiber), body, 1);
      Clauses clauses{&tag_a};
      uint64_t handles[8];
      uint64_t sums[8] = {};
      handles[0] = resume(thread, cont_new(thread, &function), &clauses, {3}).handle;
      for (size_t i = 1; i < 8; i++) handles[i] = libcall(thread, Libcall::ContClone, handles[i - 1]);
      for (uint64_t round = 1; round < 3; round++) {
        for (size_t n = 0; n < 8; n++) {
          const size_t i = round == 1 ? 7 - n : (n * 3) % 8;
          const Event event = resume(thread, handles[i], &clauses, {10 * i + round});
          EXPECT(!event.returned);
          EXPECT_EQUAL(slot(event.record, 0), round);
          handles[i] = event.handle;
          sums[i] += 10 * i + round;
        }
      }
      const uint64_t base = body == generator ? 0 : 1000;
      for (size_t i = 0; i < 8; i++) {
        const uint64_t again = libcall(thread, Libcall::ContClone, handles[i]);
        EXPECT_EQUAL(finish(thread, resume(thread, handles[i], &clauses, {100})), base + sums[i] + 100);
        EXPECT_EQUAL(finish(thread, resume(thread, again, &clauses, {200})), base + sums[i] + 200);
      }
    }
    slot(fiber->record, 0) = Runtime::of(thread)->copies.clones();
  }) == Call::Ending::Returned);
  EXPECT_EQUAL(machine.result, 30u);
  EXPECT_EQUAL(machine.runtime.copies.count(), 0u);
  EXPECT_EQUAL(machine.runtime.copies.bytes(), 0u);
  EXPECT(machine.clean());
}

TEST(active, "a version that is resumed while another runs traps, and stays as it was") {
  Machine machine;
  static uint64_t other;
  const auto nested = [](VMThread* thread, VMFiber* fiber) {
    static const Body resumes = [](VMThread* t, VMFiber* f) {
      Clauses clauses{&tag_a};
      slot(suspend(t, &tag_a, {1}), 0);
      resume(t, other, &clauses, {5});
      slot(f->record, 0) = 1;
    };
    VMFunction function = make_function(context_of(fiber), resumes, 1);
    Clauses clauses{&tag_a};
    const Event event = resume(thread, cont_new(thread, &function), &clauses, {0});
    other = libcall(thread, Libcall::ContClone, event.handle);
    resume(thread, event.handle, &clauses, {2});
  };
  EXPECT(machine.run(nested) == Call::Ending::Trapped);
  EXPECT(machine.trap == Trap::SnapshotActive);
  const VMContinuation* record = machine.runtime.records.find(other & ((1u << kHandleIndexBits) - 1));
  EXPECT_EQUAL(handle_of(record), other);
  EXPECT(record->state == static_cast<uint32_t>(State::Suspended));
  machine.runtime.drop(at<VMContinuation>(address_of(record)));
  EXPECT(machine.clean());
}

TEST(consumed, "a handle is good once; null is never") {
  Machine machine;
  const Body twice = [](VMThread* thread, VMFiber* fiber) {
    VMFunction function = make_function(context_of(fiber), generator, 1);
    Clauses clauses{&tag_a};
    const uint64_t handle = cont_new(thread, &function);
    const Event event = resume(thread, handle, &clauses, {3});
    EXPECT(event.handle != handle);
    resume(thread, handle, &clauses, {3});
    EXPECT(false);
  };
  EXPECT(machine.run(twice) == Call::Ending::Trapped);
  EXPECT(machine.trap == Trap::ContinuationConsumed);
  EXPECT(machine.run([](VMThread* thread, VMFiber*) {
    Clauses clauses{&tag_a};
    resume(thread, 0, &clauses, {});
  }) == Call::Ending::Trapped);
  EXPECT(machine.trap == Trap::NullContinuation);
  EXPECT(machine.run([](VMThread* thread, VMFiber*) { cont_new(thread, nullptr); }) == Call::Ending::Trapped);
  EXPECT(machine.trap == Trap::NullFunction);
}

TEST(bound, "bound arguments come first, however many there are") {
  Machine machine;
  EXPECT(machine.run([](VMThread* thread, VMFiber* fiber) {
    static const Body body = [](VMThread*, VMFiber* f) {
      uint64_t sum = 0;
      for (uint64_t i = 0; i < 20; i++) sum = sum * 3 + slot(f->record, i);
      slot(f->record, 0) = sum;
    };
    VMFunction function = make_function(context_of(fiber), body, 2);  // Capacity is a matter of run time: two slots at first.
    Clauses clauses({});
    uint64_t handle = cont_new(thread, &function);
    for (uint64_t i = 0; i < 18; i += 2) handle = cont_bind(thread, handle, {i, i + 1});
    const Event event = resume(thread, handle, &clauses, {18, 19});
    slot(fiber->record, 0) = finish(thread, event);
  }) == Call::Ending::Returned);
  uint64_t expected = 0;
  for (uint64_t i = 0; i < 20; i++) expected = expected * 3 + i;
  EXPECT_EQUAL(machine.result, expected);
  EXPECT(machine.clean());
}

TEST(unhandled, "a tag that nobody handles traps with its number, a handler beyond a host frame is a barrier") {
  Machine machine;
  EXPECT(machine.run([](VMThread* thread, VMFiber*) { suspend(thread, &tag_c, {}); }) == Call::Ending::Trapped);
  EXPECT(machine.trap == Trap::UnhandledTag);
  EXPECT_EQUAL(machine.detail, 3u);
  // A continuation handled for a calls the host, which calls in again and suspends to a.
  machine.context.data = &machine;
  EXPECT(machine.run([](VMThread* thread, VMFiber* fiber) {
    static const HostFunction again = [](VMThread* t, uint64_t address, uint64_t, uint64_t, uint64_t) {
      auto* m = at<Machine>(address);
      EXPECT(m->run([](VMThread* inner, VMFiber*) { suspend(inner, &tag_a, {}); }) == Call::Ending::Trapped);
      return HostResult{static_cast<uint64_t>(m->trap), nullptr};
      (void)t;
    };
    static const Body caller = [](VMThread* t, VMFiber* f) { slot(f->record, 0) = host_call(t, again, address_of(context_of(f)->data)); };
    VMFunction function = make_function(context_of(fiber), caller, 1);
    Clauses clauses{&tag_a};
    const Event event = resume(thread, cont_new(thread, &function), &clauses, {0});
    EXPECT(event.returned);
    slot(fiber->record, 0) = finish(thread, event);
  }) == Call::Ending::Returned);
  EXPECT_EQUAL(machine.result, static_cast<uint64_t>(Trap::Barrier));
  EXPECT(machine.clean());
}

TEST(switches, "labels and switches are searched apart") {
  Machine machine;
  EXPECT(machine.run([](VMThread* thread, VMFiber* fiber) {
    static const Body body = [](VMThread* t, VMFiber* f) {
      const uint64_t found = libcall(t, Libcall::FindHandler, address_of(&tag_b), 1);
      EXPECT_EQUAL(found, address_of(f));
      EXPECT_EQUAL(t->scratch0, 1u);
      slot(f->record, 0) = 1;
    };
    VMFunction function = make_function(context_of(fiber), body, 1);
    Clauses clauses({&tag_b}, {&tag_a, &tag_b});
    finish(thread, resume(thread, cont_new(thread, &function), &clauses, {}));
  }) == Call::Ending::Returned);
}

TEST(left, "a trap in a chain gives everything back") {
  Machine machine;
  for (int i = 0; i < 200; i++) {
    EXPECT(machine.run(
               [](VMThread* thread, VMFiber* fiber) {
                 static const Body nest = [](VMThread* t, VMFiber* f) {
                   const uint64_t depth = argument(f);
                   if (depth == 0) libcall(t, Libcall::ContInvalid, 0);
                   VMFunction function = make_function(context_of(f), nest, 1);
                   Clauses clauses{&tag_a};
                   resume(t, cont_new(t, &function), &clauses, {depth - 1});
                 };
                 nest(thread, fiber);
               },
               50) == Call::Ending::Trapped);
    EXPECT(machine.trap == Trap::NullContinuation);
    EXPECT(machine.clean());
  }
  EXPECT_EQUAL(machine.runtime.continuation_counts().peak, 50u);
}

TEST(exhausted, "too many stacks is a trap, after which there are stacks again") {
  RuntimeOptions options = RuntimeOptions::defaults();
  options.continuation.maximum = 100;
  Machine machine(options);
  const Body nest = [](VMThread* thread, VMFiber* fiber) {
    static const Body again = [](VMThread* t, VMFiber* f) {
      VMFunction function = make_function(context_of(f), again, 1);
      Clauses clauses({});
      resume(t, cont_new(t, &function), &clauses, {0});
    };
    again(thread, fiber);
  };
  for (int i = 0; i < 3; i++) {
    EXPECT(machine.run(nest) == Call::Ending::Trapped);
    EXPECT(machine.trap == Trap::TooManyStacks);
    EXPECT(machine.clean());
  }
}

TEST(runaway, "a function that resumes a new continuation of itself for ever traps in bounded memory") {
#if defined(HEDDLE_ASAN)
  std::printf("  skipped: a quarter of a million stacks cost AddressSanitizer a minute\n");
#else
  Machine machine;
  EXPECT(machine.run([](VMThread* thread, VMFiber* fiber) {
    static const Body again = [](VMThread* t, VMFiber* f) {
      VMFunction function = make_function(context_of(f), again, 1);
      Clauses clauses({});
      resume(t, cont_new(t, &function), &clauses, {0});
    };
    again(thread, fiber);
  }) == Call::Ending::Trapped);
  EXPECT(machine.trap == Trap::TooManyStacks);
  EXPECT_EQUAL(machine.runtime.continuation_counts().peak, uint64_t{1} << 18);
  EXPECT(machine.clean());
#endif
}

TEST(many, "100,000 continuations are suspended at a time, and dropped with the thread") {
  Machine machine;
  EXPECT(machine.run([](VMThread* thread, VMFiber* fiber) {
    VMFunction function = make_function(context_of(fiber), generator, 1);
    Clauses clauses{&tag_a};
    std::vector<uint64_t> handles;
    for (int i = 0; i < 100'000; i++) handles.push_back(resume(thread, cont_new(thread, &function), &clauses, {2}).handle);
    uint64_t sum = 0;
    for (uint64_t& handle : handles) {
      const Event event = resume(thread, handle, &clauses, {1});
      sum += slot(event.record, 0);
      handle = event.handle;
    }
    for (size_t i = 0; i < 50'000; i++) sum += finish(thread, resume(thread, handles[i], &clauses, {1}));
    slot(fiber->record, 0) = sum;
  }) == Call::Ending::Returned);
  EXPECT_EQUAL(machine.result, 100'000u + 100'000u);
  EXPECT_EQUAL(machine.runtime.records.live(), 50'000u);
  EXPECT_EQUAL(machine.runtime.continuation_counts().live, 50'000u);
}

TEST(recycled, "records and stacks are used again") {
  Machine machine;
  EXPECT(machine.run([](VMThread* thread, VMFiber* fiber) {
    VMFunction function = make_function(context_of(fiber), generator, 1);
    Clauses clauses{&tag_a};
    uint64_t stale = 0;
    for (int i = 0; i < 10'000; i++) {
      const uint64_t handle = cont_new(thread, &function);
      EXPECT(handle != stale && handle != 0);
      stale = handle;
      finish(thread, resume(thread, handle, &clauses, {0}));
    }
  }) == Call::Ending::Returned);
  EXPECT_EQUAL(machine.runtime.continuation_counts().peak, 1u);
  EXPECT_EQUAL(machine.runtime.records.made(), 10'000u);
  EXPECT(machine.clean());
}

}  // namespace

TEST_MAIN

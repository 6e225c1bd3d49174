// native/heap: storage against a model, and what collections free and keep, with C++ in the part of generated code.
#include "heap/heap.h"

#include <map>
#include <random>

#include "heap/exceptions.h"
#include "heap/snapshot_check.h"
#include "tests/check.h"
#include "tests/lowered.h"

using namespace heddle;
using namespace heddle::test;

namespace {

constexpr uint64_t kMany = 1000;
/// What conservatism may keep: words that a frame has no use for any more.
constexpr uint64_t kFew = 16;

VMTag tag{1, 1, 0};

/// An embedder that holds what a test says.
class Holds final : public HeapEmbedder {
 public:
  std::vector<uint64_t> words;
  std::vector<MemoryRange> memories() override { return {}; }
  void mark_roots(Marker* marker) override {
    for (const uint64_t word : words) marker->word(word);
  }
  void marked(Blocks*) override {}
  void swept(const std::vector<int32_t>&) override {}
};

/// A thread with a heap; bodies reach it by their context.
struct Heaped {
  Machine machine;
  Holds holds;
  Heap heap;
  uint64_t handles[kMany] = {};
  Heaped() : heap(&machine.runtime, &holds, this) { machine.context.data = this; }
  uint64_t live() { return machine.runtime.records.live(); }
};

Heaped& heaped(const VMFiber* fiber) {
  return *static_cast<Heaped*>(context_of(fiber)->data);
}

HostResult collect_now(VMThread* thread, uint64_t, uint64_t, uint64_t, uint64_t) {
  Runtime::of(thread)->reclaimer->reclaim({});
  return {0, nullptr};
}

void collect_from(VMThread* thread) {
  host_call(thread, collect_now);
}

void waits(VMThread* thread, VMFiber* fiber) {
  slot(fiber->record, 0) = slot(suspend(thread, &tag, {7}), 0) + 1;
}

/// A local that holds a handle as generated code does: whole. (The C++ compiler likes to keep its two parts instead.)
using Handle = volatile uint64_t;

/// Makes a continuation that waits, and drops all but its handle.
__attribute__((noinline)) uint64_t make_waiting(VMThread* thread, VMFiber* fiber, Body body = waits) {
  static VMFunction function;
  function = make_function(context_of(fiber), body, 1);
  Clauses clauses{&tag};
  return resume(thread, cont_new(thread, &function), &clauses, {0}).handle;
}

TEST(model, "storage gives, finds and takes back cells as a map does") {
  Blocks blocks(64 << 20);
  std::map<uint64_t, std::pair<uint64_t, ObjectKind>> model;
  std::mt19937_64 random(1);
  for (int step = 0; step < 40'000; step++) {
    if (random() % 5 < 3 || model.empty()) {
      const uint64_t bytes = random() % 50 == 0 ? random() % 300'000 : random() % 700 + 1;
      const auto kind = static_cast<ObjectKind>(random() % kObjectKinds);
      const uint64_t object = address_of(blocks.allocate(kind, bytes));
      EXPECT(object != 0 && object % (is_plain(kind) ? 8 : 16) == 0);
      const auto after = model.lower_bound(object);
      EXPECT(after == model.end() || after->first >= object + bytes);
      EXPECT(after == model.begin() || std::prev(after)->first + std::prev(after)->second.first <= object);
      for (uint64_t i = 0; i < bytes; i += 8) EXPECT(*at<uint8_t>(object + i) == 0);
      *at<uint8_t>(object + bytes - 1) = 0xff;
      *at<uint8_t>(object) = 0xff;
      model[object] = {bytes, kind};
    } else {
      auto one = model.lower_bound(model.begin()->first + random() % (model.rbegin()->first - model.begin()->first + 1));
      const auto [object, what] = *one;
      EXPECT_EQUAL(blocks.find(object), object);
      EXPECT_EQUAL(blocks.find(object + random() % what.first), object);
      EXPECT(blocks.kind_of(object) == what.second);
      blocks.free(object);
      EXPECT_EQUAL(blocks.find(object), 0u);
      model.erase(one);
    }
  }
  uint64_t count = 0;
  blocks.each([&](uint64_t object) { count += model.count(object); });
  EXPECT_EQUAL(count, model.size());
  // Half is marked by an address inside; the rest goes.
  std::map<uint64_t, bool> kept;
  for (const auto& [object, what] : model) {
    kept[object] = random() % 2 == 0;
    if (kept[object]) EXPECT_EQUAL(blocks.mark(object + what.first / 2), object);
    if (kept[object]) EXPECT_EQUAL(blocks.mark(object), 0u);
  }
  blocks.sweep([&](ObjectKind kind, uint64_t object) { EXPECT(!kept[object] && model[object].second == kind); });
  for (const auto& [object, keep] : kept) EXPECT_EQUAL(blocks.find(object), keep ? object : 0);
  blocks.sweep([](ObjectKind, uint64_t) {});
  EXPECT_EQUAL(blocks.bytes(), 0u);
}

TEST(runs, "of a block are its free cells, all of them, once, and what is given back is free again") {
  Blocks blocks(64 << 20);
  constexpr uint64_t kCell = 24, kCells = 65536 / kCell;
  std::mt19937_64 random(2);
  std::map<uint64_t, bool> kept;
  for (int round = 0; round < 50; round++) {
    // Runs until all free cells of the blocks that there are have been taken, and a few of a fresh block.
    uint64_t taken = 0;
    for (uint64_t wanted = 3 * kCells; taken < wanted;) {
      Blocks::Run run;
      EXPECT(blocks.take_run(ObjectKind::Object, kCell, &run));
      EXPECT(run.to > run.from && (run.to - run.from) % kCell == 0);
      for (uint64_t object = run.from; object < run.to; object += kCell) {
        EXPECT(kept.count(object) == 0);
        for (uint64_t i = 0; i < kCell; i += 8) EXPECT_EQUAL(*at<uint64_t>(object + i), 0u);
        EXPECT_EQUAL(blocks.find(object + 23), object);
      }
      // Some of it is not used.
      const uint64_t used = random() % ((run.to - run.from) / kCell + 1) * kCell;
      blocks.give_back({run.from + used, run.to});
      for (uint64_t object = run.from; object < run.from + used; object += kCell) {
        std::memset(at<void>(object), 0xff, kCell);
        kept[object] = random() % 3 == 0;
      }
      EXPECT_EQUAL(used == run.to - run.from ? 0 : blocks.find(run.from + used), 0u);
      taken += used + kCell;
    }
    EXPECT_EQUAL(blocks.live(ObjectKind::Object), kept.size());
    uint64_t dead = 0;
    for (auto object = kept.begin(); object != kept.end();) {
      if (object->second) {
        EXPECT_EQUAL(blocks.mark(object->first + 8), object->first);
        object->second = random() % 3 == 0;
        ++object;
      } else {
        dead++;
        object = kept.erase(object);
      }
    }
    EXPECT_EQUAL(blocks.sweep([](ObjectKind, uint64_t) { EXPECT(false); }), dead);
    for (const auto& [object, keep] : kept) EXPECT_EQUAL(blocks.find(object), object);
    EXPECT_EQUAL(blocks.bytes(), kept.size() * kCell);
    if (round % 10 == 0) blocks.trim(0);
  }
}

TEST(dropped, "suspended continuations that nobody has are freed with their stacks, those in a local or a slot stay and go on") {
  Heaped all;
  EXPECT(all.machine.run([](VMThread* thread, VMFiber* fiber) {
    const Handle mine = make_waiting(thread, fiber);
    for (uint64_t i = 0; i < kMany; i++) make_waiting(thread, fiber);
    Runtime& runtime = heaped(fiber).machine.runtime;
    EXPECT_EQUAL(runtime.records.live(), kMany + 1);
    collect_from(thread);
    EXPECT(runtime.records.live() <= 1 + kFew);
    EXPECT(runtime.continuation_counts().live <= 1 + kFew);
    Clauses clauses{&tag};
    slot(fiber->record, 0) = finish(thread, resume(thread, mine, &clauses, {41}));
  }) == Call::Ending::Returned);
  EXPECT_EQUAL(all.machine.result, 42u);
  all.heap.collect();
  EXPECT_EQUAL(all.live(), 0u);
  EXPECT_EQUAL(all.heap.counts().continuations_freed, kMany);
}

TEST(consumed, "values that a consumed continuation has been given stay while a collection makes room for it") {
  Heaped all;
  EXPECT(all.machine.run([](VMThread* thread, VMFiber* fiber) { heaped(fiber).handles[0] = make_waiting(thread, fiber); }) ==
         Call::Ending::Returned);
  Runtime& runtime = all.machine.runtime;
  static VMFunction function;
  function = make_function(&all.machine.context, waits, 1);
  VMContinuation* source = runtime.records.find(all.handles[0] & ((uint64_t{1} << kHandleIndexBits) - 1));
  uint64_t refused = 0;
  VMContinuation* version = runtime.clone_continuation(source, all.handles[0], &refused);
  EXPECT(version != nullptr && version->fiber == nullptr);
  const VMContinuation* value = runtime.make_continuation(&function, nullptr);
  // As generated code does it: consumed, and given a value, before it asks for a stack.
  version->generation++;
  slot(version, 0) = handle_of(value);
  all.heap.reclaim({address_of(version)});
  EXPECT_EQUAL(value->state, static_cast<uint32_t>(State::Fresh));
  all.heap.collect();
  EXPECT_EQUAL(all.live(), 0u);
  EXPECT_EQUAL(runtime.copies.count(), 0u);
}

TEST(fresh, "fresh continuations are freed; those bound into another stay with it") {
  Heaped all;
  EXPECT(all.machine.run([](VMThread* thread, VMFiber* fiber) {
    static VMFunction function;
    function = make_function(context_of(fiber), waits, 2);
    uint64_t chain = cont_new(thread, &function);
    for (uint64_t i = 0; i < kMany; i++) chain = cont_bind(thread, cont_new(thread, &function), {chain});
    collect_from(thread);
    EXPECT_EQUAL(heaped(fiber).live(), kMany + 1);
    heaped(fiber).holds.words = {chain};
  }) == Call::Ending::Returned);
  all.heap.collect();
  EXPECT_EQUAL(all.live(), kMany + 1);
  all.holds.words.clear();
  all.heap.collect();
  EXPECT_EQUAL(all.live(), 0u);
}

/// A continuation that waits inside another fiber that it resumed, each with a handle of its own in its frame.
void outer(VMThread* thread, VMFiber* fiber) {
  const Handle mine = make_waiting(thread, fiber);
  static VMFunction function;
  static const Body inner = [](VMThread* t, VMFiber* f) {
    const Handle held = make_waiting(t, f);
    Clauses clauses{&tag};
    slot(suspend(t, &tag, {1}), 0);
    slot(f->record, 0) = finish(t, resume(t, held, &clauses, {100}));
  };
  function = make_function(context_of(fiber), inner, 1);
  Clauses none({});
  const uint64_t sum = finish(thread, resume(thread, cont_new(thread, &function), &none, {0}));
  Clauses clauses{&tag};
  slot(fiber->record, 0) = sum + finish(thread, resume(thread, mine, &clauses, {1000}));
}

TEST(chains, "every fiber of a suspended chain keeps what its frames hold") {
  Heaped all;
  EXPECT(all.machine.run([](VMThread* thread, VMFiber* fiber) {
    const Handle handle = make_waiting(thread, fiber, outer);
    EXPECT_EQUAL(heaped(fiber).live(), 4u);
    collect_from(thread);
    EXPECT_EQUAL(heaped(fiber).live(), 4u);
    Clauses clauses{&tag};
    slot(fiber->record, 0) = finish(thread, resume(thread, handle, &clauses, {5}));
  }) == Call::Ending::Returned);
  EXPECT_EQUAL(all.machine.result, 1102u);
  EXPECT(all.machine.clean());
}

TEST(cycles, "a cycle of a continuation and an exception is freed, with what hangs on it") {
  Heaped all;
  EXPECT(all.machine.run([](VMThread* thread, VMFiber* fiber) {
    static VMFunction function;
    static const Body holder = [](VMThread* t, VMFiber* f) {
      volatile uint64_t exception = slot(f->record, 0);
      suspend(t, &tag, {1});
      slot(f->record, 0) = exception;
    };
    function = make_function(context_of(fiber), holder, 1);
    Clauses clauses{&tag};
    for (uint64_t i = 0; i < kMany; i++) {
      VMException* exception = allocate_exception(&heaped(fiber).heap.blocks, nullptr, 1);
      exception->held = kHeldByReference;
      *at<uint64_t>(address_of(exception) + sizeof(VMException)) =
          resume(thread, cont_new(thread, &function), &clauses, {address_of(exception)}).handle;
      if (i == 0) heaped(fiber).holds.words = {address_of(exception)};
    }
  }) == Call::Ending::Returned);
  EXPECT_EQUAL(all.live(), kMany);
  all.heap.collect();
  EXPECT_EQUAL(all.live(), 1u);
  EXPECT_EQUAL(all.heap.blocks.live(ObjectKind::Exception), 1u);
  all.holds.words.clear();
  all.heap.collect();
  EXPECT_EQUAL(all.live(), 0u);
  EXPECT_EQUAL(all.heap.blocks.live(ObjectKind::Exception), 0u);
}

TEST(nested, "what waits on the other side of host frames stays, its callee-saved registers too") {
  Heaped all;
  EXPECT(all.machine.run([](VMThread* thread, VMFiber* fiber) {
    static const HostFunction again = [](VMThread*, uint64_t address, uint64_t, uint64_t, uint64_t) {
      auto* inside = at<Heaped>(address);
      EXPECT(inside->machine.run([](VMThread* t, VMFiber* f) {
        for (uint64_t i = 0; i < kMany; i++) make_waiting(t, f);
        collect_from(t);
        EXPECT(heaped(f).live() >= 1 && heaped(f).live() <= 1 + kFew);
      }) == Call::Ending::Returned);
      inside->heap.collect();
      return HostResult{0, nullptr};
    };
    const Handle mine = make_waiting(thread, fiber);
    host_call(thread, again, address_of(&heaped(fiber)));
    Clauses clauses{&tag};
    slot(fiber->record, 0) = finish(thread, resume(thread, mine, &clauses, {9}));
  }) == Call::Ending::Returned);
  EXPECT_EQUAL(all.machine.result, 10u);
}

TEST(always, "with a collection at every safepoint nothing in use is freed") {
  Heaped all;
  all.heap.collect_always();
  EXPECT(all.machine.run([](VMThread* thread, VMFiber* fiber) {
    uint64_t* handles = heaped(fiber).handles;
    constexpr uint64_t kCount = 100;
    for (uint64_t i = 0; i < kCount; i++) {
      handles[i] = make_waiting(thread, fiber);
      heaped(fiber).holds.words.assign(handles, handles + i + 1);
    }
    uint64_t sum = 0;
    Clauses clauses{&tag};
    for (uint64_t i = 0; i < kCount; i++) sum += finish(thread, resume(thread, handles[i], &clauses, {i}));
    slot(fiber->record, 0) = sum;
  }) == Call::Ending::Returned);
  EXPECT_EQUAL(all.machine.result, 4950u + 100);
  EXPECT(all.heap.counts().collections >= 200);
  EXPECT(all.machine.clean());
}

TEST(parked, "a chain that the host holds is a root") {
  Heaped all;
  static VMContinuation* parked;
  EXPECT(all.machine.run([](VMThread* thread, VMFiber* fiber) {
    const Handle handle = make_waiting(thread, fiber, outer);
    parked = thread->continuations + (handle & ((1u << kHandleIndexBits) - 1));
    heaped(fiber).machine.runtime.records.hold(parked);
  }) == Call::Ending::Returned);
  all.heap.collect();
  EXPECT_EQUAL(all.live(), 4u);
  all.machine.runtime.records.let_go(parked);
  all.heap.collect();
  EXPECT_EQUAL(all.live(), 0u);
}

/// Plants an address at `place` and says how many violations more there are, in a library call, as a collection would be. (There are some
/// before: the C++ that stands for generated code here saves registers, in which its resumer had addresses of its own frames.)
HostResult plant(VMThread* thread, uint64_t all, uint64_t place, uint64_t word, uint64_t) {
  const auto count = [&] { return find_snapshot_violations(*Runtime::of(thread), at<Heaped>(all)->heap.blocks).size(); };
  auto* target = at<uint64_t>(place);
  const uint64_t kept = *target;
  *target = 0;
  const uint64_t before = count();
  *target = word;
  const uint64_t after = count();
  *target = kept;
  return {after - before, nullptr};
}

uint64_t plant_at(VMThread* thread, VMFiber* fiber, const uint64_t* place, uint64_t word) {
  return host_call(thread, plant, address_of(&heaped(fiber)), address_of(place), word);
}

VMContinuation* record_of(const VMThread* thread, uint64_t handle) {
  return thread->continuations + (handle & ((1u << kHandleIndexBits) - 1));
}

TEST(snapshots, "an address inside a suspended fiber's frames is found wherever it is held; the chain's own do not count") {
  Heaped all;
  EXPECT(all.machine.run([](VMThread* thread, VMFiber* fiber) {
    const VMContinuation* record = record_of(thread, make_waiting(thread, fiber, outer));
    const VMContinuation* other = record_of(thread, make_waiting(thread, fiber));
    VMException* exception = allocate_exception(&heaped(fiber).heap.blocks, nullptr, 1);
    const uint64_t* const holders[] = {
        at<uint64_t>(record->slots),                                // Its own payload.
        at<uint64_t>(fiber->record->slots),                         // An entry's.
        &fiber->shadow_entered,                                     // A running fiber's control block.
        at<uint64_t>(other->fiber->sp),                             // A frame of another suspended one.
        at<uint64_t>(address_of(exception) + sizeof(VMException)),  // An object of the heap.
        &other->next_free,                                          // Another's record.
    };
    const VMFiber* leaf = record->leaf;
    EXPECT(leaf != record->fiber);
    for (const uint64_t* place : holders) {
      EXPECT_EQUAL(plant_at(thread, fiber, place, record->fiber->sp), 1u);  // The first word of the leaf's frames.
      EXPECT_EQUAL(plant_at(thread, fiber, place, address_of(leaf) - 1), 1u);
      EXPECT_EQUAL(plant_at(thread, fiber, place, address_of(leaf)), 0u);       // A control block is no frame,
      EXPECT_EQUAL(plant_at(thread, fiber, place, record->fiber->sp - 8), 0u);  // nor is what lies below.
    }
    EXPECT_EQUAL(plant_at(thread, fiber, at<uint64_t>(record->fiber->sp), record->fiber->sp), 0u);  // Its own frames may.
    EXPECT_EQUAL(plant_at(thread, fiber, &record->fiber->shadow_entered, record->fiber->sp), 0u);   // So may another fiber of its chain.
  }) == Call::Ending::Returned);
}

TEST(limit, "at the limit of stacks what was dropped makes room") {
  RuntimeOptions options = RuntimeOptions::defaults();
  options.continuation.maximum = 50;
  Machine machine(options);
  Holds holds;
  Heap heap(&machine.runtime, &holds, nullptr);
  EXPECT(machine.run([](VMThread* thread, VMFiber* fiber) {
    for (uint64_t i = 0; i < 10 * kMany; i++) make_waiting(thread, fiber);
    slot(fiber->record, 0) = 1;
  }) == Call::Ending::Returned);
  EXPECT_EQUAL(machine.result, 1u);
  EXPECT(machine.runtime.continuation_counts().peak <= 50);
}

}  // namespace

TEST_MAIN

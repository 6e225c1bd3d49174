// Each allocation failed in turn: whatever the C library or the kernel refuses, the call traps and says so, and all that is suspended goes
// on. The linker sends the calls of Heddle's own objects here first (--wrap). Not failed are the lists that go with shadow stacks, and
// those of native/bindings: without memory for them the process ends, as it does where Node has none for its own.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdlib>

#include <new>

#include "continuation/fiber_table.h"
#include "fiber/sanitizer.h"
#include "heap/exceptions.h"
#include "heap/heap.h"
#include "tests/check.h"
#include "tests/lowered.h"
#include "tests/programs.h"
#include "trap/inspect.h"
#include "trap/sites.h"

using namespace heddle;
using namespace heddle::test;

namespace {

/// Which allocation from now on fails, counted from 1; 0 for none. And how many there were.
uint64_t fail_at = 0;
uint64_t allocations = 0;

bool fails() {
  allocations++;
  if (fail_at == 0 || allocations != fail_at) return false;
  errno = ENOMEM;
  return true;
}

}  // namespace

extern "C" {
void* __real_malloc(size_t size);
void* __wrap_malloc(size_t size) {
  return fails() ? nullptr : __real_malloc(size);
}
void* __real_calloc(size_t count, size_t size);
void* __wrap_calloc(size_t count, size_t size) {
  return fails() ? nullptr : __real_calloc(count, size);
}
int __real_posix_memalign(void** memory, size_t alignment, size_t size);
int __wrap_posix_memalign(void** memory, size_t alignment, size_t size) {
  return fails() ? ENOMEM : __real_posix_memalign(memory, alignment, size);
}
void* __real_mmap(void* address, size_t length, int protection, int flags, int file, off_t offset);
void* __wrap_mmap(void* address, size_t length, int protection, int flags, int file, off_t offset) {
  return fails() ? MAP_FAILED : __real_mmap(address, length, protection, flags, file, offset);
}
int __real_mprotect(void* address, size_t length, int protection);
int __wrap_mprotect(void* address, size_t length, int protection) {
  return fails() ? -1 : __real_mprotect(address, length, protection);
}
int __real_madvise(void* address, size_t length, int advice);
int __wrap_madvise(void* address, size_t length, int advice) {
  return fails() ? -1 : __real_madvise(address, length, advice);
}

// operator new and new[], by the names that they have for the linker: plain, nothrow, aligned, both.
void* __real__Znwm(size_t size);
void* __wrap__Znwm(size_t size) {
  return fails() ? throw std::bad_alloc() : __real__Znwm(size);
}
void* __real__Znam(size_t size);
void* __wrap__Znam(size_t size) {
  return fails() ? throw std::bad_alloc() : __real__Znam(size);
}
void* __real__ZnwmRKSt9nothrow_t(size_t size, const std::nothrow_t& tag);
void* __wrap__ZnwmRKSt9nothrow_t(size_t size, const std::nothrow_t& tag) {
  return fails() ? nullptr : __real__ZnwmRKSt9nothrow_t(size, tag);
}
void* __real__ZnamRKSt9nothrow_t(size_t size, const std::nothrow_t& tag);
void* __wrap__ZnamRKSt9nothrow_t(size_t size, const std::nothrow_t& tag) {
  return fails() ? nullptr : __real__ZnamRKSt9nothrow_t(size, tag);
}
void* __real__ZnwmSt11align_val_t(size_t size, std::align_val_t alignment);
void* __wrap__ZnwmSt11align_val_t(size_t size, std::align_val_t alignment) {
  return fails() ? throw std::bad_alloc() : __real__ZnwmSt11align_val_t(size, alignment);
}
void* __real__ZnamSt11align_val_t(size_t size, std::align_val_t alignment);
void* __wrap__ZnamSt11align_val_t(size_t size, std::align_val_t alignment) {
  return fails() ? throw std::bad_alloc() : __real__ZnamSt11align_val_t(size, alignment);
}
void* __real__ZnwmSt11align_val_tRKSt9nothrow_t(size_t size, std::align_val_t alignment, const std::nothrow_t& tag);
void* __wrap__ZnwmSt11align_val_tRKSt9nothrow_t(size_t size, std::align_val_t alignment, const std::nothrow_t& tag) {
  return fails() ? nullptr : __real__ZnwmSt11align_val_tRKSt9nothrow_t(size, alignment, tag);
}
void* __real__ZnamSt11align_val_tRKSt9nothrow_t(size_t size, std::align_val_t alignment, const std::nothrow_t& tag);
void* __wrap__ZnamSt11align_val_tRKSt9nothrow_t(size_t size, std::align_val_t alignment, const std::nothrow_t& tag) {
  return fails() ? nullptr : __real__ZnamSt11align_val_tRKSt9nothrow_t(size, alignment, tag);
}
}

namespace {

constexpr uint64_t kMany = 24;
/// More values than a record has room for without memory of its own.
constexpr uint32_t kSlots = 40;
VMTag tag{1, 1, 0};

class Holds final : public HeapEmbedder {
 public:
  uint64_t handles[kMany] = {};
  uint64_t more[4096] = {};
  std::vector<MemoryRange> memories() override { return {}; }
  void mark_roots(Marker* marker) override {
    for (const uint64_t handle : handles) marker->word(handle);
    for (const uint64_t handle : more) marker->word(handle);
  }
  void marked(Blocks*) override {}
  void swept(const std::vector<int32_t>&) override {}
};

struct Failing {
  Machine machine;
  Holds holds;
  Heap heap;
  explicit Failing(const RuntimeOptions& options) : machine(options), heap(&machine.runtime, &holds, this) { machine.context.data = this; }
  ~Failing() { delete static_cast<FiberTable*>(instance()->fibers); }
  // SAFETY: a Context has the size and the first words of one.
  VMInstance* instance() { return reinterpret_cast<VMInstance*>(&machine.context); }
};

Failing& failing(const VMFiber* fiber) {
  return *static_cast<Failing*>(context_of(fiber)->data);
}

/// Suspends with its argument, then returns that and what it was resumed with.
void waits(VMThread* thread, VMFiber* fiber) {
  const uint64_t argument = slot(fiber->record, 0);
  slot(fiber->record, 0) = argument + slot(suspend(thread, &tag, {argument}, kSlots), 0);
}

HostResult hibernate_now(VMThread* thread, uint64_t, uint64_t, uint64_t, uint64_t) {
  Runtime::of(thread)->hibernate();
  return {0, nullptr};
}

HostResult collect_now(VMThread* thread, uint64_t heap, uint64_t, uint64_t, uint64_t) {
  at<Heap>(heap)->collect();
  EXPECT(inspect_fibers(Runtime::of(thread), 100).fibers.size() <= 100);
  return {0, nullptr};
}

/// What makes lists of other kinds: a continuation on a stack of its own choice, a fiber with a number, a tag.
void others(VMThread* thread, const VMFiber* fiber, VMFunction* function) {
  Clauses clauses{&tag};
  const uint64_t chosen = libcall(thread, Libcall::ContNewOn, address_of(function), 32 * 1024, kStackMalloc);
  const Event first = resume(thread, chosen, &clauses, {7});
  EXPECT_EQUAL(finish(thread, resume(thread, first.handle, &clauses, {100})), 107u);
  const uint64_t instance = address_of(failing(fiber).instance());
  const uint64_t number = libcall(thread, Libcall::FiberNew, instance, address_of(function));
  libcall(thread, Libcall::FiberFree, instance, number);
  libcall(thread, Libcall::TagNew, address_of(function));
}

/// The same inside another fiber.
void waits_inside(VMThread* thread, VMFiber* fiber) {
  VMFunction function = make_function(context_of(fiber), waits, 1);
  Clauses none{};
  slot(fiber->record, 0) = finish(thread, resume(thread, cont_new(thread, &function), &none, {slot(fiber->record, 0)}));
}

/// Versions of a chain of two fibers, before and after it hibernates, whoever of them lies on the stacks.
void versions(VMThread* thread, const VMFiber* fiber) {
  VMFunction function = make_function(context_of(fiber), waits_inside, 1);
  Clauses clauses{&tag};
  const Event first = resume(thread, cont_new(thread, &function), &clauses, {7});
  const uint64_t second = libcall(thread, Libcall::ContClone, first.handle);
  const uint64_t third = libcall(thread, Libcall::ContClone, second);
  EXPECT_EQUAL(finish(thread, resume(thread, second, &clauses, {100})), 107u);
  EXPECT_EQUAL(finish(thread, resume(thread, first.handle, &clauses, {200})), 207u);
  host_call(thread, hibernate_now);
  const uint64_t fourth = libcall(thread, Libcall::ContClone, third);
  EXPECT_EQUAL(finish(thread, resume(thread, third, &clauses, {300})), 307u);
  EXPECT_EQUAL(finish(thread, resume(thread, fourth, &clauses, {400})), 407u);
}

/// Makes all that are missing; all hibernate in between; two in three are resumed and made anew.
void busy(VMThread* thread, VMFiber* fiber) {
  static VMFunction function;
  function = make_function(context_of(fiber), waits, 1);
  uint64_t* handles = failing(fiber).holds.handles;
  Clauses clauses{&tag};
  for (int round = 0; round < 3; round++) {
    for (uint64_t i = 0; i < kMany; i++) {
      if (handles[i] == 0) handles[i] = resume(thread, cont_new(thread, &function), &clauses, {i}).handle;
    }
    host_call(thread, hibernate_now);
    host_call(thread, collect_now, address_of(&failing(fiber).heap));
    others(thread, fiber, &function);
    versions(thread, fiber);
    for (uint64_t i = 0; i < kMany; i++) {
      if (i % 3 == 0) continue;
      const uint64_t handle = handles[i];
      handles[i] = 0;  // Where the resume traps the continuation is gone.
      EXPECT_EQUAL(finish(thread, resume(thread, handle, &clauses, {100})), i + 100);
    }
    allocate_exception(&failing(fiber).heap.blocks, &tag, 1000);
  }
}

/// Finishes all that wait; their number is the result.
void finish_all(VMThread* thread, VMFiber* fiber) {
  uint64_t* handles = failing(fiber).holds.handles;
  uint64_t count = 0;
  Clauses clauses{&tag};
  for (uint64_t i = 0; i < kMany; i++) {
    if (handles[i] == 0) continue;
    EXPECT_EQUAL(finish(thread, resume(thread, handles[i], &clauses, {1000})), i + 1000);
    handles[i] = 0;
    count++;
  }
  slot(fiber->record, 0) = count;
}

/// Whether the call ended well; where it did not, by a trap that says what ran out.
bool run(Failing* all, Body body) {
  VMFunction function = make_function(&all->machine.context, body, kSlots);
  Call call(&all->machine.runtime, &function);
  const bool well = call && call.run() == Call::Ending::Returned;
  if (!well) EXPECT(call.trap() == Trap::TooManyStacks || call.trap() == Trap::OutOfMemory);
  all->machine.result = well ? *at<uint64_t>(call.slots()) : 0;
  return well;
}

/// Of the allocations one in so many fails in its turn: all of them, but the emulator that aarch64 is tested with keeps 20 MB for each
/// runtime that ever was, for it has a record of each page that was ever mapped.
#if defined(__x86_64__)
constexpr uint64_t kStep = 1;
#else
constexpr uint64_t kStep = 16;
#endif

void fail_each(const RuntimeOptions& options) {
  uint64_t trapped = 0, at = 1;
  for (;; at += kStep) {
    Failing all(options);
    allocations = 0;
    fail_at = at;
    if (!run(&all, busy)) trapped++;
    fail_at = 0;
    const bool reached = allocations >= at;
    uint64_t waiting = 0;
    for (const uint64_t handle : all.holds.handles) waiting += handle != 0 ? 1 : 0;
    EXPECT(run(&all, finish_all));
    EXPECT_EQUAL(all.machine.result, waiting);
    all.heap.collect();
    EXPECT(all.machine.clean());
    EXPECT_EQUAL(all.machine.runtime.copies.bytes(), 0u);
    if (!reached) break;
  }
  std::printf("  %llu allocations failed in turn, %llu of them trapped\n", static_cast<unsigned long long>((at - 1) / kStep),
              static_cast<unsigned long long>(trapped));
  EXPECT(at > 10 && trapped > 0);
}

TEST(pool, "pool: whichever allocation fails, the call traps or does without, and what is suspended goes on") {
  fail_each(RuntimeOptions::defaults());
}

TEST(mapping, "mmap: the same") {
  RuntimeOptions options = RuntimeOptions::defaults();
  options.continuation.strategy = options.entry.strategy = Strategy::Mmap;
  fail_each(options);
}

TEST(library, "malloc: the same") {
  RuntimeOptions options = RuntimeOptions::defaults();
  options.continuation.strategy = options.entry.strategy = Strategy::Malloc;
  fail_each(options);
}

TEST(budget, "where all but a few hibernate all the time: the same") {
  RuntimeOptions options = RuntimeOptions::defaults();
  options.continuation.budget = 4 * page_size();
  fail_each(options);
}

TEST(code, "code whose loading fails is known to nobody, and freeing code needs no memory") {
  static const uint8_t bytes[8192] = {};
  const auto start = static_cast<int32_t>(kStubSize);
  const int32_t functions[] = {0, start, 16}, traps[] = {start, 1}, sources[] = {start, 1}, calls[] = {start, 0, -1, 1, 0, start},
                inlined[] = {0, 0, -1}, scopes[] = {-1, 1, -1};
  const Programs others;
  for (uint64_t at = 1;; at++) {
    Codes codes;
    allocations = 0;
    fail_at = at;
    auto loaded = Code::load(3, Mapping::copy(bytes, sizeof bytes),
                             {{functions, 3}, {traps, 2}, {sources, 2}, {calls, 6}, {inlined, 3}, {scopes, 3}});
    const Code* code = loaded == nullptr ? nullptr : codes.add(std::move(loaded));
    fail_at = 0;
    const bool reached = allocations >= at;
    EXPECT(reached == (code == nullptr));
    const uint64_t base = code == nullptr ? 0 : code->base();
    std::vector<int32_t> freed;
    freed.reserve(1);
    allocations = 0;
    codes.sweep(&freed);  // Nothing is marked.
    EXPECT_EQUAL(allocations, 0u);
    EXPECT_EQUAL(freed.size(), code == nullptr ? 0u : 1u);
    if (code != nullptr) EXPECT(CodeReader().find(base) == nullptr);
    EXPECT(CodeReader().find(others.code->base()) != nullptr);
    if (!reached) break;
  }
}

/// Memory maps until there is no more, neighbours of unlike protection so that they stay apart.
[[maybe_unused]] void use_up_maps() {
  for (int i = 0;; i++) {
    const int protection = i % 2 == 0 ? PROT_READ : PROT_NONE;
    if (__real_mmap(nullptr, page_size(), protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED) return;
  }
}

/// The whole of fail_each with no memory map left but those that there are when the first continuations are suspended.
[[maybe_unused]] int without_maps() {
  Failing all(RuntimeOptions::defaults());
  if (!run(&all, busy)) return 1;
  use_up_maps();
  // What has its stack goes on, what needs another reservation may trap.
  static const Body many = [](VMThread* thread, VMFiber* fiber) {
    static VMFunction function;
    function = make_function(context_of(fiber), waits, 1);
    Clauses clauses{&tag};
    for (uint64_t& handle : failing(fiber).holds.more) handle = resume(thread, cont_new(thread, &function), &clauses, {5}).handle;
  };
  const bool well = run(&all, many);
  uint64_t waiting = 0;
  for (const uint64_t handle : all.holds.handles) waiting += handle != 0 ? 1 : 0;
  if (well || !run(&all, finish_all) || all.machine.result != waiting || waiting == 0) return 2;
  return test::failures == 0 ? 0 : 3;
}

TEST(maps, "with all memory maps in use a new reservation is refused by a trap, and what is suspended goes on") {
#if defined(HEDDLE_ASAN) || !defined(__x86_64__)
  std::printf("  skipped: the sanitizer, or the emulator that aarch64 is tested with, needs maps itself\n");
#else
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) _exit(without_maps());
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT(WIFEXITED(status));
  EXPECT_EQUAL(WEXITSTATUS(status), 0);
#endif
}

}  // namespace

TEST_MAIN

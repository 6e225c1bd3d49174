// native/stacks: limits, recycling, guards, failure.
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <set>

#include "base/system.h"
#include "fiber/sanitizer.h"
#include "stacks/sets.h"
#include "stacks/stack.h"
#include "stacks/usage.h"
#include "tests/check.h"

using namespace heddle;

namespace {

constexpr Strategy kAll[] = {Strategy::Mmap, Strategy::Malloc, Strategy::Pool};

TEST(layout, "size, limit and room are as drawn in stack.h") {
  for (const Strategy strategy : kAll) {
    StackOptions options;
    options.strategy = strategy;
    options.size = 64 * 1024;
    auto stacks = Stacks::create(options);
    Stack* made[40];
    for (Stack*& stack : made) {
      stack = stacks->allocate();
      EXPECT(stack->span.top % 16 == 0);
      EXPECT(stack->span.top - stack->span.limit >= options.size);
      EXPECT(stack->span.limit - stack->span.base >= minimum_signal_stack() + 4096 + 1024);
      std::memset(at<void>(stack->span.base), 1, stack->span.size());
    }
    if (strategy != Strategy::Malloc) EXPECT(made[0]->span.top % 4096 != made[1]->span.top % 4096);
    for (Stack* stack : made) stacks->release(stack);
    EXPECT_EQUAL(stacks->counts().live, 0u);
    EXPECT_EQUAL(stacks->counts().peak, 40u);
  }
}

TEST(maximum, "there are no more stacks than the maximum, and a released one counts no more") {
  for (const Strategy strategy : kAll) {
    StackOptions options;
    options.strategy = strategy;
    options.maximum = 3;
    auto stacks = Stacks::create(options);
    Stack* made[3];
    for (Stack*& stack : made) stack = stacks->allocate();
    EXPECT(stacks->allocate() == nullptr);
    stacks->release(made[1]);
    made[1] = stacks->allocate();
    EXPECT(made[1] != nullptr);
    EXPECT(stacks->allocate() == nullptr);
    for (Stack* stack : made) stacks->release(stack);
  }
}

/// Writes so many bytes below the top, as frames would.
void run_deep(const Stack* stack, uint64_t bytes) {
  std::memset(at<void>(stack->span.top - bytes), 1, bytes);
}

TEST(memory, "live stacks may commit no more than the memory bound, deep ones count for what they use") {
  StackOptions options;
  options.memory = 64 << 20;
  auto stacks = Stacks::create(options);
  std::vector<Stack*> made;
  while (Stack* stack = stacks->allocate()) made.push_back(stack);
  EXPECT_EQUAL(made.size(), size_t{(64 << 20) / 8192 + 1});
  for (Stack* stack : made) stacks->release(stack);
}

TEST(memory_deep, "of stacks that ran deep there are as many as the memory bound has room for, of every kind") {
  for (const Strategy strategy : kAll) {
    for (const uint64_t depth : {uint64_t{64} << 10, uint64_t{2} << 20}) {
      StackOptions options;
      options.strategy = strategy;
      options.size = 4 << 20;
      options.memory = 64 << 20;
      auto deep = Stacks::create(options);
      const uint64_t before = resident_bytes();
      std::vector<Stack*> made;
      while (Stack* stack = deep->allocate()) {
        run_deep(stack, depth);
        made.push_back(stack);
      }
      EXPECT(deep->refusal() == Refusal::Memory);
      const uint64_t fit = options.memory / depth;
      // What malloc gives has perhaps been written to before, and begins and ends within pages.
      EXPECT(made.size() >= fit - fit / 4 && made.size() <= fit + 8);
      EXPECT(resident_bytes() < before + options.memory * 3 / 2);  // An emulator takes some for itself.
      // One less is room for another one.
      deep->release(made.back());
      made.back() = deep->allocate();
      EXPECT(made.back() != nullptr);
      for (Stack* stack : made) deep->release(stack);
    }
  }
}

TEST(memory_later, "stacks that run deep after others were made are counted, too") {
  for (const Strategy strategy : kAll) {
    StackOptions options;
    options.strategy = strategy;
    options.memory = 64 << 20;
    auto stacks = Stacks::create(options);
    std::vector<Stack*> made;
    size_t deep = 0;
    // Each runs deep when sixteen more are there.
    while (Stack* stack = stacks->allocate()) {
      made.push_back(stack);
      if (made.size() > 16) run_deep(made[deep++], 128 * 1024);
    }
    EXPECT(stacks->refusal() == Refusal::Memory);
    EXPECT(made.size() < (64 << 20) / (128 << 10) * 3 / 2);
    // And what is gone counts no more, but for pages that the next stack has in its place.
    for (Stack* stack : made) stacks->release(stack);
    made.clear();
    for (int i = 0; i < 100; i++) made.push_back(stacks->allocate());
    for (Stack* stack : made) {
      EXPECT(stack != nullptr);
      if (stack != nullptr) stacks->release(stack);
    }
  }
}

TEST(recycling, "unused slots keep little memory") {
  StackOptions options;
  options.warm = 1 << 20;
  auto stacks = Stacks::create(options);
  std::vector<Stack*> made(20'000);
  for (Stack*& stack : made) {
    stack = stacks->allocate();
    std::memset(at<void>(stack->span.top - 4096), 1, 4096);
  }
  const uint64_t used = resident_bytes();
  for (Stack* stack : made) stacks->release(stack);
  EXPECT(used - resident_bytes() > (70u << 20));
  EXPECT_EQUAL(stacks->counts().pooled, 20'000u);
  Stack* again = stacks->allocate();
  EXPECT_EQUAL(stacks->counts().pooled, 19'999u);
  stacks->release(again);
}

TEST(deep_recycling, "a slot that ran deep does not keep its pages for ever") {
  StackOptions options;
  options.size = 1 << 20;
  options.warm = 64 << 20;
  auto stacks = Stacks::create(options);
  const uint64_t before = resident_bytes();
  std::vector<Stack*> made(512);
  for (int round = 0; round < 3; round++) {
    for (Stack*& stack : made) {
      stack = stacks->allocate();
      std::memset(at<void>(stack->span.top - (1 << 20)), 1, 1 << 20);
    }
    for (Stack* stack : made) stacks->release(stack);
  }
  EXPECT(resident_bytes() - before < (160u << 20));
}

TEST(usage, "what a stack takes is told in pages: how many are in memory, and how far down they reach") {
  for (const Strategy strategy : kAll) {
    StackOptions options;
    options.strategy = strategy;
    auto stacks = Stacks::create(options);
    Stack* stack = stacks->allocate();
    const uint64_t page = page_size();
    const uint64_t before = usage_of(*stacks).resident;
    // The third page below the top alone: what lies between was never touched.
    const uint64_t touched = (stack->span.top - 1) / page * page - 2 * page;
    std::memset(at<void>(touched), 1, 1);
    std::memset(at<void>(stack->span.top - 1), 1, 1);
    const SpanUsage usage = usage_of(stack->span);
    EXPECT(usage.high_water >= 3 * page);
    EXPECT(usage.resident >= 2 * page);
    EXPECT(usage_of(*stacks).resident >= before);
    EXPECT_EQUAL(usage_of(*stacks).high_water, usage.high_water);
    if (strategy != Strategy::Malloc) {  // malloc's memory may have been used before.
      EXPECT_EQUAL(usage.high_water, 3 * page);
      EXPECT_EQUAL(usage.resident, 2 * page);
    }
    stacks->release(stack);
    uint64_t count = 0;
    stacks->each([&count](const Stack&) { count++; });
    EXPECT_EQUAL(count, strategy == Strategy::Pool ? 1u : 0u);
  }
}

/// Whether the child that `run` makes ends by a signal.
template <typename F>
int child_status(F run) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    run();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

TEST(guards, "where the kernel installs guards, the page below a stack faults") {
  const GuardReport& report = probe_kernel_guard();
  std::printf("  %s\n", report.reason);
  StackOptions options;
  auto stacks = Stacks::create(options);
  stacks->release(stacks->allocate());
  auto touch = [&] {
    // A child of a fork has no pool (MADV_DONTFORK), so it makes its own.
    auto own = Stacks::create(options);
    own->release(own->allocate());
    signal(SIGSEGV, SIG_DFL);
    Stack* stack = own->allocate();
    *at<volatile char>(stack->span.base - 1) = 1;
  };
  const int status = child_status(touch);
  EXPECT_EQUAL(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, report.kernel);
}

TEST(canary,
     "a stack that was written to below the routines' room ends the process when it is looked at; the room itself may be written to") {
  for (const Strategy strategy : kAll) {
    for (const bool below : {false, true}) {
      const int status = child_status([&] {
        StackOptions options;
        options.strategy = strategy;
        options.canary = true;
        auto stacks = Stacks::create(options);
        for (int i = 0; i < 2; i++) {  // A stack that was used before, too.
          Stack* stack = stacks->allocate();
          *at<volatile char>(stack->span.limit - kRoutineRoom - (below && i == 1 ? 1 : 0)) = 1;
          stacks->vacate(&stack, &stack + 1);
          stacks->occupy(stack);
          stacks->release(stack);
        }
      });
      EXPECT_EQUAL(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, below);
    }
  }
}

TEST(tiers, "of a pool the first stacks are the largest, and a free one of them comes before a smaller one") {
  StackOptions options;
  options.large = 2;
  options.first = 3;
  auto stacks = Stacks::create(options);
  const auto size = [](const Stack* stack) { return stack->span.top - stack->span.limit; };
  std::vector<Stack*> made;
  for (int i = 0; i < 7; i++) made.push_back(stacks->allocate());
  for (size_t i = 0; i < made.size(); i++) {
    const uint64_t least = i < 2 ? options.large_size : i < 5 ? options.size : options.later_size;
    EXPECT(size(made[i]) >= least && size(made[i]) < least * 2);
  }
  for (const size_t i : {6, 1, 4}) stacks->release(made[i]);
  EXPECT(stacks->allocate() == made[1]);
  EXPECT(stacks->allocate() == made[4]);
  EXPECT(stacks->allocate() == made[6]);
  for (Stack* stack : made) stacks->release(stack);
  EXPECT_EQUAL(stacks->counts().live, 0u);
}

TEST(address_space, "a limit on the address space ends in a refusal, not in a crash") {
#if defined(HEDDLE_ASAN)
  std::printf("  skipped: AddressSanitizer needs the address space\n");
#else
  const int status = child_status([] {
    rlimit limit{1ul << 30, 1ul << 30};
    setrlimit(RLIMIT_AS, &limit);
    StackOptions options;
    auto stacks = Stacks::create(options);
    size_t count = 0;
    while (stacks->allocate() != nullptr && count < 100'000) count++;
    if (count == 100'000) _exit(2);  // The limit is not enforced here (an emulator).
    _exit(count > 1000 ? 0 : 1);     // It used most of what there was.
  });
  EXPECT(WIFEXITED(status));
  if (WEXITSTATUS(status) == 2) {
    std::printf("  skipped: no limit here\n");
  } else {
    EXPECT_EQUAL(WEXITSTATUS(status), 0);
  }
#endif
}

StackChoice choice_of(const Strategy& strategy, uint64_t size) {
  StackChoice choice;
  choice.strategy = &strategy;
  choice.size = size;
  return choice;
}

TEST(choices, "each distinct choice has stacks of its own kind; what is not chosen is usual") {
  StackOptions usual;
  usual.size = 64 * 1024;
  StackSets sets(usual);
  EXPECT(sets.chosen({}) == sets.usual());
  EXPECT(sets.chosen(choice_of(Strategy::Pool, 64 * 1024)) == sets.usual());
  for (const Strategy& strategy : kAll) {
    Stacks* set = sets.chosen(choice_of(strategy, 128 * 1024));
    EXPECT(set != sets.usual() && set == sets.chosen(choice_of(strategy, 128 * 1024)));
    EXPECT(set != sets.chosen(choice_of(strategy, 256 * 1024)));
    EXPECT(set->options().strategy == strategy && set->options().maximum == usual.maximum);
    Stack* stack = sets.allocate(set);
    EXPECT(stack->owner == set && stack->span.top - stack->span.limit >= 128 * 1024);
    EXPECT_EQUAL(set->counts().live, 1u);
    EXPECT_EQUAL(sets.counts().live, 1u);
    stack->owner->release(stack);
  }
  EXPECT_EQUAL(sets.counts().live, 0u);
  EXPECT_EQUAL(sets.counts().peak, 1u);
}

TEST(shared_limits, "maximum, memory and budget hold for all choices together") {
  StackOptions usual;
  usual.maximum = 5;
  usual.budget = 3 * page_size();
  StackSets sets(usual);
  std::vector<Stack*> made;
  for (size_t i = 0; i < 5; i++) made.push_back(sets.allocate(i < 2 ? sets.usual() : sets.chosen(choice_of(kAll[i % 3], 32 * 1024))));
  for (const Stack* stack : made) EXPECT(stack != nullptr);
  for (const Strategy& strategy : kAll) {
    EXPECT(sets.allocate(sets.chosen(choice_of(strategy, 32 * 1024))) == nullptr);
    EXPECT(sets.refusal() == Refusal::Maximum);
  }
  EXPECT_EQUAL(sets.counts().peak, 5u);
  EXPECT_EQUAL(sets.excess(), 2u);
  Stack* some[] = {made[0], made[2], made[4]};
  sets.vacate(std::begin(some), std::end(some));
  EXPECT_EQUAL(sets.counts().vacant, 3u);
  EXPECT_EQUAL(sets.excess(), 0u);
  for (Stack* stack : made) stack->owner->release(stack);
  EXPECT_EQUAL(sets.counts().vacant, 0u);

  StackOptions little;
  little.memory = 4 * kLeastCommitted;
  StackSets poor(little);
  size_t count = 0;
  while (count < 100 && poor.allocate(poor.chosen(choice_of(kAll[count % 3], 32 * 1024))) != nullptr) count++;
  EXPECT(poor.refusal() == Refusal::Memory);
  EXPECT_EQUAL(count, 5u);

  // Deep ones of all kinds together; and copies of what is elsewhere.
  StackOptions shared;
  shared.memory = 16 << 20;
  StackSets several(shared);
  for (const uint64_t elsewhere : {uint64_t{0}, uint64_t{8} << 20}) {
    made.clear();
    while (Stack* stack = several.allocate(several.chosen(choice_of(kAll[made.size() % 3], 1 << 20)), elsewhere)) {
      run_deep(stack, 512 * 1024);
      made.push_back(stack);
    }
    EXPECT(several.refusal() == Refusal::Memory);
    const uint64_t fit = (shared.memory - elsewhere) / (512 * 1024);
    EXPECT(made.size() >= fit / 2 && made.size() <= fit + 8);  // Fewer where malloc's memory was used before.
    for (Stack* stack : made) stack->owner->release(stack);
  }
}

TEST(recent, "a stack that was just released is taken again at once; counts are as without that") {
  StackOptions usual;
  usual.maximum = 50;
  StackSets sets(usual);
  EXPECT(sets.take_recent() == nullptr);
  std::vector<Stack*> made;
  for (size_t i = 0; i < 50; i++) made.push_back(sets.allocate(sets.usual()));
  EXPECT(sets.allocate(sets.usual()) == nullptr);
  for (size_t i = 0; i < 50; i++) {
    sets.release(made[i]);
    EXPECT_EQUAL(sets.counts().live, 49 - i);
    EXPECT_EQUAL(sets.counts().pooled, i + 1);
  }
  std::set<Stack*> taken;
  while (Stack* stack = sets.take_recent()) taken.insert(stack);
  EXPECT(!taken.empty());
  EXPECT_EQUAL(sets.counts().live, taken.size());
  for (Stack* stack : taken) EXPECT(stack->live && stack->owner == sets.usual());
  while (Stack* stack = sets.allocate(sets.usual())) EXPECT(taken.insert(stack).second);
  EXPECT_EQUAL(taken.size(), 50u);
  EXPECT_EQUAL(sets.counts().live, 50u);
  EXPECT_EQUAL(sets.counts().peak, 50u);
  Stack* last = *taken.begin();
  sets.release(last);
  EXPECT(sets.take_recent() == last);
  sets.release(last);
  // With a second set each goes where it came from.
  Stack* other = sets.allocate(sets.chosen(choice_of(Strategy::Mmap, 32 * 1024)));
  EXPECT(other != nullptr && sets.take_recent() == nullptr);
  EXPECT_EQUAL(sets.counts().live, 50u);
  EXPECT_EQUAL(sets.usual()->counts().live, 49u);
  sets.release(other);
  EXPECT(sets.take_recent() == nullptr);
}

TEST(not_recent, "sets that want to see each stack, keep little, or have large ones keep none back; the budget counts those in use") {
  for (size_t i = 0; i < 5; i++) {
    StackOptions usual;
    if (i == 0) usual.strategy = Strategy::Mmap;
    if (i == 1) usual.strategy = Strategy::Malloc;
    if (i == 2) usual.canary = true;
    if (i == 3) usual.warm = 0;
    if (i == 4) usual.size = 8 << 20;
    StackSets sets(usual);
    sets.release(sets.allocate(sets.usual()));
    EXPECT(sets.take_recent() == nullptr);
    EXPECT_EQUAL(sets.usual()->counts().live, 0u);
  }
  StackOptions usual;
  usual.budget = 2 * page_size();
  StackSets sets(usual);
  Stack* made[] = {sets.allocate(sets.usual()), sets.allocate(sets.usual()), sets.allocate(sets.usual())};
  EXPECT(!sets.is_within_budget());
  EXPECT_EQUAL(sets.excess(), 1u);
  sets.release(made[0]);
  EXPECT(sets.is_within_budget());
  EXPECT_EQUAL(sets.excess(), 0u);
  EXPECT(sets.take_recent() == made[0]);
  EXPECT_EQUAL(sets.excess(), 1u);
  for (Stack* stack : made) sets.release(stack);
}

}  // namespace

TEST_MAIN

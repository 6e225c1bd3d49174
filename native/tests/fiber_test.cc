// native/fiber: values crossing, nesting, reuse, signals.
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>

#include <atomic>
#include <cmath>
#include <cstring>
#include <memory>
#include <thread>

#include "base/check.h"
#include "fiber/fiber.h"
#include "stacks/stack.h"
#include "tests/check.h"

using namespace heddle;

namespace {

std::unique_ptr<Stacks> make_stacks(Strategy strategy = Strategy::Pool) {
  StackOptions options;
  options.strategy = strategy;
  return Stacks::create(options);
}

TEST(values, "values cross in both directions") {
  for (const Strategy strategy : {Strategy::Mmap, Strategy::Malloc, Strategy::Pool}) {
    auto stacks = make_stacks(strategy);
    Stack* stack = stacks->allocate();
    Fiber fiber(stack->span, [](Fiber& self, uint64_t first) {
      uint64_t sum = first;
      for (int i = 0; i < 1000; i++) sum += self.suspend(sum);
      return sum;
    });
    uint64_t expected = 5;
    Fiber::Result result = fiber.resume(5);
    for (uint64_t i = 0; i < 1000; i++) {
      EXPECT(result.outcome == Fiber::Outcome::Yielded);
      EXPECT_EQUAL(result.value, expected);
      expected += i;
      result = fiber.resume(i);
    }
    EXPECT(result.outcome == Fiber::Outcome::Returned && fiber.done());
    EXPECT_EQUAL(result.value, expected);
    stacks->release(stack);
  }
}

TEST(registers, "callee-saved registers and floats live across a switch") {
  auto stacks = make_stacks();
  Stack* stack = stacks->allocate();
  Fiber fiber(stack->span, [](Fiber& self, uint64_t) {
    volatile double seed = 1.5;
    double a = seed, b = a * 2, c = b * 2, d = c * 2, e = d * 2;
    uint64_t p = 1, q = 2, r = 3, s = 4, t = 5, u = 6;
    for (int i = 0; i < 100; i++) {
      const uint64_t v = self.suspend(p + q + r + s + t + u);
      a += 1, b += 1, c += 1, d += 1, e += 1;
      p += v, q += v, r += v, s += v, t += v, u += v;
    }
    return p + q + r + s + t + u + static_cast<uint64_t>(a + b + c + d + e);
  });
  volatile double seed = 2.5;
  double x = seed, y = x * 3, z = y * 3;
  uint64_t k = 7, l = 8, m = 9;
  Fiber::Result result = fiber.resume(0);
  for (int i = 0; i < 100; i++) {
    result = fiber.resume(2);
    x += 1, y += 1, z += 1, k++, l++, m++;
  }
  EXPECT_EQUAL(result.value, 21u + 6 * 200 + static_cast<uint64_t>(1.5 * 31 + 500));
  EXPECT_EQUAL(x + y + z, 2.5 + 7.5 + 22.5 + 300);
  EXPECT_EQUAL(k + l + m, 24u + 300);
  stacks->release(stack);
}

TEST(nested, "a fiber resumes fibers") {
  auto stacks = make_stacks();
  std::function<uint64_t(uint64_t)> descend = [&](uint64_t depth) -> uint64_t {
    if (depth == 0) return 0;
    Stack* stack = stacks->allocate();
    uint64_t result = 0;
    {
      Fiber fiber(stack->span, [&](Fiber& self, uint64_t d) {
        const uint64_t below = descend(d - 1);
        return self.suspend(below) + below;
      });
      const uint64_t below = fiber.resume(depth).value;
      result = fiber.resume(1).value;
      EXPECT_EQUAL(result, below + 1);
    }
    stacks->release(stack);
    return result;
  };
  EXPECT_EQUAL(descend(200), 200u);
  EXPECT_EQUAL(stacks->counts().live, 0u);
  EXPECT_EQUAL(stacks->counts().peak, 200u);
}

/// Recurses until there are less than `left` bytes above `limit`, then calls `then`.
__attribute__((noinline)) uint64_t descend_to(uint64_t limit, uint64_t left, const std::function<void()>& then) {
  volatile char frame[128];
  frame[0] = 1;
  const uint64_t here = reinterpret_cast<uint64_t>(&frame[0]);
  if (here < limit + left) {
    then();
    return 1;
  }
  const uint64_t depth = descend_to(limit, left, then) + 1;
  frame[1] = frame[0];
  return depth;
}

TEST(deep, "a stack is used to its limit, given back, and used to its limit again") {
  auto stacks = make_stacks();
  uint64_t depths[3] = {};
  for (uint64_t& depth : depths) {
    Stack* stack = stacks->allocate();
    {
      Fiber fiber(stack->span, [&](Fiber& self, uint64_t) { return descend_to(self.stack().limit, 1024, [&] { self.suspend(7); }); });
      EXPECT_EQUAL(fiber.resume(0).value, 7u);
      depth = fiber.resume(0).value;
      EXPECT(depth > 100);
    }
    stacks->release(stack);
  }
  EXPECT_EQUAL(depths[0], depths[1]);
  EXPECT_EQUAL(depths[1], depths[2]);
}

TEST(many, "100,000 fibers are suspended at a time") {
  auto stacks = make_stacks();
#if defined(HEDDLE_TSAN)
  constexpr size_t kCount = 2'000;  // ThreadSanitizer has room for 8,128.
#else
  constexpr size_t kCount = 100'000;
#endif
  std::vector<Stack*> made;
  std::vector<std::unique_ptr<Fiber>> fibers;
  for (size_t i = 0; i < kCount; i++) {
    Stack* stack = stacks->allocate();
    HEDDLE_CHECK(stack != nullptr);
    made.push_back(stack);
    fibers.push_back(std::make_unique<Fiber>(stack->span, [](Fiber& self, uint64_t value) { return self.suspend(value * 2) + value; }));
    fibers.back()->resume(i);
  }
  uint64_t sum = 0;
  for (size_t i = 0; i < kCount; i++) sum += fibers[i]->resume(1).value;
  EXPECT_EQUAL(sum, kCount * (kCount - 1) / 2 + kCount);
  fibers.clear();
  for (Stack* stack : made) stacks->release(stack);
  EXPECT_EQUAL(stacks->counts().live, 0u);
}

std::atomic<int> signals_seen{0};

void on_window_change(int) {
  volatile char scratch[1024];
  std::memset(const_cast<char*>(scratch), 0x5a, sizeof scratch);
  signals_seen++;
}

TEST(signals, "a signal that lands on a fiber near its limit leaves the neighbours alone") {
  struct sigaction action {};
  action.sa_handler = on_window_change;  // As libuv installs its handlers: no SA_ONSTACK.
  sigaction(SIGWINCH, &action, nullptr);
  StackOptions options;
  options.guard = Guard::Software;
  auto stacks = Stacks::create(options);
  // Two neighbours in one reservation: the lower one's top is just below the upper one's base.
  Stack* lower = stacks->allocate();
  Stack* upper = stacks->allocate();
  EXPECT(upper->span.base > lower->span.base);
  EXPECT(upper->span.base - lower->span.top < 4096);
  auto* canary = at<uint8_t>(lower->span.top - 8192);
  std::memset(canary, 0xc3, 8192);
  std::atomic<bool> stop{false};
  const pthread_t target = pthread_self();
  {
    Fiber fiber(upper->span, [&](Fiber& self, uint64_t) {
      // Closer than any function whose prologue was checked: 64 bytes are left above the limit.
      return descend_to(self.stack().limit, 320, [&] {
        while (signals_seen < 50) {
        }
      });
    });
    std::thread sender([&] {
      while (!stop) {
        pthread_kill(target, SIGWINCH);
        usleep(200);
      }
    });
    EXPECT(fiber.resume(0).value > 10);
    stop = true;
    sender.join();
  }
  EXPECT(signals_seen >= 50);
  bool intact = true;
  for (size_t i = 0; i < 8192; i++) intact = intact && canary[i] == 0xc3;
  EXPECT(intact);
  stacks->release(upper);
  stacks->release(lower);
}

TEST(abandoned, "a fiber that is never resumed again is dropped with its stack") {
  auto stacks = make_stacks();
  for (int i = 0; i < 1000; i++) {
    Stack* stack = stacks->allocate();
    Fiber(stack->span, [](Fiber& self, uint64_t value) { return self.suspend(value); }).resume(1);
    stacks->release(stack);
  }
  EXPECT_EQUAL(stacks->counts().peak, 1u);
}

}  // namespace

TEST_MAIN

// native/fiber/coroutine.h: values of any type, exceptions both ways, unwinding, threads.
#include "fiber/coroutine.h"

#include <memory>
#include <string>
#include <thread>

#include "stacks/lease.h"
#include "tests/check.h"

using namespace heddle;

namespace {

using None = std::monostate;

std::unique_ptr<Stacks> make_stacks() {
  return Stacks::create(StackOptions{});
}

/// Counts how many are alive.
struct Counted {
  static int alive;
  Counted() { alive++; }
  Counted(const Counted&) = delete;
  ~Counted() { alive--; }
};
int Counted::alive = 0;

/// What `run` throws, as text; empty where it throws nothing.
template <typename Run>
std::string thrown(Run run) {
  try {
    run();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

TEST(values, "values of any type cross, and are moved") {
  auto stacks = make_stacks();
  const StackLease stack(*stacks);
  using Words = Coroutine<std::string, std::unique_ptr<std::string>, std::vector<std::string>>;
  Words words(stack.span(), [](Words& self, std::string first) {
    std::vector<std::string> all{first};
    while (all.size() < 3) all.push_back(self.suspend(std::make_unique<std::string>(all.back() + "!")));
    return all;
  });
  auto step = words.resume("a string that is too long to lie inside the object itself");
  EXPECT(!step.done());
  EXPECT(*step.value() == "a string that is too long to lie inside the object itself!");
  EXPECT(*words.resume("b").value() == "b!");
  auto last = words.resume("c");
  EXPECT(last.done() && words.done());
  EXPECT((last.result() == std::vector<std::string>{"a string that is too long to lie inside the object itself", "b", "c"}));
}

TEST(same_types, "a suspension's value and the result may have one type") {
  auto stacks = make_stacks();
  const StackLease stack(*stacks);
  using Same = Coroutine<int, int, int>;
  Same same(stack.span(), [](Same& self, int first) { return self.suspend(first + 1) + 10; });
  EXPECT_EQUAL(same.resume(1).value(), 2);
  auto last = same.resume(5);
  EXPECT(last.done());
  EXPECT_EQUAL(last.result(), 15);
}

TEST(exceptions, "an exception that leaves the function comes out of the resume") {
  auto stacks = make_stacks();
  const StackLease stack(*stacks);
  using Failing = Coroutine<None, int, None>;
  Failing failing(stack.span(), [](Failing& self, None) -> None {
    const Counted local;
    self.suspend(1);
    throw std::runtime_error("from the other side");
  });
  EXPECT_EQUAL(failing.resume({}).value(), 1);
  EXPECT_EQUAL(Counted::alive, 1);
  EXPECT(thrown([&] { failing.resume({}); }) == "from the other side");
  EXPECT_EQUAL(Counted::alive, 0);
  EXPECT(failing.done());
  EXPECT(thrown([&] { failing.resume({}); }) == "the coroutine is done");
}

TEST(nested, "an exception passes through coroutines that resumed each other, and handlers run on the way") {
  auto stacks = make_stacks();
  const StackLease outer_stack(*stacks), inner_stack(*stacks);
  using Plain = Coroutine<None, None, int>;
  int cleanups = 0;
  Plain inner(inner_stack.span(), [](Plain&, None) -> int { throw 42; });
  Plain outer(outer_stack.span(), [&](Plain&, None) -> int {
    try {
      return inner.resume({}).result();
    } catch (...) {
      cleanups++;
      throw;
    }
  });
  int caught = 0;
  try {
    outer.resume({});
  } catch (int value) {
    caught = value;
  }
  EXPECT_EQUAL(caught, 42);
  EXPECT_EQUAL(cleanups, 1);
}

TEST(handlers, "coroutines that suspend inside handlers keep what each handles apart") {
  auto stacks = make_stacks();
  const StackLease one_stack(*stacks), two_stack(*stacks);
  using Plain = Coroutine<None, None, std::string>;
  const auto body = [](const char* name) {
    return [name](Plain& self, None) -> std::string {
      try {
        throw std::runtime_error(name);
      } catch (...) {
        self.suspend({});
        try {
          throw;  // What this handler handles, not what the other one does.
        } catch (const std::exception& error) {
          return error.what();
        }
      }
    };
  };
  Plain one(one_stack.span(), body("one")), two(two_stack.span(), body("two"));
  one.resume({});
  two.resume({});
  EXPECT(std::current_exception() == nullptr);
  EXPECT_EQUAL(std::uncaught_exceptions(), 0);
  // In the order in which they began, so that a list of the thread's would be taken from at the wrong end.
  EXPECT(one.resume({}).result() == "one");
  EXPECT(two.resume({}).result() == "two");
}

TEST(unwinding, "a coroutine that is given up runs its destructors, though an exception is under way outside") {
  auto stacks = make_stacks();
  using Plain = Coroutine<None, None, None>;
  bool came_back = false;
  int refusals = 0;
  try {
    const StackLease stack(*stacks);
    Plain kept(stack.span(), [&](Plain& self, None) -> None {
      const Counted local;
      try {
        self.suspend({});
        came_back = true;
      } catch (const Plain::Unwind&) {
        try {
          self.suspend({});  // It cannot hold on.
        } catch (const Plain::Unwind&) {
          refusals++;
        }
        throw;
      }
      return {};
    });
    kept.resume({});
    EXPECT_EQUAL(Counted::alive, 1);
    throw 1;
  } catch (int) {
  }
  EXPECT_EQUAL(Counted::alive, 0);
  EXPECT(!came_back);
  EXPECT_EQUAL(refusals, 1);
  EXPECT_EQUAL(stacks->counts().live, 0u);
}

TEST(fresh, "one that never ran takes nothing with it") {
  auto stacks = make_stacks();
  const StackLease stack(*stacks);
  using Plain = Coroutine<None, None, None>;
  bool ran = false;
  {
    const Plain never(stack.span(), [&ran](Plain&, None) -> None { return ran = true, None(); });
  }
  EXPECT(!ran);
}

TEST(misuse, "resuming a running one, and suspending one that does not run, are refused") {
  auto stacks = make_stacks();
  const StackLease stack(*stacks);
  using Plain = Coroutine<int, int, int>;
  std::string inside;
  Plain plain(stack.span(), [&](Plain& self, int value) {
    inside = thrown([&] { self.resume(1); });
    return self.suspend(value);
  });
  EXPECT_EQUAL(plain.resume(3).value(), 3);
  EXPECT(inside == "the coroutine runs");
  EXPECT(thrown([&] { plain.suspend(1); }) == "the coroutine does not run");
  EXPECT_EQUAL(plain.resume(4).result(), 4);
}

TEST(own_thread, "another thread is refused, nothing happens, and the own one goes on") {
  auto stacks = make_stacks();
  const StackLease stack(*stacks);
  using Plain = Coroutine<int, int, int>;
  Plain plain(stack.span(), [](Plain& self, int value) { return self.suspend(value); });
  plain.resume(1);
  std::string refused;
  std::thread([&] { refused = thrown([&] { plain.resume(2); }); }).join();
  EXPECT(refused == "the coroutine belongs to another thread");
  EXPECT_EQUAL(plain.resume(3).result(), 3);

  const StackLease word_stack(*stacks);
  Fiber words(word_stack.span(), [](Fiber& self, uint64_t value) { return self.suspend(value); });
  std::thread([&] { EXPECT(words.resume(1).outcome == Fiber::Outcome::Refused); }).join();
  EXPECT(words.state() == Fiber::State::Fresh);
}

TEST(threads, "one that may goes from thread to thread, with what it handles and what it holds") {
  auto stacks = make_stacks();
  const StackLease stack(*stacks);
  using Travelling = Coroutine<int, int, int>;
  auto travelling = std::make_unique<Travelling>(
      stack.span(),
      [](Travelling& self, int sum) {
        const Counted local;
        for (int i = 0; i < 50; i++) {
          try {
            throw i;
          } catch (int thrown_here) {
            sum += self.suspend(sum) * (thrown_here == i ? 1 : 0);
          }
        }
        return sum;
      },
      Threads::Any);
  // The first resume brings 0 and each later one its number, which comes back added to all before.
  int expected = 0;
  bool same = true;
  for (int i = 0; i < 50; i++) {
    expected += i;
    std::thread([&] { same = same && travelling->resume(i).value() == expected; }).join();
  }
  std::thread([&] { same = same && travelling->resume(50).result() == expected + 50; }).join();
  EXPECT(same);
  EXPECT_EQUAL(Counted::alive, 0);
}

}  // namespace

TEST_MAIN

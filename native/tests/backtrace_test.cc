// Backtraces through fibers: by unwinding tables, as debuggers and exceptions walk, and by frame pointers, as profilers do.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <unwind.h>

#include <functional>
#include <vector>

#include "fiber/fiber.h"
#include "stacks/lease.h"
#include "tests/check.h"

using namespace heddle;

namespace {

using Addresses = std::vector<const void*>;

_Unwind_Reason_Code add_function(_Unwind_Context* context, void* list) {
  const auto pc = reinterpret_cast<void*>(_Unwind_GetIP(context) - 1);
  static_cast<Addresses*>(list)->push_back(_Unwind_FindEnclosingFunction(pc));
  return _URC_NO_REASON;
}

/// The functions around, innermost first.
Addresses functions_around() {
  Addresses list;
  _Unwind_Backtrace(add_function, &list);
  return list;
}

/// Whether `wanted` come in this order in `list`, others between.
bool in_order(const Addresses& list, const Addresses& wanted) {
  size_t found = 0;
  for (const void* one : list) {
    if (found < wanted.size() && one == wanted[found]) found++;
  }
  return found == wanted.size();
}

template <typename Function>
const void* address(Function* function) {
  return reinterpret_cast<const void*>(function);
}

// Each is a frame of its own: the call is not its last instruction.
volatile int sink = 0;
#define FRAME __attribute__((noinline))

FRAME void first_resumer(Fiber& fiber) {
  fiber.resume(0);
  sink = sink + 1;
}
FRAME void second_resumer(Fiber& fiber) {
  fiber.resume(0);
  sink = sink + 2;
}
FRAME void look(Addresses* list) {
  *list = functions_around();
  sink = sink + 3;
}
FRAME void resumes_the_inner(Fiber& inner) {
  inner.resume(0);
  sink = sink + 4;
}

TEST(nested, "a backtrace goes from fiber to resumer, through both, up to main") {
  auto stacks = Stacks::create(StackOptions{});
  const StackLease outer_stack(*stacks), inner_stack(*stacks);
  Addresses seen;
  Fiber inner(inner_stack.span(), [&seen](Fiber&, uint64_t) { return look(&seen), 0; });
  Fiber outer(outer_stack.span(), [&inner](Fiber&, uint64_t) { return resumes_the_inner(inner), 0; });
  first_resumer(outer);
  EXPECT(in_order(seen, {address(look), address(resumes_the_inner), address(first_resumer), address(nested)}));
  EXPECT(!in_order(seen, {address(second_resumer)}));
}

TEST(resumed_again, "it goes on at whoever resumed last") {
  auto stacks = Stacks::create(StackOptions{});
  const StackLease stack(*stacks);
  Addresses before, after;
  Fiber fiber(stack.span(), [&](Fiber& self, uint64_t) {
    look(&before);
    self.suspend(0);
    look(&after);
    return 0;
  });
  first_resumer(fiber);
  second_resumer(fiber);
  EXPECT(in_order(before, {address(look), address(first_resumer), address(resumed_again)}));
  EXPECT(!in_order(before, {address(second_resumer)}));
  EXPECT(in_order(after, {address(look), address(second_resumer), address(resumed_again)}));
  EXPECT(!in_order(after, {address(first_resumer)}));
}

/// The frame pointers from here up to `last`, and whether they get there. This file is compiled with frame pointers.
FRAME bool walks_to(uint64_t last, size_t* count) {
  uint64_t frame = reinterpret_cast<uint64_t>(__builtin_frame_address(0));
  for (*count = 0; *count < 1000; ++*count) {
    if (frame == last) return true;
    if (frame == 0 || frame % 8 != 0) return false;
    frame = *at<uint64_t>(frame);
  }
  return false;
}

TEST(frame_pointers, "a walk along frame pointers goes from fiber to resumer too") {
  auto stacks = Stacks::create(StackOptions{});
  const StackLease outer_stack(*stacks), inner_stack(*stacks);
  const uint64_t here = reinterpret_cast<uint64_t>(__builtin_frame_address(0));
  bool arrived = false;
  size_t count = 0;
  Fiber inner(inner_stack.span(), [&](Fiber&, uint64_t) { return arrived = walks_to(here, &count), 0; });
  Fiber outer(outer_stack.span(), [&inner](Fiber&, uint64_t) { return resumes_the_inner(inner), 0; });
  first_resumer(outer);
  EXPECT(arrived);
  EXPECT(count >= 4);
}

TEST(refused, "an exception that leaves a plain fiber ends the process: it does not come out at the resumer") {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    std::fclose(stderr);
    std::set_terminate([] { _exit(77); });
    auto stacks = Stacks::create(StackOptions{});
    const StackLease stack(*stacks);
    Fiber fiber(stack.span(), [](Fiber&, uint64_t) -> uint64_t { throw 1; });
    try {
      fiber.resume(0);
    } catch (...) {
      _exit(1);
    }
    _exit(2);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT(WIFEXITED(status));
  EXPECT_EQUAL(WEXITSTATUS(status), 77);
}

}  // namespace

TEST_MAIN

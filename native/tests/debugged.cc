// What gdb looks at (debugged.gdb): three functions, on two fibers and the thread's own stack.
#include "fiber/fiber.h"
#include "stacks/lease.h"

using namespace heddle;

volatile int sink = 0;
#define FRAME __attribute__((noinline))

FRAME void on_the_inner_fiber() {
  sink = sink + 1;
}

FRAME void on_the_outer_fiber(Fiber& inner) {
  inner.resume(0);
  sink = sink + 2;
}

FRAME void on_the_thread(Fiber& outer) {
  outer.resume(0);
  sink = sink + 3;
}

int main() {
  auto stacks = Stacks::create(StackOptions{});
  // The stack that is taken first lies lower: the outer fiber's caller is above it, the inner fiber's is below.
  const StackLease outer_stack(*stacks), inner_stack(*stacks);
  Fiber inner(inner_stack.span(), [](Fiber&, uint64_t) { return on_the_inner_fiber(), 0; });
  Fiber outer(outer_stack.span(), [&inner](Fiber&, uint64_t) { return on_the_outer_fiber(inner), 0; });
  on_the_thread(outer);
}

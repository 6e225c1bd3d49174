// A resume and its suspend, ns a pair: fibers of native/fiber beside Boost.Context's, both by their C++ classes and by the bare switch below.
// Prints one JSON object for each trial.
#include <boost/context/detail/fcontext.hpp>
#include <boost/context/fiber.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "base/asm.h"
#include "fiber/coroutine.h"
#include "stacks/lease.h"

namespace {

using namespace heddle;
namespace context = boost::context;

/// Nanoseconds of each of `pairs` calls of `pair`.
template <typename Pair>
double time_pairs(uint64_t pairs, Pair pair) {
  const auto start = std::chrono::steady_clock::now();
  for (uint64_t i = 0; i < pairs; i++) pair();
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
  return took.count() / static_cast<double>(pairs);
}

double heddle_fiber(Stacks& stacks, uint64_t pairs) {
  const StackLease stack(stacks);
  Fiber fiber(stack.span(), [](Fiber& self, uint64_t value) {
    for (;;) value = self.suspend(value + 1);
    return value;
  });
  uint64_t value = 0;
  return time_pairs(pairs, [&] { value = fiber.resume(value).value; });
}

double heddle_coroutine(Stacks& stacks, uint64_t pairs) {
  const StackLease stack(stacks);
  using Counter = Coroutine<uint64_t, uint64_t, uint64_t>;
  Counter counter(stack.span(), [](Counter& self, uint64_t value) {
    for (;;) value = self.suspend(value + 1);
    return value;
  });
  uint64_t value = 0;
  return time_pairs(pairs, [&] { value = counter.resume(value).value(); });
}

double boost_fiber(uint64_t pairs) {
  uint64_t value = 0;
  bool more = true;
  context::fiber fiber([&](context::fiber&& resumer) {
    while (more) {
      value++;
      resumer = std::move(resumer).resume();
    }
    return std::move(resumer);
  });
  const double time = time_pairs(pairs, [&] { fiber = std::move(fiber).resume(); });
  more = false;
  fiber = std::move(fiber).resume();
  return time;
}

void boost_bare_body(context::detail::transfer_t from) {
  for (;;) from = context::detail::jump_fcontext(from.fctx, from.data);
}

double boost_bare(Stacks& stacks, uint64_t pairs) {
  const StackLease stack(stacks);
  void* top = at<void>(stack.span().top);
  context::detail::transfer_t other{context::detail::make_fcontext(top, stack.span().size(), boost_bare_body), nullptr};
  return time_pairs(pairs, [&] { other = context::detail::jump_fcontext(other.fctx, nullptr); });
}

uint64_t heddle_bare_body(VMFiber* fiber, uint64_t value) {
  for (;;) value = heddle_fiber_switch(fiber, value, 0).payload;
}

double heddle_bare(Stacks& stacks, uint64_t pairs) {
  const StackLease stack(stacks);
  VMFiber* fiber = prepare_block(stack.span(), heddle_function_start);
  fiber->start_context = address_of(fiber);
  fiber->start_code = reinterpret_cast<uint64_t>(&heddle_bare_body);  // SAFETY: heddle_function_start calls it with this signature.
  return time_pairs(pairs, [&] { heddle_fiber_switch(fiber, 0, kSwitchResumed); });
}

}  // namespace

int main(int count, char** arguments) {
  const auto number = [&](int i, uint64_t otherwise) { return i < count ? std::strtoull(arguments[i], nullptr, 10) : otherwise; };
  const uint64_t trials = number(1, 9), pairs = number(2, 5'000'000);
  auto stacks = Stacks::create(StackOptions{});
  for (uint64_t i = 0; i < trials; i++) {
    const double bare = heddle_bare(*stacks, pairs), peer_bare = boost_bare(*stacks, pairs);
    const double fiber = heddle_fiber(*stacks, pairs), peer_fiber = boost_fiber(pairs);
    const double coroutine = heddle_coroutine(*stacks, pairs);
    std::printf(R"({"heddleBare": %f, "boostBare": %f, "heddleFiber": %f, "boostFiber": %f, "heddleCoroutine": %f})"
                "\n",
                bare, peer_bare, fiber, peer_fiber, coroutine);
    std::fflush(stdout);
  }
}

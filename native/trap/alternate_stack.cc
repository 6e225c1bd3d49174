#include <signal.h>
#include <sys/mman.h>

#include <algorithm>

#include "base/check.h"
#include "base/system.h"
#include "trap/signals.h"

namespace heddle {

namespace {

/// The calling OS thread's own, when we made it.
struct ThreadStack {
  Mapping memory;
  uint32_t users = 0;
};
thread_local ThreadStack* own = nullptr;

size_t wanted() {
  return round_up(std::max<uint64_t>(64 * 1024, 4 * minimum_signal_stack()), page_size());
}

}  // namespace

AlternateStack::AlternateStack() {
  if (own == nullptr) own = new ThreadStack;
  if (own->users++ != 0) return;
  stack_t existing{};
  if (sigaltstack(nullptr, &existing) == 0 && (existing.ss_flags & SS_DISABLE) == 0) return;
  own->memory = Mapping::reserve(page_size() + wanted(), PROT_READ | PROT_WRITE);
  HEDDLE_CHECK(own->memory);
  own->memory.protect(0, page_size(), PROT_NONE);
  stack_t stack{};
  stack.ss_sp = at<void>(own->memory.base() + page_size());
  stack.ss_size = wanted();
  sigaltstack(&stack, nullptr);
}

AlternateStack::~AlternateStack() {
  if (--own->users != 0) return;
  stack_t existing{};
  // Only if it is still ours: somebody may have installed another since.
  if (own->memory && sigaltstack(nullptr, &existing) == 0 && existing.ss_sp == at<void>(own->memory.base() + page_size())) {
    stack_t none{};
    none.ss_flags = SS_DISABLE;
    sigaltstack(&none, nullptr);
  }
  delete own;
  own = nullptr;
}

}  // namespace heddle

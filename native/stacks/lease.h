// A stack for as long as a C++ object lives.
#pragma once
#include "stacks/stack.h"

namespace heddle {

/// Takes a stack and gives it back. Whatever runs on it must be gone by then.
class StackLease {
 public:
  /// Empty where there is no stack; then `stacks.refusal()` says why.
  explicit StackLease(Stacks& stacks) : stacks_(stacks), stack_(stacks.allocate()) {}
  ~StackLease() {
    if (stack_ != nullptr) stacks_.release(stack_);
  }
  StackLease(const StackLease&) = delete;
  StackLease& operator=(const StackLease&) = delete;

  explicit operator bool() const { return stack_ != nullptr; }
  const StackSpan& span() const { return stack_->span; }

 private:
  Stacks& stacks_;
  Stack* stack_;
};

}  // namespace heddle

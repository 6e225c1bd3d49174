// Stacks from malloc: the limit check is all that guards them.
#include <cstdlib>
#include <unordered_set>

#include "stacks/stack.h"

namespace heddle {

namespace {

class MallocStacks final : public Stacks {
 public:
  explicit MallocStacks(const StackOptions& options) : Stacks(options) {}
  ~MallocStacks() override {
    for (Stack* stack : stacks_) destroy(stack);
  }

  void each(const std::function<void(const Stack&)>& visit) const override {
    for (const Stack* stack : stacks_) visit(*stack);
  }

 protected:
  Stack* take() override {
    void* memory = nullptr;
    if (posix_memalign(&memory, 64, usable_bytes()) != 0) return nullptr;
    auto* stack = new Stack;
    const uint64_t base = reinterpret_cast<uint64_t>(memory);  // SAFETY: an address as a number.
    lay_out(stack, base, base + usable_bytes(), made_++);
    counts_.reserved_bytes += usable_bytes();
    stacks_.insert(stack);
    return stack;
  }

  void give_back(Stack* stack) override {
    stacks_.erase(stack);
    counts_.reserved_bytes -= usable_bytes();
    destroy(stack);
  }

 private:
  static void destroy(Stack* stack) {
    std::free(at<void>(stack->span.base));
    delete stack;
  }
  std::unordered_set<Stack*> stacks_;
  uint64_t made_ = 0;
};

}  // namespace

std::unique_ptr<Stacks> create_malloc_stacks(const StackOptions& options) {
  return std::unique_ptr<Stacks>(new MallocStacks(options));
}

}  // namespace heddle

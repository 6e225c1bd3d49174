// Slots of large reservations, recycled warm. The first are as large as asked; where only the default was asked for, later ones are
// smaller: a million stacks of 256 KiB would be twice the address space that there is, and each would need a seventh of a page of page
// table.
#include <algorithm>

#include "stacks/slots.h"

namespace heddle {

namespace {

class PoolStacks final : public Stacks {
 public:
  explicit PoolStacks(const StackOptions& options)
      : Stacks(options),
        first_(kFirst, heddle::usable_bytes(options.size), guarded(options), options.first, options.warm, &counts_),
        later_(kLater, heddle::usable_bytes(std::min(options.size, options.later_size)), guarded(options), ~uint64_t{0}, options.warm,
               &counts_) {}

  void each(const std::function<void(const Stack&)>& visit) const override {
    first_.each(visit);
    later_.each(visit);
  }

 protected:
  Stack* take() override {
    Stack* stack = first_.take();
    if (stack == nullptr && first_.exhausted()) stack = later_.take();
    resident_each_ = first_.exhausted() ? later_.resident_each() : first_.resident_each();
    return stack;
  }

  void give_back(Stack* stack) override { (stack->set == kFirst ? first_ : later_).give_back(stack); }

  void discard(Stack** first, Stack** last) override {
    Stack** later = std::partition(first, last, [](const Stack* stack) { return stack->set == kFirst; });
    first_.discard(first, later);
    later_.discard(later, last);
  }

 private:
  static constexpr uint32_t kFirst = 0;
  static constexpr uint32_t kLater = 1;
  static bool guarded(const StackOptions& options) { return options.guard != Guard::Software && probe_kernel_guard().kernel; }

  Slots first_;
  Slots later_;
};

}  // namespace

std::unique_ptr<Stacks> create_pool_stacks(const StackOptions& options) {
  return std::unique_ptr<Stacks>(new PoolStacks(options));
}

}  // namespace heddle

// Slots of large reservations, recycled warm. The first are as large as asked; where only the default was asked for, the very first are
// larger and later ones smaller: a million stacks of 256 KiB would be twice the address space that there is, and each would need a seventh
// of a page of page table.
#include <algorithm>

#include "stacks/slots.h"

namespace heddle {

namespace {

class PoolStacks final : public Stacks {
 public:
  explicit PoolStacks(const StackOptions& options)
      : Stacks(options),
        tiers_{
            {0, heddle::usable_bytes(std::max(options.size, options.large_size)), guarded(options), options.large, options.warm, &counts_},
            {1, heddle::usable_bytes(options.size), guarded(options), options.first, options.warm, &counts_},
            {2, heddle::usable_bytes(std::min(options.size, options.later_size)), guarded(options), ~uint64_t{0}, options.warm, &counts_}} {
  }

  void each(const std::function<void(Stack&)>& visit) const override {
    for (const Slots& tier : tiers_) tier.each(visit);
  }

 protected:
  /// The next tier is begun where this one has made all that it may, and none of them is free.
  Stack* take() override {
    for (uint32_t i = 0; i < kTiers; i++) {
      Stack* stack = tiers_[i].take();
      if (stack == nullptr && tiers_[i].exhausted()) continue;
      newest_ = std::max(newest_, i);
      resident_each_ = tiers_[newest_].resident_each();  // Where there are many they are of that tier.
      return stack;
    }
    return nullptr;
  }

  void give_back(Stack* stack) override { tiers_[stack->set].give_back(stack); }

  void discard(Stack** first, Stack** last) override {
    for (uint32_t i = 0; i < kTiers; i++) {
      Stack** others = std::partition(first, last, [i](const Stack* stack) { return stack->set == i; });
      tiers_[i].discard(first, others);
      first = others;
    }
  }

 private:
  static constexpr uint32_t kTiers = 3;
  static bool guarded(const StackOptions& options) { return options.guard != Guard::Software && probe_kernel_guard().kernel; }

  Slots tiers_[kTiers];
  uint32_t newest_ = 0;
};

}  // namespace

std::unique_ptr<Stacks> create_pool_stacks(const StackOptions& options) {
  return std::unique_ptr<Stacks>(new PoolStacks(options));
}

}  // namespace heddle

// A mapping for each stack, as Wasmtime has it. Freed at once; nothing is kept for reuse.
#include <sys/mman.h>

#include <algorithm>
#include <unordered_map>

#include "base/system.h"
#include "stacks/stack.h"

namespace heddle {

namespace {

/// Memory maps that are left to everybody else: V8 ends the process where it gets none.
constexpr uint64_t kMapsLeft = 8192;
constexpr uint64_t kMapsEach = 2;

class MmapStacks final : public Stacks {
 public:
  explicit MmapStacks(const StackOptions& options) : Stacks(options) {
    const uint64_t maps = options.guard == Guard::Software ? 0 : maximum_maps();
    if (maps != 0) most_ = (maps - std::min(kMapsLeft, maps / 4)) / kMapsEach;
  }

  void each(const std::function<void(const Stack&)>& visit) const override {
    for (const auto& [stack, owned] : stacks_) visit(*stack);
  }

 protected:
  Stack* take() override {
    if (counts_.live >= most_) return nullptr;
    const uint64_t guard = options_.guard == Guard::Software ? 0 : page_size();
    Mapping memory = Mapping::reserve(guard + usable_bytes(), PROT_READ | PROT_WRITE);
    if (!memory) return nullptr;
    // A guard page is a second memory map. vm.max_map_count ends that at about 32,000 stacks; then there are no more stacks.
    if (guard != 0 && !memory.protect(0, guard, PROT_NONE)) return nullptr;
    memory.advise(0, memory.size(), MADV_NOHUGEPAGE);
    memory.advise(0, memory.size(), MADV_DONTFORK);
    auto owned = std::make_unique<Owned>();
    lay_out(&owned->stack, memory.base() + guard, memory.end(), made_++);
    owned->memory = std::move(memory);
    counts_.reserved_bytes += owned->memory.size();
    Stack* stack = &owned->stack;
    stacks_.emplace(stack, std::move(owned));
    return stack;
  }

  void give_back(Stack* stack) override {
    const auto found = stacks_.find(stack);
    counts_.reserved_bytes -= found->second->memory.size();
    stacks_.erase(found);
  }

 private:
  struct Owned {
    Stack stack;
    Mapping memory;
  };
  std::unordered_map<Stack*, std::unique_ptr<Owned>> stacks_;
  uint64_t made_ = 0;
  uint64_t most_ = ~uint64_t{0};
};

}  // namespace

std::unique_ptr<Stacks> create_mmap_stacks(const StackOptions& options) {
  return std::unique_ptr<Stacks>(new MmapStacks(options));
}

}  // namespace heddle

// A mapping for each stack, as Wasmtime has it. Freed at once; nothing is kept for reuse.
#include <sys/mman.h>

#include <unordered_map>

#include "stacks/stack.h"

namespace heddle {

namespace {

class MmapStacks final : public Stacks {
 public:
  explicit MmapStacks(const StackOptions& options) : Stacks(options) {}

 protected:
  Stack* take() override {
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
};

}  // namespace

std::unique_ptr<Stacks> create_mmap_stacks(const StackOptions& options) {
  return std::unique_ptr<Stacks>(new MmapStacks(options));
}

}  // namespace heddle

// A mapping for each stack, as Wasmtime has it. Freed at once; nothing is kept for reuse.
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <new>

#include "base/linked.h"
#include "base/system.h"
#include "stacks/stack.h"

namespace heddle {

namespace {

/// Memory maps that are left to everybody else: V8 ends the process where it gets none.
constexpr uint64_t kMapsLeft = 8192;
constexpr uint64_t kMapsEach = 2;
/// Stacks with guards in the process: the kernel counts memory maps of all threads and sets.
std::atomic<uint64_t> guarded_stacks{0};

class MmapStacks final : public Stacks {
 public:
  explicit MmapStacks(const StackOptions& options) : Stacks(options) {
    const uint64_t maps = guarded() ? maximum_maps() : 0;
    if (maps != 0) most_ = (maps - std::min(kMapsLeft, maps / 4)) / kMapsEach;
  }

  void each(const std::function<void(Stack&)>& visit) const override { stacks_.each(visit); }
  ~MmapStacks() override {
    while (Owned* owned = stacks_.first()) destroy(owned);
  }

 protected:
  Stack* take() override {
    if (guarded() && guarded_stacks.load(std::memory_order_relaxed) >= most_) return nullptr;
    const uint64_t guard = guarded() ? page_size() : 0;
    Mapping memory = Mapping::reserve(guard + usable_bytes(), PROT_READ | PROT_WRITE);
    if (!memory) return nullptr;
    // A guard page is a second memory map. vm.max_map_count ends that at about 32,000 stacks; then there are no more stacks.
    if (guard != 0 && !memory.protect(0, guard, PROT_NONE)) return nullptr;
    memory.advise(0, memory.size(), MADV_NOHUGEPAGE);
    memory.advise(0, memory.size(), MADV_DONTFORK);
    auto* owned = new (std::nothrow) Owned;
    if (owned == nullptr) return nullptr;
    lay_out(owned, memory.base() + guard, memory.end(), made_++);
    owned->memory = std::move(memory);
    counts_.reserved_bytes += owned->memory.size();
    stacks_.add(owned);
    if (guarded()) guarded_stacks.fetch_add(1, std::memory_order_relaxed);
    return owned;
  }

  void give_back(Stack* stack) override {
    auto* owned = static_cast<Owned*>(stack);
    counts_.reserved_bytes -= owned->memory.size();
    destroy(owned);
  }

 private:
  bool guarded() const { return options_.guard != Guard::Software; }

  struct Owned : Stack {
    Mapping memory;
    Owned* before = nullptr;
    Owned* after = nullptr;
  };

  void destroy(Owned* owned) {
    stacks_.remove(owned);
    delete owned;
    if (guarded()) guarded_stacks.fetch_sub(1, std::memory_order_relaxed);
  }

  Linked<Owned> stacks_;
  uint64_t made_ = 0;
  uint64_t most_ = ~uint64_t{0};
};

}  // namespace

std::unique_ptr<Stacks> create_mmap_stacks(const StackOptions& options) {
  return std::unique_ptr<Stacks>(new MmapStacks(options));
}

}  // namespace heddle

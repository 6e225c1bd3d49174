// Stacks from malloc: the limit check is all that guards them.
#include <cstdlib>
#include <new>

#include "base/linked.h"
#include "stacks/stack.h"

namespace heddle {

namespace {

class MallocStacks final : public Stacks {
 public:
  explicit MallocStacks(const StackOptions& options) : Stacks(options) {}
  ~MallocStacks() override {
    while (Owned* owned = stacks_.first()) destroy(owned);
  }

  void each(const std::function<void(Stack&)>& visit) const override { stacks_.each(visit); }

 protected:
  Stack* take() override {
    auto* owned = new (std::nothrow) Owned;
    if (owned == nullptr) return nullptr;
    void* memory = nullptr;
    if (posix_memalign(&memory, 64, usable_bytes()) != 0) {
      delete owned;
      return nullptr;
    }
    const uint64_t base = reinterpret_cast<uint64_t>(memory);  // SAFETY: an address as a number.
    lay_out(owned, base, base + usable_bytes(), made_++);
    counts_.reserved_bytes += usable_bytes();
    stacks_.add(owned);
    return owned;
  }

  void give_back(Stack* stack) override {
    counts_.reserved_bytes -= usable_bytes();
    destroy(static_cast<Owned*>(stack));
  }

 private:
  struct Owned : Stack {
    Owned* before = nullptr;
    Owned* after = nullptr;
  };

  void destroy(Owned* owned) {
    stacks_.remove(owned);
    std::free(at<void>(owned->span.base));
    delete owned;
  }

  Linked<Owned> stacks_;
  uint64_t made_ = 0;
};

}  // namespace

std::unique_ptr<Stacks> create_malloc_stacks(const StackOptions& options) {
  return std::unique_ptr<Stacks>(new MallocStacks(options));
}

}  // namespace heddle

// Where the areas of shadow stacks come from: slices of the module's own stack, or blocks of its allocator.
#include <algorithm>
#include <utility>

#include "continuation/shadow.h"

namespace heddle {

namespace {

constexpr uint64_t kAlignment = 16;
constexpr uint64_t kMostAddress = uint64_t{1} << (31 + kShadowWideShift);

/// The trunk keeps one slice's size at least, at the high end. Slices of the lower half come first, the highest before: programs that take
/// the address of a local for the depth they are at see less of it. The trunk ends above the highest that is taken.
class Slices : public ShadowSpace {
 public:
  Slices(uint64_t low, uint64_t top, uint64_t size) {
    const uint64_t count = size == 0 || top < low ? 0 : (top - low) / size;
    areas_.resize(count > 0 ? count - 1 : 0);
    taken_.resize(areas_.size());
    lower_ = count / 2;
    for (size_t i = 0; i < areas_.size(); i++) {
      areas_[i].low = low + static_cast<uint64_t>(i) * size;
      areas_[i].top = areas_[i].pointer = areas_[i].low + size;
    }
  }

  ShadowArea* take(uint64_t water, uint64_t) override {
    while (first_free_ < taken_.size() && taken_[in_order(first_free_)]) first_free_++;
    for (size_t i = first_free_; i < areas_.size(); i++) {
      const size_t slice = in_order(i);
      if (taken_[slice] || areas_[slice].top > water) continue;
      taken_[slice] = true;
      end_ = std::max(end_, slice + 1);
      return &areas_[slice];
    }
    return nullptr;
  }

  void give(ShadowArea* area) override {
    const size_t slice = static_cast<size_t>(area - areas_.data());
    taken_[slice] = false;
    first_free_ = std::min(first_free_, in_order(slice));
    while (end_ > 0 && !taken_[end_ - 1]) end_--;
  }

  uint64_t trunk_limit() const override { return end_ == 0 ? 0 : areas_[end_ - 1].top; }

 private:
  /// The slice that is handed out as number i, and the number of a slice.
  size_t in_order(size_t i) const { return i < lower_ ? lower_ - 1 - i : i; }

  std::vector<ShadowArea> areas_;
  std::vector<bool> taken_;
  /// So many of them come in reverse.
  size_t lower_ = 0;
  /// No slice before this one is free, in the order in which they are handed out.
  size_t first_free_ = 0;
  /// One past the highest that is taken.
  size_t end_ = 0;
};

/// Blocks are kept for the next call, up to a number.
class Blocks : public ShadowSpace {
 public:
  Blocks(ShadowAllocator allocator, uint64_t size) : allocator_(std::move(allocator)), size_(size) {}

  ShadowArea* take(uint64_t, uint64_t) override {
    if (spare_.empty()) {
      uint64_t failure = 0;
      const uint64_t address = allocator_.allocate(size_, &failure);
      failure_ = failure;
      if (address == 0) return nullptr;
      // The bounds of an i64 pointer cannot say more.
      if (address > kMostAddress - size_) {
        allocator_.free(address);
        return nullptr;
      }
      const uint64_t low = (address + kAlignment - 1) / kAlignment * kAlignment;
      const uint64_t top = (address + size_) / kAlignment * kAlignment;
      spare_.push_back(std::make_unique<Block>(Block{{low, top, top}, address}));
    }
    Block* block = spare_.back().release();
    spare_.pop_back();
    taken_.emplace_back(block);
    block->place = taken_.size() - 1;
    return &block->area;
  }

  void give(ShadowArea* area) override {
    // SAFETY: the area is the first member of a Block that this made.
    const size_t place = reinterpret_cast<Block*>(area)->place;
    spare_.push_back(std::move(taken_[place]));
    if (place + 1 != taken_.size()) {
      taken_[place] = std::move(taken_.back());
      taken_[place]->place = place;
    }
    taken_.pop_back();
  }

  uint64_t trunk_limit() const override { return 0; }
  uint64_t failure() const override { return failure_; }

  void trim() override {
    while (spare_.size() > std::max(kSpare, taken_.size())) {
      const uint64_t address = spare_.back()->address;
      spare_.pop_back();
      allocator_.free(address);
    }
  }

 private:
  static constexpr size_t kSpare = 16;
  struct Block {
    ShadowArea area;
    /// As the allocator gave it.
    uint64_t address;
    /// Its place in taken_.
    size_t place = 0;
  };
  ShadowAllocator allocator_;
  uint64_t size_;
  uint64_t failure_ = 0;
  std::vector<std::unique_ptr<Block>> taken_;
  std::vector<std::unique_ptr<Block>> spare_;
};

/// What it is shows when it is needed first.
class Deferred : public ShadowSpace {
 public:
  explicit Deferred(std::function<std::unique_ptr<ShadowSpace>(uint64_t top)> make) : make_(std::move(make)) {}

  ShadowArea* take(uint64_t water, uint64_t top) override {
    if (make_ != nullptr) space_ = std::exchange(make_, nullptr)(top);
    return space_ == nullptr ? nullptr : space_->take(water, top);
  }
  void give(ShadowArea* area) override { space_->give(area); }
  uint64_t trunk_limit() const override { return space_ == nullptr ? 0 : space_->trunk_limit(); }
  uint64_t failure() const override { return space_ == nullptr ? 0 : space_->failure(); }
  void trim() override {
    if (space_ != nullptr) space_->trim();
  }

 private:
  std::function<std::unique_ptr<ShadowSpace>(uint64_t top)> make_;
  std::unique_ptr<ShadowSpace> space_;
};

}  // namespace

std::unique_ptr<ShadowSpace> make_slices(uint64_t low, uint64_t top, uint64_t size) {
  return std::make_unique<Slices>(low, top, size);
}

std::unique_ptr<ShadowSpace> make_blocks(ShadowAllocator allocator, uint64_t size) {
  return std::make_unique<Blocks>(std::move(allocator), size);
}

std::unique_ptr<ShadowSpace> make_deferred(std::function<std::unique_ptr<ShadowSpace>(uint64_t top)> make) {
  return std::make_unique<Deferred>(std::move(make));
}

}  // namespace heddle

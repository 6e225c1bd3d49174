// What a suspended chain of fibers has on shadow stacks, kept with a copy of its frames.
#pragma once
#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "continuation/shadow.h"

namespace heddle {

/// The frames in linear memory of one copy of a chain, to be put back at the same addresses. Meanwhile it is one of the owners of the areas
/// that they lie in.
class ShadowCopy {
 public:
  /// The control block of the chain's fiber of a number, the innermost first.
  using Block = std::function<VMFiber*(size_t fiber)>;
  /// What such a fiber has, a list.
  using Uses = std::function<const ShadowUse*(size_t fiber)>;

  /// Copies what the chain of `count` fibers has; `*result` is null where that is nothing. 0, or kRefusedShadow and more where too little
  /// is known of a shadow stack, or kRefusedSystem without memory.
  static uint64_t capture(size_t count, const Uses& uses_of, ShadowCopy** result);
  ~ShadowCopy();
  ShadowCopy(const ShadowCopy&) = delete;
  ShadowCopy& operator=(const ShadowCopy&) = delete;

  /// Bytes that it takes.
  uint64_t bytes() const { return bytes_; }
  /// Whether no fiber uses the areas now.
  bool is_free() const;
  /// Gives the fibers what they had. Requires: the areas are free; the fibers have nothing.
  void restore(const Block& block) const;

 private:
  /// What one fiber has of one shadow stack.
  struct Part {
    size_t fiber = 0;
    std::shared_ptr<ShadowStack> stack;
    ShadowArea* area = nullptr;
    uint64_t pointer = 0;
    std::vector<unsigned char> frames;
    bool moved = false;
    /// Where frames are moved: as ShadowUse has them.
    bool waits = false;
    MovedFrames moving;
    /// Numbers of the parts whose own place are these; -1 for none.
    ptrdiff_t place = -1;
    ptrdiff_t before = -1;
  };

  ShadowCopy() = default;
  void take(size_t fiber, const ShadowUse& use);
  ptrdiff_t part_of(const std::vector<const ShadowUse*>& uses, const ShadowPlace* place) const;

  std::vector<Part> parts_;
  uint64_t bytes_ = 0;
};

}  // namespace heddle

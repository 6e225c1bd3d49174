#include "heap/descriptors.h"

#include <sys/mman.h>

#include <algorithm>
#include <iterator>

namespace heddle {

static_assert(sizeof(VMType) == uint64_t{1} << kTypeSizeLog2);
static_assert(sizeof(VMType::display) / sizeof(uint32_t) == kTypeDepths);

bool Descriptors::reserve(uint64_t count) {
  if (count <= count_) return true;
  if (count_ != 0) return false;  // The addresses of descriptors are in code that runs.
  memory_ = Mapping::reserve(round_up(count * sizeof(VMType), page_size()), PROT_READ | PROT_WRITE);
  if (!memory_) return false;
  thread_->types = heddle::at<VMType>(memory_.base());
  count_ = count;
  return true;
}

VMType* Descriptors::define(uint32_t id, uint32_t kind, uint32_t super) {
  VMType* type = thread_->types + id;
  *type = VMType{};
  type->super = super;
  type->kind = kind;
  if (super != 0) {
    const VMType& above = at(super);
    type->depth = above.depth + 1;
    std::copy(std::begin(above.display), std::end(above.display), type->display);
  }
  if (type->depth < kTypeDepths) type->display[type->depth] = id;
  return type;
}

void Descriptors::forget(uint32_t id) {
  thread_->types[id] = VMType{};
}

bool Descriptors::is_subtype(uint32_t actual, uint32_t expected) const {
  // At most 63 steps: deeper declarations are not valid.
  while (actual != 0 && actual != expected) actual = at(actual).super;
  return actual != 0;
}

}  // namespace heddle

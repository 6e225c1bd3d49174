#include "continuation/shadow_copy.h"

#include <cstring>

#include "base/attempt.h"
#include "base/check.h"
#include "base/page.h"

namespace heddle {

uint64_t ShadowCopy::capture(size_t count, const Uses& uses_of, ShadowCopy** result) {
  *result = nullptr;
  bool any = false;
  for (size_t i = 0; i < count; i++) {
    for (const ShadowUse* use = uses_of(i); use != nullptr; use = use->next) {
      if (use->stack->reason_ != 0) return kRefusedShadow + use->stack->reason_;
      any = true;
    }
  }
  if (!any) return 0;
  std::unique_ptr<ShadowCopy> copy;
  const bool well = attempt([&] {
    copy.reset(new ShadowCopy);
    std::vector<const ShadowUse*> uses;
    for (size_t i = 0; i < count; i++) {
      for (const ShadowUse* use = uses_of(i); use != nullptr; use = use->next) uses.push_back(use);
    }
    copy->parts_.reserve(uses.size());
    for (size_t i = 0; i < count; i++) {
      for (const ShadowUse* use = uses_of(i); use != nullptr; use = use->next) copy->take(i, *use);
    }
    for (size_t i = 0; i < uses.size(); i++) {
      copy->parts_[i].place = copy->part_of(uses, uses[i]->place);
      copy->parts_[i].before = copy->part_of(uses, uses[i]->before);
    }
  });
  if (!well) return kRefusedSystem;
  *result = copy.release();
  return 0;
}

ptrdiff_t ShadowCopy::part_of(const std::vector<const ShadowUse*>& uses, const ShadowPlace* place) const {
  for (size_t i = 0; i < uses.size(); i++) {
    if (&uses[i]->own == place) return static_cast<ptrdiff_t>(i);
  }
  return -1;
}

void ShadowCopy::take(size_t fiber, const ShadowUse& use) {
  Part part;
  part.fiber = fiber;
  part.stack = use.stack;
  part.moved = use.moved;
  part.waits = use.waits;
  part.moving = use.frames;
  const VMInstance* instance = use.stack->instance_;
  ShadowArea* area = use.own.area;
  if (area != nullptr) {
    part.pointer = area->pointer;
    const bool lies = instance != nullptr && instance->memory0 != nullptr && area->pointer < area->top;
    if (lies && area->top <= instance->memory0->bytes) {
      part.frames.resize(area->top - area->pointer);
      std::memcpy(part.frames.data(), at<void>(instance->memory0->base + area->pointer), part.frames.size());
    }
  }
  bytes_ += sizeof(Part) + part.frames.size() + part.moving.frames.size();
  parts_.push_back(std::move(part));
  // From here on nothing fails: it counts as an owner.
  Part& kept = parts_.back();
  kept.area = area;
  if (area != nullptr) {
    area->owners++;
    area->copies++;
  }
  if (kept.moved) kept.stack->moved_++;
}

ShadowCopy::~ShadowCopy() {
  for (const Part& part : parts_) {
    if (part.moved) part.stack->moved_--;
    if (part.area == nullptr) continue;
    part.area->copies--;
    part.stack->disown(part.area);
  }
}

bool ShadowCopy::is_free() const {
  for (const Part& part : parts_) {
    if (part.area != nullptr && part.area->owners != part.area->copies) return false;
  }
  return true;
}

void ShadowCopy::restore(const Block& block) const {
  std::vector<ShadowUse*> uses;
  uses.reserve(parts_.size());
  for (const Part& part : parts_) {
    auto* use = new ShadowUse;
    use->stack = part.stack;
    use->moved = part.moved;
    use->waits = part.waits;
    use->frames = part.moving;
    if (part.moved) part.stack->moved_++;
    VMFiber* fiber = block(part.fiber);
    // In the order that they had.
    void** end = &fiber->shadow;
    while (*end != nullptr) end = reinterpret_cast<void**>(&static_cast<ShadowUse*>(*end)->next);
    *end = use;
    uses.push_back(use);
    ShadowArea* area = part.area;
    use->own.area = area;
    if (area == nullptr) continue;
    area->owners++;
    area->pointer = part.pointer;
    const VMInstance* instance = part.stack->instance_;
    if (instance == nullptr || instance->memory0 == nullptr || part.frames.empty()) continue;
    HEDDLE_CHECK(area->top <= instance->memory0->bytes);
    std::memcpy(at<void>(instance->memory0->base + part.pointer), part.frames.data(), part.frames.size());
  }
  for (size_t i = 0; i < uses.size(); i++) {
    const Part& part = parts_[i];
    uses[i]->place = part.place < 0 ? nullptr : &uses[static_cast<size_t>(part.place)]->own;
    uses[i]->before = part.before < 0 ? nullptr : &uses[static_cast<size_t>(part.before)]->own;
  }
}

}  // namespace heddle

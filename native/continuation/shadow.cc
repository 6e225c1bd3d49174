#include "continuation/shadow.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "continuation/runtime.h"

namespace heddle {

namespace {

/// Whether the chain of an entered fiber runs: it may as well wait as a whole, by its outermost one.
bool goes_on(const VMFiber* fiber) {
  while (!is_host(fiber->parent)) fiber = fiber->parent;
  return fiber->entry != nullptr || fiber->shadow_entered != 0;
}

}  // namespace

ShadowStack::ShadowStack(Runtime* runtime, const VMInstance* owner, uint64_t cell, bool wide, std::unique_ptr<ShadowSpace> space)
    : runtime_(runtime), cell_(cell), wide_(wide), space_(std::move(space)), instance_(owner), base_{&trunk_}, running_(&base_) {
  trunk_.top = trunk_.pointer = pointer();
  runtime_->shadows.push_back(this);
}

ShadowStack::ShadowStack(Runtime* runtime, const VMInstance* instance, uint64_t reason)
    : runtime_(runtime), instance_(instance), reason_(reason), running_(&base_) {
  runtime_->shadows.push_back(this);
}

ShadowStack::~ShadowStack() {
  auto& all = runtime_->shadows;
  all.erase(std::remove(all.begin(), all.end(), this), all.end());
}

void ShadowStack::detach() {
  if (--instances_ != 0) return;
  cell_ = 0;
  instance_ = nullptr;
}

uint64_t ShadowStack::room() const {
  const ShadowArea* area = running_->area;
  return area == nullptr ? 0 : area->top - low_of(*area);
}

ShadowArea* ShadowStack::take() {
  if (!trunk_taken_) {
    trunk_taken_ = true;
    return &trunk_;
  }
  return space_->take(trunk_.pointer, trunk_.top);
}

void ShadowStack::give(ShadowArea* area) {
  if (area == nullptr) return;
  area->pointer = area->top;
  disown(area);
}

void ShadowStack::disown(ShadowArea* area) {
  if (--area->owners > 0) return;
  area->owners = 1;
  if (area == &trunk_) {
    trunk_taken_ = false;
  } else {
    space_->give(area);
  }
}

void ShadowStack::save() {
  if (running_->area != nullptr) running_->area->pointer = pointer();
}

uint64_t ShadowStack::low_of(const ShadowArea& area) const {
  if (&area != &trunk_) return area.low;
  return space_ == nullptr ? 0 : space_->trunk_limit();
}

uint64_t ShadowStack::word(uint64_t cell) const {
  return wide_ ? *at<uint64_t>(cell) : *at<uint32_t>(cell);
}

void ShadowStack::set_word(uint64_t cell, uint64_t value) const {
  if (wide_) {
    *at<uint64_t>(cell) = value;
  } else {
    *at<uint32_t>(cell) = static_cast<uint32_t>(value);
  }
}

void ShadowStack::tell_limits(uint64_t base_cell, uint64_t end_cell) {
  base_cell_ = base_cell;
  end_cell_ = end_cell;
}

void ShadowStack::tell(const ShadowArea& area) {
  const bool own = &area == &trunk_;
  if (own && !told_) return;
  if (!told_) {
    own_base_ = word(base_cell_);
    own_end_ = word(end_cell_);
  }
  told_ = !own;
  set_word(base_cell_, own ? own_base_ : area.top);
  set_word(end_cell_, own ? own_end_ : area.low);
}

void ShadowStack::write(uint64_t pointer, uint32_t below, uint32_t beyond) {
  set_pointer(pointer);
  *at<uint32_t>(cell_ + (wide_ ? kShadowWideBelow : kShadowBelow)) = below;
  *at<uint32_t>(cell_ + (wide_ ? kShadowWideBeyond : kShadowBeyond)) = beyond;
}

void ShadowStack::install(ShadowPlace* place) {
  running_ = place;
  const ShadowArea* area = place->area;
  // Where there is no area a frame is at the end of the address space: it faults even in code that does not check.
  if (area == nullptr) return write(0, ~uint32_t{0}, ~uint32_t{0});
  if (base_cell_ != 0) tell(*area);
  const uint64_t low = low_of(*area);
  // The trunk alone is the module's own affair: every value is allowed. Where some were saved elsewhere, those that were saved are looked
  // at.
  if (low == 0 && area == &trunk_) return write(area->pointer, past_.empty() ? 0 : 1, 0);
  const uint64_t shift = wide_ ? kShadowWideShift : 0;
  write(area->pointer, static_cast<uint32_t>((low >> shift) - 1), static_cast<uint32_t>(~((area->top >> shift) - (low >> shift))));
}

bool ShadowStack::restore(uint64_t value, uint64_t* result) const {
  *result = value;
  const uint64_t now = pointer();
  if (value == now) return true;
  const ShadowArea* area = running_->area;
  const bool on_trunk = area == &trunk_;
  const uint64_t low = area == nullptr ? 0 : low_of(*area);
  const bool inside = area != nullptr && value >= low && value <= area->top;
  // A caller's own frames lie between the pointer and the area's top, so that a value that it saved there is above the pointer.
  if (inside && (now <= value || past_.count(value) == 0)) return true;
  if (past_.count(value) != 0 || value == trunk_.top) {
    *result = area == nullptr ? 0 : area->top;
    return true;
  }
  return on_trunk && low == 0;
}

void ShadowStack::leave_behind(ShadowUse* use, const ShadowArea* area) {
  // The trunk's top is always known.
  if (area != &trunk_) past_.insert(area == nullptr ? 0 : area->top);
  if (past_.empty() || use->moved) return;
  use->moved = true;
  moved_++;
}

void ShadowStack::move_away(const ShadowArea* area) {
  if (area != &trunk_) past_.insert(area->top);
  base_moved_ = !past_.empty();
}

void ShadowStack::lend_base() {
  if (running_ != &base_ || base_.area == nullptr || !base_.area->can_be_borrowed() || space_->trunk_limit() == 0) return;
  give(base_.area);
  base_.area = nullptr;
}

void ShadowStack::go_back(ShadowPlace* place) {
  if (place == &base_ && base_.area == nullptr) base_.area = take();
  install(place);
}

ShadowStack::Mark ShadowStack::mark() const {
  return {running_->area, pointer()};
}

void ShadowStack::back_to(const Mark& mark) {
  if (shared_ && running_->area == mark.area && mark.area != nullptr) set_pointer(mark.pointer);
}

void ShadowStack::clear() {
  if (running_->area != nullptr) set_pointer(running_->area->top);
}

bool ShadowStack::is_of(const VMFiber* fiber) const {
  return reason_ != 0 && instance_ != nullptr && address_of(instance_) == fiber->start_context;
}

std::vector<unsigned char> ShadowStack::copy_out(uint64_t low, uint64_t high) const {
  if (instance_ == nullptr || instance_->memory0 == nullptr || low >= high) return {};
  if (high > instance_->memory0->bytes) {
    // It may have grown since it was asked. What is no pointer into it has no frames.
    const uint64_t refresh = runtime_->thread.libcalls[static_cast<uint32_t>(Libcall::MemoryRefresh)];
    if (refresh != 0) reinterpret_cast<HostFunction>(refresh)(&runtime_->thread, address_of(instance_->memory0), 0, 0, 0);
    high = std::min<uint64_t>(high, instance_->memory0->bytes);
  }
  if (low >= high) return {};
  const auto* from = at<const unsigned char>(instance_->memory0->base + low);
  return {from, from + (high - low)};
}

void ShadowStack::copy_in(uint64_t low, const std::vector<unsigned char>& bytes) const {
  if (bytes.empty() || instance_ == nullptr) return;
  // A memory never shrinks.
  HEDDLE_CHECK(instance_->memory0 != nullptr && low + bytes.size() <= instance_->memory0->bytes);
  std::memcpy(at<void>(instance_->memory0->base + low), bytes.data(), bytes.size());
}

void ShadowStack::move_in(ShadowUse* use) {
  MovedFrames& part = use->frames;
  inside_.push_back(use);
  if (!use->waits) {
    part.high = pointer();
    return;
  }
  use->waits = false;
  part.is_back = true;
  part.outer = pointer();
  // Its frames may come to lie anywhere below where it began.
  part.under = copy_out(part.outer, part.high);
  copy_in(part.pointer, part.frames);
  set_pointer(part.pointer);
  part.frames.clear();
}

void ShadowStack::move_out(Leaving leaving) {
  ShadowUse* use = inside_.back();
  inside_.pop_back();
  MovedFrames& part = use->frames;
  if (leaving == Leaving::Waits) {
    shared_ = use->waits = true;
    part.pointer = pointer();
    part.frames = copy_out(part.pointer, part.high);
  }
  if (part.is_back) {
    copy_in(part.outer, part.under);
    set_pointer(part.outer);
    part.is_back = false;
    part.under.clear();
  } else if (leaving != Leaving::Returns) {
    set_pointer(part.high);
  }
}

void ShadowStack::move_out_to(const ShadowUse* use, Leaving leaving) {
  if (std::find(inside_.begin(), inside_.end(), use) == inside_.end()) return;
  while (inside_.back() != use) move_out(leaving == Leaving::Waits ? leaving : Leaving::IsDropped);
  move_out(leaving);
}

void ShadowStack::settle() {
  if (cell_ == 0 || running_ != &base_) return;
  base_moved_ = false;
  const bool forgets = moved_ == 0 && !past_.empty();
  if (forgets) past_.clear();
  if (trunk_taken_ && !forgets) return;
  save();
  if (trunk_taken_) return install(&base_);
  if (base_.area != nullptr && !base_.area->idle()) return;
  give(base_.area);
  base_.area = take();
  install(&base_);
}

ShadowUse* ShadowSwitch::use_of(VMFiber* fiber, const ShadowStack* stack) {
  auto* use = static_cast<ShadowUse*>(fiber->shadow);
  while (use != nullptr && use->stack.get() != stack) use = use->next;
  return use;
}

void ShadowSwitch::repoint(const ShadowStack* stack, VMFiber* first, VMFiber* leaf, const ShadowPlace* from, ShadowPlace* to) {
  for (VMFiber* fiber = leaf; fiber != first; fiber = fiber->parent) {
    ShadowUse* use = use_of(fiber, stack);
    if (use == nullptr) continue;
    if (use->place == from) use->place = to;
    if (use->before == from) use->before = to;
  }
}

ShadowUse* ShadowSwitch::make_use(VMFiber* fiber, ShadowStack* stack) {
  auto* use = new ShadowUse;
  use->stack = stack->shared_from_this();
  if (!stack->moves()) stack->shared_ = true;
  use->next = static_cast<ShadowUse*>(fiber->shadow);
  fiber->shadow = use;
  return use;
}

void ShadowSwitch::drop_use(VMFiber* fiber, ShadowUse* use) {
  auto* head = static_cast<ShadowUse*>(fiber->shadow);
  ShadowUse** link = &head;
  while (*link != use) link = &(*link)->next;
  *link = use->next;
  fiber->shadow = head;
  delete use;
}

uint64_t ShadowSwitch::unknown(const VMFiber* fiber) const {
  for (const ShadowStack* stack : runtime_->shadows) {
    if (stack->is_of(fiber)) return stack->reason_;
  }
  return 0;
}

uint64_t ShadowSwitch::enter(VMFiber* first, VMFiber* leaf) {
  for (const ShadowStack* stack : runtime_->shadows) {
    // One that has waited would run below another that runs, and go back to its own frames above.
    if (!own_pointer_ && stack->is_of(first) && stack->going_ > 0 && use_of(first, stack) != nullptr) return stack->reason_;
  }
  first->shadow_entered = 1;
  // By index: an allocator may run code that makes instances.
  for (size_t i = 0; i < runtime_->shadows.size(); i++) {
    ShadowStack* stack = runtime_->shadows[i];
    if (stack->is_of(first)) {
      if (!own_pointer_) begin_unknown(stack, first);
    } else if (stack->cell_ != 0 && stack->moves()) {
      move_in(stack, first, leaf);
    } else if (stack->cell_ != 0) {
      enter(stack, first, leaf);
    }
  }
  return 0;
}

void ShadowSwitch::move_in(ShadowStack* stack, VMFiber* first, VMFiber* leaf) {
  if (use_of(first, stack) == nullptr) make_use(first, stack);
  std::vector<ShadowUse*> uses;
  for (VMFiber* fiber = leaf;; fiber = fiber->parent) {
    if (ShadowUse* use = use_of(fiber, stack)) uses.push_back(use);
    if (fiber == first) break;
  }
  for (auto use = uses.rbegin(); use != uses.rend(); ++use) stack->move_in(*use);
}

void ShadowSwitch::move_out(ShadowStack* stack, VMFiber* first) {
  ShadowUse* use = use_of(first, stack);
  if (use == nullptr) {
    // The instance was made inside of it, so that all there is lies on its part.
    use = make_use(first, stack);
    use->frames.high = stack->trunk_.top;
    stack->inside_.insert(stack->inside_.begin(), use);
  }
  stack->move_out_to(use, ShadowStack::Leaving::Waits);
}

void ShadowSwitch::begin_unknown(ShadowStack* stack, VMFiber* fiber) {
  ShadowUse* use = use_of(fiber, stack);
  if (use == nullptr) {
    make_use(fiber, stack);
  } else {
    stack->waiting_--;
    use->waits = false;
  }
  stack->going_++;
}

void ShadowSwitch::enter(ShadowStack* stack, VMFiber* first, VMFiber* leaf) {
  // Some modules set the pointer when they begin.
  if (stack->trunk_.top == 0 && stack->running_ == &stack->base_) stack->trunk_.top = stack->trunk_.pointer = stack->pointer();
  if (runtime_->thread.entry == nullptr) stack->settle();
  stack->save();
  ShadowUse* use = use_of(first, stack);
  const bool may_lend = runtime_->thread.entry == nullptr && stack->base_.area != &stack->trunk_;
  for (VMFiber* fiber = leaf; may_lend; fiber = fiber->parent) {
    const ShadowUse* const inner = use_of(fiber, stack);
    if (inner != nullptr && inner->own.area == &stack->trunk_) stack->lend_base();
    if (fiber == first) break;
  }
  const ShadowArea* outer = stack->running_->area;
  const bool borrows = outer != nullptr && outer->can_be_borrowed();
  // It goes on where nothing lies. When it stops it is seen whether anything does then.
  if (use == nullptr && borrows && first == leaf) return;
  if (use == nullptr) use = make_use(first, stack);
  use->before = stack->running_;
  use->place = &use->own;
  if (use->own.area == nullptr && borrows) {
    use->place = use->before;
    repoint(stack, first, leaf, &use->own, use->before);
  } else if (use->own.area == nullptr) {
    use->own.area = stack->take();
  }
  VMFiber* innermost = leaf;
  while (innermost != first && use_of(innermost, stack) == nullptr) innermost = innermost->parent;
  stack->install(use_of(innermost, stack)->place);
}

ShadowUse* ShadowSwitch::find_use(ShadowStack* stack, VMFiber* first, VMFiber* leaf) {
  if (ShadowUse* use = use_of(first, stack)) return use;
  stack->save();
  ShadowPlace* borrowed = stack->running_;
  const bool bare = borrowed->area == nullptr || borrowed->area->idle();
  if (first == leaf && bare && borrowed->area == &stack->trunk_ && !stack->base_moved_) return nullptr;
  for (VMFiber* fiber = leaf; fiber != first; fiber = fiber->parent) {
    if (const ShadowUse* inner = use_of(fiber, stack)) borrowed = inner->before;
  }
  ShadowUse* use = make_use(first, stack);
  use->before = use->place = borrowed;
  return use;
}

uint64_t ShadowSwitch::leave(VMFiber* first, VMFiber* leaf) {
  uint64_t refused = 0;
  first->shadow_entered = 0;
  for (size_t i = 0; i < runtime_->shadows.size(); i++) {
    ShadowStack* stack = runtime_->shadows[i];
    if (stack->is_of(first)) {
      if (own_pointer_) continue;
      if (--stack->going_ > 0 || stack->waiting_ > 0) refused = stack->reason_;
      stack->waiting_++;
      use_of(first, stack)->waits = true;
    } else if (stack->cell_ != 0 && stack->moves()) {
      move_out(stack, first);
    } else if (stack->cell_ != 0) {
      ShadowUse* use = find_use(stack, first, leaf);
      if (use == nullptr) continue;
      leave(use, first, leaf);
      // Where nothing of it lies there, it goes on as if it began. (The places of fibers inside may be its own, though.)
      if (use->own.area == nullptr && first == leaf && !use->moved) drop_use(first, use);
    }
  }
  return refused;
}

void ShadowSwitch::leave(ShadowUse* use, VMFiber* first, VMFiber* leaf) {
  ShadowStack* stack = use->stack.get();
  ShadowPlace* before = use->before;
  use->before = nullptr;
  // An instance that was made meanwhile.
  if (before == nullptr) return;
  stack->save();
  const ShadowArea* const left = use->place->area;
  if (use->place == before) {
    repoint(stack, first, leaf, before, &use->own);
    if (before->area != nullptr && !before->area->idle()) {
      stack->move_away(before->area);
      use->own.area = before->area;
      before->area = stack->take();
    }
  } else if (use->own.area != nullptr && use->own.area->idle()) {
    stack->give(use->own.area);
    use->own.area = nullptr;
  }
  if (use->own.area == nullptr) stack->leave_behind(use, left);
  // The fibers inside may outlive the outermost.
  if (first != leaf && !stack->past_.empty() && !std::exchange(stack->keeps_past_, true)) stack->moved_++;
  use->place = &use->own;
  stack->go_back(before);
}

void ShadowSwitch::end(VMFiber* fiber, bool returned) {
  if (fiber->shadow_entered != 0 && !returned && goes_on(fiber)) {
    // What it leaves where nothing lay is nobody's.
    for (ShadowStack* stack : runtime_->shadows) {
      const ShadowUse* use = use_of(fiber, stack);
      if (stack->cell_ != 0 && !stack->moves() && (use == nullptr || use->place == use->before)) stack->clear();
    }
  }
  fiber->shadow_entered = 0;
  auto* use = static_cast<ShadowUse*>(std::exchange(fiber->shadow, nullptr));
  while (use != nullptr) {
    ShadowStack* stack = use->stack.get();
    if (stack->is_of(fiber)) {
      (use->waits ? stack->waiting_ : stack->going_)--;
    } else if (stack->moves()) {
      using Leaving = ShadowStack::Leaving;
      if (stack->cell_ != 0) stack->move_out_to(use, returned ? Leaving::Returns : Leaving::IsDropped);
    } else {
      if (use->moved) stack->moved_--;
      stack->give(use->own.area);
      if (use->before != nullptr && stack->running_ == &use->own && stack->cell_ != 0) stack->go_back(use->before);
    }
    if (runtime_->thread.entry == nullptr) stack->settle();
    delete std::exchange(use, use->next);
  }
}

void ShadowSwitch::settle() {
  for (size_t i = 0; i < runtime_->shadows.size(); i++) {
    ShadowStack* stack = runtime_->shadows[i];
    stack->settle();
    if (stack->space_ != nullptr && stack->cell_ != 0) stack->space_->trim();
  }
}

}  // namespace heddle

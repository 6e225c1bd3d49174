#include "fiber/fiber.h"

#include <utility>

#include "base/asm.h"
#include "base/check.h"

namespace heddle {

VMFiber* prepare_block(const StackSpan& stack, const char* start) {
  VMFiber* block = stack.block();
  // Field by field: for the whole struct compilers choose a string instruction, which takes longer to begin than all this.
  block->sp = address_of(block);
  block->fp = 0;
  block->pc = address_of(start);
  block->parent = nullptr;
  block->limit = stack.limit;
  block->record = nullptr;
  block->handlers = nullptr;
  block->thread = nullptr;
  block->start_enter = 0;
  block->start_context = 0;
  block->start_code = 0;
  block->stack = nullptr;
  block->entry = nullptr;
  block->id = 0;
  for (uint64_t& word : block->spare) word = 0;
  return block;
}

Fiber::Fiber(const StackSpan& stack, Function function)
    : stack_(stack), block_(prepare_block(stack, heddle_function_start)), function_(std::move(function)) {
  block_->start_context = address_of(this);
  block_->start_code = reinterpret_cast<uint64_t>(&Fiber::main);  // SAFETY: heddle_function_start calls it with this signature.
}

Fiber::~Fiber() {
  HEDDLE_CHECK(state_ != State::Running);
  sanitizer::forget_frames(stack_.base, stack_.size());
}

Fiber::Result Fiber::resume(uint64_t value) {
  HEDDLE_CHECK(state_ == State::Fresh || state_ == State::Suspended);
  state_ = State::Running;
  sanitizer::before_switch(&resumer_, at<void>(stack_.base), stack_.size());
  const SwitchResult result = heddle_fiber_switch(block_, value, kSwitchResumed);
  sanitizer::after_switch(&resumer_);
  if (result.kind == kSwitchReturned) {
    state_ = State::Done;
    return {Outcome::Returned, result.payload};
  }
  state_ = State::Suspended;
  return {Outcome::Yielded, result.payload};
}

uint64_t Fiber::suspend(uint64_t value) {
  HEDDLE_CHECK(state_ == State::Running);
  sanitizer::before_switch(&inside_, inside_.other_base, inside_.other_size);
  const SwitchResult result = heddle_fiber_switch(block_, value, 0);
  sanitizer::after_switch(&inside_);
  return result.payload;
}

uint64_t Fiber::main(Fiber* self, uint64_t value) {
  sanitizer::after_switch(&self->inside_);
  const uint64_t result = self->function_(*self, value);
  sanitizer::before_switch(nullptr, self->inside_.other_base, self->inside_.other_size);
  return result;
}

}  // namespace heddle

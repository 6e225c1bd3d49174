#include "fiber/fiber.h"

#include <cstring>
#include <utility>

namespace heddle {

namespace {
const VMFiber empty_block{};
}  // namespace

VMFiber* prepare_block(const StackSpan& stack, const char* start) {
  VMFiber* block = stack.block();
  // A copy, not an assignment of VMFiber{}: for that compilers choose a string instruction, which takes longer to begin than all this.
  std::memcpy(block, &empty_block, sizeof empty_block);
  block->sp = address_of(block);
  block->pc = address_of(start);
  block->limit = stack.limit;
  return block;
}

Fiber::Fiber(const StackSpan& stack, Function function, Threads threads)
    : stack_(stack),
      block_(prepare_block(stack, heddle_function_start)),
      function_(std::move(function)),
      threads_(threads),
      thread_(current_thread()) {
  block_->start_context = address_of(this);
  block_->start_code = reinterpret_cast<uint64_t>(&Fiber::main);  // SAFETY: heddle_function_start calls it with this signature.
  sanitizer::begin(&inside_, at<void>(stack_.base), stack_.size());
}

Fiber::~Fiber() {
  HEDDLE_CHECK(state_ != State::Running);
  sanitizer::end(&inside_);
  sanitizer::forget_frames(stack_.base, stack_.size());
}

HEDDLE_CROSSES_FIBERS uint64_t Fiber::main(Fiber* self, uint64_t value) {
  sanitizer::arrive(&self->inside_, &self->resumer_);
  const uint64_t result = self->function_(*self, value);
  sanitizer::leave(nullptr, self->resumer_);
  return result;
}

}  // namespace heddle

#include "continuation/exceptions.h"

#include <cstdlib>

namespace heddle {

static_assert(sizeof(VMException) % kSlotSize == 0);

Exceptions::~Exceptions() {
  while (first_ != nullptr) {
    VMException* exception = first_;
    first_ = exception->next;
    std::free(exception);
  }
}

VMException* Exceptions::allocate(VMTag* tag, uint32_t slots) {
  auto* exception = static_cast<VMException*>(std::calloc(1, sizeof(VMException) + uint64_t{slots} * kSlotSize));
  if (exception == nullptr) return nullptr;
  exception->tag = tag;
  exception->slots = slots;
  exception->next = first_;
  if (first_ != nullptr) first_->previous = exception;
  first_ = exception;
  live_++;
  return exception;
}

void Exceptions::release(VMException* exception) {
  if (exception->held != 0) return;
  if (exception->previous != nullptr) {
    exception->previous->next = exception->next;
  } else {
    first_ = exception->next;
  }
  if (exception->next != nullptr) exception->next->previous = exception->previous;
  live_--;
  std::free(exception);
}

}  // namespace heddle

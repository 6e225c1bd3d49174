#include "heap/exceptions.h"

#include "base/asm.h"
#include "heap/marker.h"

namespace heddle {

static_assert(sizeof(VMException) % kSlotSize == 0);

VMException* allocate_exception(Blocks* blocks, VMTag* tag, uint32_t slots) {
  auto* exception = static_cast<VMException*>(blocks->allocate(ObjectKind::Exception, sizeof(VMException) + uint64_t{slots} * kSlotSize));
  if (exception == nullptr) return nullptr;
  exception->tag = tag;
  exception->slots = slots;
  return exception;
}

void release_exception(Blocks* blocks, VMException* exception) {
  if (exception->held == 0) blocks->free(address_of(exception));
}

Kind exception_kind() {
  Kind kind;
  kind.trace = [](Marker* marker, uint64_t object) {
    const VMException* exception = at<VMException>(object);
    marker->word(address_of(exception->tag));
    marker->slots(object + sizeof(VMException), exception->slots);
  };
  return kind;
}

}  // namespace heddle

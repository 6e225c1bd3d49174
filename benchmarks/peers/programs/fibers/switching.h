/* Fibers by the instructions of stack switching: switching.wat has them, and is merged into the module. */
typedef uint32_t heddle_fiber;
typedef uint64_t (*heddle_fiber_function)(uint64_t value);
typedef struct {
  uint32_t next_free;
} fiber;
#include "slots.h"

#define SWITCHING(name) __attribute__((import_module("switching"), import_name(name)))
SWITCHING("create") void switching_create(uint32_t slot, heddle_fiber_function function);
SWITCHING("resume") uint64_t heddle_fiber_resume(heddle_fiber slot, uint64_t value);
SWITCHING("yield") uint64_t heddle_fiber_yield(uint64_t value);
SWITCHING("drop") void switching_drop(uint32_t slot);

static inline heddle_fiber heddle_fiber_new(heddle_fiber_function function) {
  const uint32_t slot = take_slot();
  switching_create(slot, function);
  return slot;
}

static inline void heddle_fiber_free(heddle_fiber slot) {
  switching_drop(slot);
  free_slot(slot);
}

// What AddressSanitizer wants to know of stack switches, and the same functions doing nothing without it.
#pragma once
#include <cstddef>
#include <cstdint>

#include "base/page.h"

#if defined(__SANITIZE_ADDRESS__)
#define HEDDLE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HEDDLE_ASAN 1
#endif
#endif

#if defined(HEDDLE_ASAN)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace heddle::sanitizer {

/// One side of a switch: its fake stack while it is away, and the bounds of the stack it was resumed from.
struct Context {
  void* fake_stack = nullptr;
  const void* other_base = nullptr;
  size_t other_size = 0;
};

#if defined(HEDDLE_ASAN)

/// Just before a switch to the stack at `base`. `self` is null when the current stack ends here.
inline void before_switch(Context* self, const void* base, size_t size) {
  __sanitizer_start_switch_fiber(self == nullptr ? nullptr : &self->fake_stack, base, size);
}
/// First thing after arriving; `self` learns where it came from.
inline void after_switch(Context* self) {
  __sanitizer_finish_switch_fiber(self->fake_stack, &self->other_base, &self->other_size);
}
/// The frames on this memory are gone: whatever they had poisoned is plain memory again.
inline void forget_frames(uint64_t base, size_t size) {
  __asan_unpoison_memory_region(at<void>(base), size);
}

#else

inline void before_switch(Context*, const void*, size_t) {}
inline void after_switch(Context*) {}
inline void forget_frames(uint64_t, size_t) {}

#endif

}  // namespace heddle::sanitizer

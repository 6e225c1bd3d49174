// What AddressSanitizer, ThreadSanitizer and Valgrind want to know of stack switches, and the same functions doing nothing without them.
//
// They are macros in all but name: ThreadSanitizer keeps a list of calls for each fiber, so who tells it of a switch must not be a function
// that begins on one fiber and ends on another.
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

#if defined(__SANITIZE_THREAD__)
#define HEDDLE_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HEDDLE_TSAN 1
#endif
#endif

#if defined(HEDDLE_ASAN)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(HEDDLE_TSAN)
#include <sanitizer/tsan_interface.h>
#endif
// The header's requests cost a few instructions where no Valgrind runs, and only where stacks are made. Without it Valgrind must guess.
#if defined(__has_include)
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#define HEDDLE_VALGRIND 1
#endif
#endif

#define HEDDLE_ALWAYS_INLINE __attribute__((always_inline)) inline
/// A function that begins on one fiber and ends on another.
#if defined(HEDDLE_TSAN) && defined(__clang__)
#define HEDDLE_CROSSES_FIBERS __attribute__((disable_sanitizer_instrumentation))
#elif defined(HEDDLE_TSAN)
#define HEDDLE_CROSSES_FIBERS __attribute__((no_sanitize_thread))
#else
#define HEDDLE_CROSSES_FIBERS
#endif

namespace heddle::sanitizer {

/// One side of a switch: a stack that is left or gone to.
struct Side {
  const void* base = nullptr;
  size_t size = 0;
  /// AddressSanitizer's fake stack while it is away.
  void* fake_stack = nullptr;
  /// ThreadSanitizer's name for it.
  void* fiber = nullptr;
  /// Valgrind's name for it.
  unsigned valgrind = 0;
};

/// A stack that is to be switched to.
HEDDLE_ALWAYS_INLINE void begin(Side* side, const void* base, size_t size) {
  side->base = base;
  side->size = size;
#if defined(HEDDLE_TSAN)
  side->fiber = __tsan_create_fiber(0);
#endif
#if defined(HEDDLE_VALGRIND)
  // The client request wants a pointer that it may write through, and never does.
  side->valgrind = VALGRIND_STACK_REGISTER(base, static_cast<const char*>(base) + size);
#endif
}

/// Nothing runs on it any more.
HEDDLE_ALWAYS_INLINE void end(Side* side) {
#if defined(HEDDLE_TSAN)
  __tsan_destroy_fiber(side->fiber);
#endif
#if defined(HEDDLE_VALGRIND)
  VALGRIND_STACK_DEREGISTER(side->valgrind);
#endif
  (void)side;
}

/// The side that is running now: who resumes says this before `leave`.
HEDDLE_ALWAYS_INLINE void note_running(Side* side) {
#if defined(HEDDLE_TSAN)
  side->fiber = __tsan_get_current_fiber();
#endif
  (void)side;
}

/// Just before a switch from `self` to `target`. `self` is null when the stack that is left ends.
HEDDLE_ALWAYS_INLINE void leave(Side* self, const Side& target) {
#if defined(HEDDLE_ASAN)
  __sanitizer_start_switch_fiber(self == nullptr ? nullptr : &self->fake_stack, target.base, target.size);
#endif
#if defined(HEDDLE_TSAN)
  __tsan_switch_to_fiber(target.fiber, 0);
#endif
  (void)self;
  (void)target;
}

/// First thing after arriving on `self`. `from`, where it is not null, learns the bounds of the stack that was left.
HEDDLE_ALWAYS_INLINE void arrive(Side* self, Side* from) {
#if defined(HEDDLE_ASAN)
  const void* base = nullptr;
  size_t size = 0;
  __sanitizer_finish_switch_fiber(self->fake_stack, &base, &size);
  if (from != nullptr) {
    from->base = base;
    from->size = size;
  }
#endif
  (void)self;
  (void)from;
}

/// Nobody may use this memory until `allow`: what a store of our own has given back. 8-aligned.
inline void forbid(uint64_t base, size_t size) {
#if defined(HEDDLE_ASAN)
  __asan_poison_memory_region(at<void>(base), size);
#endif
  (void)base;
  (void)size;
}
inline void allow(uint64_t base, size_t size) {
#if defined(HEDDLE_ASAN)
  __asan_unpoison_memory_region(at<void>(base), size);
#endif
  (void)base;
  (void)size;
}

/// The frames on this memory are gone: whatever they had poisoned is plain memory again.
inline void forget_frames(uint64_t base, size_t size) {
#if defined(HEDDLE_ASAN)
  __asan_unpoison_memory_region(at<void>(base), size);
#endif
  (void)base;
  (void)size;
}

}  // namespace heddle::sanitizer

// The thread's exceptions.
#pragma once
#include "base/layout.h"

namespace heddle {

/// Owns every exception of the thread. One that nobody holds is freed when a clause without a reference catches it; one that became an
/// exnref lives until the thread ends, for nothing traces references yet; one that a JavaScript object stands for lives as long as that
/// object.
class Exceptions {
 public:
  Exceptions() = default;
  ~Exceptions();
  Exceptions(const Exceptions&) = delete;
  Exceptions& operator=(const Exceptions&) = delete;

  /// An exception with zeroed slots; null without memory.
  VMException* allocate(VMTag* tag, uint32_t slots);
  /// Frees it unless it is held.
  void release(VMException* exception);
  uint64_t live() const { return live_; }

 private:
  VMException* first_ = nullptr;
  uint64_t live_ = 0;
};

}  // namespace heddle

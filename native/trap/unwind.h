// Finding the handler of an exception.
#pragma once
#include "continuation/runtime.h"

namespace heddle {

/// Where a handler goes on.
struct Landing {
  VMFiber* fiber;
  uint64_t sp;
  uint64_t fp;
  uint64_t pc;
  /// Whether it is that of a function called in an import's stead (VMInvoked), which takes every exception.
  bool is_invoked;
};

/// A call that has not returned: its fiber, the frame pointer of the calling function, the return address.
struct CallSite {
  VMFiber* fiber;
  uint64_t fp;
  uint64_t pc;
};

/// Whether a fiber has a frame at `fp`.
bool frame_on(const VMFiber* fiber, uint64_t fp);
/// The last library call of the thread.
CallSite library_call_site(const VMThread* thread);
/// Where a suspended continuation waits.
CallSite suspended_site(const VMContinuation* record);

/// The innermost handler around `site` for exceptions of `tag`; null means: of any tag. Looks at the site's fiber and at its parents up to
/// the one that the host runs. False when there is none.
bool find_landing(CallSite site, const VMTag* tag, Landing* landing);

/// The calls around `site`, up to the one that the host runs, do not return: the stack pointers come back that functions began with which
/// were called in the stead of imports (VMInvoked), the outermost last.
void restore_invoked(CallSite site);
/// That of a stack pointer's cell. Of a shadow stack that goes with the fiber it may have another place now.
void restore_stack_pointer(const Runtime* runtime, uint64_t cell, uint32_t pointer);

}  // namespace heddle

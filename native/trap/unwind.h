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
};

/// A call that has not returned: its fiber, the frame pointer of the calling function, the return address.
struct CallSite {
  VMFiber* fiber;
  uint64_t fp;
  uint64_t pc;
};

/// The last library call of the thread.
CallSite library_call_site(const VMThread* thread);
/// Where a suspended continuation waits.
CallSite suspended_site(const VMContinuation* record);

/// The innermost handler around `site` for exceptions of `tag`; null means: of any tag. Looks at the site's fiber and at its parents up to
/// the one that the host runs. False when there is none.
bool find_landing(CallSite site, const VMTag* tag, Landing* landing);

}  // namespace heddle

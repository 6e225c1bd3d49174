#include "trap/unwind.h"

#include "trap/sites.h"

namespace heddle {

namespace {

/// Whether the handler takes exceptions of `tag` in the frame whose stack pointer at the call is `sp`. A clause's tag number is where the
/// function's context has the VMTag's address.
bool takes(const CallHandler& handler, uint64_t sp, const VMTag* tag) {
  if (handler.tag < 0 || tag == nullptr) return true;
  if (handler.context_offset < 0) return false;
  const uint64_t context = *at<uint64_t>(sp + static_cast<uint64_t>(handler.context_offset));
  return *at<const VMTag*>(context + static_cast<uint64_t>(handler.tag)) == tag;
}

}  // namespace

CallSite library_call_site(const VMThread* thread) {
  return {thread->current, thread->exit_fp, thread->exit_pc};
}

CallSite suspended_site(const VMContinuation* record) {
  return {record->leaf, record->fiber->fp, record->fiber->pc};
}

bool find_landing(CallSite site, const VMTag* tag, Landing* landing) {
  const CodeReader reader;
  for (;;) {
    if (const CodeSites* sites = reader.find(site.pc)) {
      const auto [first, last] = sites->handlers_at(site.pc);
      for (const CallHandler* handler = first; handler != last; handler++) {
        const uint64_t sp = site.fp - handler->frame_offset;
        if (!takes(*handler, sp, tag)) continue;
        *landing = {site.fiber, sp, site.fp, sites->base + handler->handler_offset};
        return true;
      }
    }
    const uint64_t* frame = at<uint64_t>(site.fp);  // The saved frame pointer and the return address.
    if (frame[0] != 0) {
      site.fp = frame[0];
      site.pc = frame[1];
      continue;
    }
    // A fiber's base. Its control block holds where its resumer waits.
    if (is_host(site.fiber->parent)) return false;
    site = {site.fiber->parent, site.fiber->fp, site.fiber->pc};
  }
}

}  // namespace heddle

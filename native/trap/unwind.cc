#include "trap/unwind.h"

#include "trap/sites.h"

namespace heddle {

namespace {

/// Whether a scope of the handler, or one around it, takes exceptions of `tag` in the frame whose stack pointer at the call is `sp`; null
/// stands for an exception of any tag.
bool takes(const CodeSites& sites, const CallHandler& handler, uint64_t sp, const VMTag* tag) {
  if (tag == nullptr) return true;
  const int32_t* words = sites.scopes.begin();
  for (int32_t row = handler.scope; row >= 0; row = words[row]) {
    const int32_t* tags = words + row + 2;
    for (int32_t i = 0; i < words[row + 1]; i++) {
      if (tags[i] < 0) return true;
      const uint64_t context = *at<uint64_t>(sp + static_cast<uint64_t>(handler.context_offset));
      if (*at<const VMTag*>(context + static_cast<uint64_t>(tags[i])) == tag) return true;
    }
  }
  return false;
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
      if (const CallHandler* handler = sites->handler_at(site.pc)) {
        const uint64_t sp = site.fp - handler->frame_offset;
        if (takes(*sites, *handler, sp, tag)) {
          *landing = {site.fiber, sp, site.fp, sites->base + handler->handler_offset};
          return true;
        }
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

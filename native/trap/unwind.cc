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

/// Goes to where the fiber's resumer waits, which its control block holds. False where that is the host.
bool go_to_resumer(CallSite* site) {
  if (is_host(site->fiber->parent)) return false;
  *site = {site->fiber->parent, site->fiber->fp, site->fiber->pc};
  return true;
}

/// Goes to the call that the function at `site` was called by. False at the end of the chain.
bool go_out(CallSite* site) {
  const FrameLink* const link = link_at(site->fp);
  if (link->fp == 0) return go_to_resumer(site);  // A fiber's base.
  site->fp = link->fp;
  site->pc = link->pc;
  return true;
}

/// In the place of a tag (ts/lower/function/scopes.ts): the context is a VMInvoked.
constexpr int32_t kInvoked = -2;

bool is_invoked(const CodeSites& sites, const CallHandler& handler) {
  const int32_t* scope = sites.scopes.begin() + handler.scope;
  return scope[1] == 1 && scope[2] == kInvoked;
}

}  // namespace

bool frame_on(const VMFiber* fiber, uint64_t fp) {
  const StackSpan& span = static_cast<const Stack*>(fiber->stack)->span;
  return fp % 8 == 0 && fp >= span.base && fp + 16 <= span.top;
}

CallSite library_call_site(const VMThread* thread) {
  return {thread->current, thread->exit_fp, thread->exit_pc};
}

CallSite suspended_site(const VMContinuation* record) {
  return {record->leaf, record->fiber->fp, resume_pc(record->fiber)};
}

bool find_landing(CallSite site, const VMTag* tag, Landing* landing) {
  const CodeReader reader;
  for (;;) {
    if (const CodeSites* sites = reader.find(site.pc)) {
      if (const CallHandler* handler = sites->handler_at(site.pc)) {
        const uint64_t sp = site.fp - handler->frame_offset;
        if (takes(*sites, *handler, sp, tag)) {
          *landing = {site.fiber, sp, site.fp, sites->base + handler->handler_offset, is_invoked(*sites, *handler)};
          return true;
        }
      }
    }
    if (!go_out(&site)) return false;
  }
}

void restore_stack_pointer(const Runtime* runtime, uint64_t cell, uint32_t pointer) {
  uint64_t moved = pointer;
  for (const ShadowStack* stack : runtime->shadows) {
    if (stack->cell() == cell) stack->restore(pointer, &moved);
  }
  *at<uint32_t>(cell) = static_cast<uint32_t>(moved);
}

void restore_invoked(CallSite site) {
  const CodeReader reader;
  const Runtime* const runtime = Runtime::of(site.fiber->thread);
  // Where a fiber begins it has no frame yet, and one that has no room for a frame may have none that can be read.
  if (site.fp == 0 && !go_to_resumer(&site)) return;
  do {
    if (!frame_on(site.fiber, site.fp)) return;
    const CodeSites* const sites = reader.find(site.pc);
    const CallHandler* const handler = sites == nullptr ? nullptr : sites->handler_at(site.pc);
    if (handler == nullptr || !is_invoked(*sites, *handler)) continue;
    const auto* invoked =
        at<const VMInvoked>(*at<uint64_t>(site.fp - handler->frame_offset + static_cast<uint64_t>(handler->context_offset)));
    restore_stack_pointer(runtime, invoked->cell, static_cast<uint32_t>(invoked->pointer));
  } while (go_out(&site));
}

}  // namespace heddle

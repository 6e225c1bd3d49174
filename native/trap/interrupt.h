// Terminations and deadlines in long library calls: these do their work in pieces, and look between two whether they are to end, as
// generated code looks at its loops' headers.
#pragma once
#include <algorithm>

#include "base/asm.h"
#include "continuation/runtime.h"

namespace heddle {

/// Bytes that are filled or copied before the next look: a fraction of a millisecond, also where the kernel makes every page first.
inline constexpr uint64_t kPiece = uint64_t{1} << 20;

/// Serves the interrupt that is due: the trap that ends the call, or none. JavaScript may run meanwhile, but no collection.
Trap serve_interrupt(Runtime* runtime);

/// For library calls: whether the call is to end now. Then `*ended` is what the library call returns. Memories and tables may have moved
/// and grown where it is not to.
inline bool interrupted(VMThread* thread, HostResult* ended) {
  Runtime* runtime = Runtime::of(thread);
  if (__builtin_expect(runtime->armed.load(std::memory_order_relaxed) == 0, 1)) return false;
  const Trap code = serve_interrupt(runtime);
  if (code != Trap::None) *ended = raise_trap(thread, code);
  return code != Trap::None;
}

/// Calls `work(offset, size)` for all of [0, length), piece by piece, the last one first where `backwards`. Looks before each, so that many
/// short calls are seen as well as one long. The result is the library call's.
template <typename Work>
HostResult in_pieces(VMThread* thread, uint64_t length, uint64_t piece, bool backwards, Work work) {
  HostResult result{0, nullptr};
  for (uint64_t done = 0;;) {
    if (interrupted(thread, &result)) return result;
    const uint64_t size = std::min(piece, length - done);
    work(backwards ? length - done - size : done, size);
    done += size;
    if (done == length) return result;
  }
}

}  // namespace heddle

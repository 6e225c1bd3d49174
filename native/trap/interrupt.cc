#include "trap/interrupt.h"

#include <utility>

#include "continuation/announce.h"
#include "trap/watchdog.h"

namespace heddle {

namespace {

/// Runs on the host stack; the fiber waits. Decides how it goes on.
Trap look(Runtime* runtime) {
  if (runtime->poll != nullptr && !runtime->poll(runtime->embedder)) return Trap::Terminated;
  if (runtime->deadline.load() <= now_nanoseconds()) return Trap::Deadline;
  return Trap::None;
}

}  // namespace

Trap serve_interrupt(Runtime* runtime) {
  const uint32_t in_wasm = runtime->thread.in_wasm;
  __atomic_store_n(&runtime->thread.in_wasm, 0, __ATOMIC_RELAXED);
  disarm(runtime);
  runtime->no_collection++;  // Of what the fiber has in registers, or a library call in its own frame, a collector knows nothing.
  const Trap code = look(runtime);
  runtime->no_collection--;
  __atomic_store_n(&runtime->thread.in_wasm, in_wasm, __ATOMIC_RELAXED);
  return code;
}

extern "C" uint64_t heddle_on_interrupt(VMThread* thread) {
  Runtime* runtime = Runtime::of(thread);
  sanitizer::go_to_host(runtime);
  // The poll may come back into WebAssembly; what the signal handler noted of this interrupt must survive it.
  const uint64_t pc = thread->trap_pc, fp = thread->trap_fp, sp = thread->trap_sp;
  // For who looks at the fibers now; a return address lies behind the instruction that it belongs to. (At a function's beginning the frame
  // is its caller's still, whose caller this shows as the next.)
  thread->exit_sp = sp;
  thread->exit_fp = fp;
  thread->exit_pc = pc + 1;
  const void* const outer_stopped = std::exchange(runtime->stopped, thread->entry);
  const Trap code = serve_interrupt(runtime);
  runtime->stopped = outer_stopped;
  thread->trap_pc = pc;
  thread->trap_fp = fp;
  thread->trap_sp = sp;
  thread->trap_code = static_cast<uint32_t>(code);
  thread->trap_detail = ~uint64_t{0};
  sanitizer::go_to_fiber(runtime, thread->current);
  return static_cast<uint64_t>(code);
}

}  // namespace heddle

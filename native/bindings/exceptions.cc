#include "bindings/exceptions.h"

#include "bindings/arguments.h"
#include "bindings/host_call.h"
#include "bindings/memory.h"
#include "heap/exceptions.h"
#include "trap/interrupt.h"
#include "trap/resumption.h"
#include "trap/unwind.h"

namespace heddle {

namespace {

/// Gives up the fibers inside the landing's and goes on there.
HostResult land(Runtime* runtime, const Landing& landing, VMException* exception) {
  VMThread* thread = &runtime->thread;
  runtime->release_chain(landing.fiber);
  thread->current = landing.fiber;
  __atomic_store_n(&thread->stack_limit, landing.fiber->limit, __ATOMIC_RELAXED);
  thread->unwind_sp = landing.sp;
  thread->unwind_fp = landing.fp;
  thread->unwind_pc = landing.pc;
  thread->unwind_p0 = address_of(exception);
  thread->unwind_p1 = 0;
  return {0, thread};
}

VMException* new_exception(Heap* heap, VMTag* tag, uint64_t slots) {
  heap->note(sizeof(VMException) + slots * kSlotSize);
  return allocate_exception(&heap->blocks, tag, static_cast<uint32_t>(slots));
}

HostResult exception_new(VMThread* thread, uint64_t tag, uint64_t slots, uint64_t, uint64_t) {
  Heap* heap = &Engine::of(thread)->heap;
  const VMException* exception = heap->make_at_safepoint({tag}, [=] { return new_exception(heap, at<VMTag>(tag), slots); });
  if (exception == nullptr) return raise_trap(thread, Trap::OutOfMemory, kRefusedHeap);
  return {address_of(exception), nullptr};
}

HostResult throw_ref(VMThread* thread, uint64_t exception, uint64_t, uint64_t, uint64_t) {
  if (exception == 0) return raise_trap(thread, Trap::NullException);
  return raise_exception(Engine::of(thread), at<VMException>(exception));
}

HostResult exception_release(VMThread* thread, uint64_t exception, uint64_t, uint64_t, uint64_t) {
  release_exception(&Engine::of(thread)->heap.blocks, at<VMException>(exception));
  return {0, nullptr};
}

/// The record's handle is consumed. When this returns, the record's fiber goes on at the handler once it is switched to with the payload
/// words.
HostResult cont_throw(VMThread* thread, uint64_t address, uint64_t exception_address, uint64_t, uint64_t) {
  Runtime* runtime = Runtime::of(thread);
  VMContinuation* record = at<VMContinuation>(address);
  VMException* exception = at<VMException>(exception_address);
  if (const uint64_t refused = runtime->wake_or_reclaim(record, {address, exception_address})) {
    release_exception(&Engine::of(thread)->heap.blocks, exception);
    return refuse_version(thread, record, refused);
  }
  if (record->fiber == nullptr) {
    runtime->release_continuation(record);
    return raise_exception(Engine::of(thread), exception);
  }
  if (!aim_at_handler(runtime, record, exception->tag)) {
    runtime->release_fibers(record->leaf, nullptr);
    return raise_exception(Engine::of(thread), exception);
  }
  return {0, nullptr};
}

/// Keeps a value, or what an exception is, for who calls the function that threw it. False where no handler may see it, or with an
/// exception pending.
bool keep_thrown(Engine* engine, napi_value thrown, bool is_exception) {
  bool kept = false;
  napi_value flag = nullptr;
  napi_get_boolean(engine->env, is_exception, &flag);
  const napi_value result = call_hook(engine, engine->hooks.keep_thrown, {thrown, flag});
  return result != nullptr && napi_get_value_bool(engine->env, result, &kept) == napi_ok && kept;
}

/// The import that a function was called in the stead of is to throw what that has thrown, or not: JavaScript decides, and does what it
/// does besides. It gets the exception where it calls the function (Engine::throws_again). A value of JavaScript's was kept before it came
/// here, and there is no exception for it.
HostResult invoke_failed(VMThread* thread, uint64_t import, uint64_t exception_address, uint64_t stack, uint64_t function) {
  Engine* engine = Engine::of(thread);
  auto* exception = at<VMException>(exception_address);
  restore_stack_pointer(&engine->runtime, at<VMHostFunction>(import)->stack, static_cast<uint32_t>(stack));
  if (exception != nullptr) {
    // No JavaScript sees a cancellation.
    if (exception->tag == engine->cancellation) return raise_exception(engine, exception);
    const HostScope scope(engine);
    const bool kept = keep_thrown(engine, make_number(engine->env, static_cast<double>(exception_address)), true);
    release_exception(&engine->heap.blocks, exception);
    if (!kept) return raise_pending(engine);
  }
  engine->throws_again = at<const VMFunction>(function);
  return {0, nullptr};
}

napi_value create_exception(napi_env env, napi_callback_info info) {
  Arguments in(env, info);
  VMTag* tag = in.object<VMTag>(0);
  const uint64_t slots = in.number(1), held = in.number(2);
  if (!in) return nullptr;
  VMException* exception = new_exception(&in.engine()->heap, tag, slots);
  if (exception == nullptr) {
    napi_throw_range_error(env, "HEDDLE_MEMORY", "no memory for an exception");
    return nullptr;
  }
  exception->held = static_cast<uint32_t>(held);
  return make_number(env, static_cast<double>(address_of(exception)));
}

}  // namespace

VMException* exception_of(Engine* engine, napi_value value) {
  double address = 0;
  napi_value result = call_hook(engine, engine->hooks.caught, {value});
  if (result == nullptr || napi_get_value_double(engine->env, result, &address) != napi_ok) return nullptr;
  return at<VMException>(static_cast<uint64_t>(address));
}

void throw_exception(Engine* engine, VMException* exception) {
  napi_value value = call_hook(engine, engine->hooks.thrown, {make_number(engine->env, static_cast<double>(address_of(exception)))});
  release_exception(&engine->heap.blocks, exception);
  if (value != nullptr) napi_throw(engine->env, value);  // Otherwise what made the hook fail is pending.
}

void throw_kept(Engine* engine) {
  engine->throws_again = nullptr;
  call_hook(engine, engine->hooks.throw_kept, {});
}

HostResult raise_exception(Engine* engine, VMException* exception) {
  VMThread* thread = &engine->runtime.thread;
  Landing landing;
  HostResult ended;
  if (interrupted(thread, &ended)) {
    release_exception(&engine->heap.blocks, exception);
    return ended;
  }
  if (find_landing(library_call_site(thread), exception->tag, &landing)) return land(&engine->runtime, landing, exception);
  const HostScope scope(engine);
  throw_exception(engine, exception);
  return raise_error(thread);
}

HostResult raise_cancellation(Engine* engine) {
  VMException* exception = engine->cancellation == nullptr ? nullptr : new_exception(&engine->heap, engine->cancellation, 0);
  if (exception == nullptr) return raise_trap(&engine->runtime.thread, Trap::Cancelled);
  return raise_exception(engine, exception);
}

/// An error of JavaScript's comes to WebAssembly's frames, which its stack is to have.
__attribute__((noinline)) static void show_passed(Engine* engine) {
  const HostScope scope(engine);
  napi_value value = nullptr, ignored = nullptr;
  bool pending = false, is_error = false;
  if (napi_is_exception_pending(engine->env, &pending) != napi_ok || !pending) return;
  if (napi_get_and_clear_last_exception(engine->env, &value) != napi_ok) return;
  if (!engine->frames_lost && napi_is_error(engine->env, value, &is_error) == napi_ok && is_error) {
    if (call_hook(engine, engine->hooks.passed, {value}) == nullptr) {
      engine->frames_lost = true;
      napi_get_and_clear_last_exception(engine->env, &ignored);
    }
  }
  const auto* entry = static_cast<const OuterEntry*>(engine->runtime.thread.entry);
  if (entry == nullptr || entry->outer == nullptr) engine->frames_lost = false;
  napi_throw(engine->env, value);
}

HostResult raise_pending(Engine* engine) {
  VMThread* thread = &engine->runtime.thread;
  Landing landing;
  show_passed(engine);
  if (!find_landing(library_call_site(thread), nullptr, &landing)) return raise_error(thread);
  const HostScope scope(engine);
  napi_value value = nullptr;
  bool pending = false;
  if (napi_is_exception_pending(engine->env, &pending) != napi_ok || !pending) return raise_error(thread);
  if (napi_get_and_clear_last_exception(engine->env, &value) != napi_ok) return raise_error(thread);
  if (landing.is_invoked && keep_thrown(engine, value, false)) {
    return refresh_unguarded(engine) ? land(&engine->runtime, landing, nullptr) : raise_error(thread);
  }
  VMException* exception = landing.is_invoked ? nullptr : exception_of(engine, value);
  if (exception == nullptr) {
    napi_is_exception_pending(engine->env, &pending);
    if (!pending) napi_throw(engine->env, value);
    return raise_error(thread);
  }
  if (find_landing(library_call_site(thread), exception->tag, &landing)) {
    // What has thrown may have grown a memory before.
    return refresh_unguarded(engine) ? land(&engine->runtime, landing, exception) : raise_error(thread);
  }
  release_exception(&engine->heap.blocks, exception);
  napi_throw(engine->env, value);
  return raise_error(thread);
}

void install_exception_libcalls(Runtime* runtime) {
  runtime->set_libcall(Libcall::ExceptionNew, exception_new);
  runtime->set_libcall(Libcall::ThrowRef, throw_ref);
  runtime->set_libcall(Libcall::ExceptionRelease, exception_release);
  runtime->set_libcall(Libcall::ContThrow, cont_throw);
  runtime->set_libcall(Libcall::InvokeFailed, invoke_failed);
}

void define_exception_functions(napi_env env, napi_value exports) {
  define_functions(env, exports, {{"createException", create_exception}});
}

}  // namespace heddle

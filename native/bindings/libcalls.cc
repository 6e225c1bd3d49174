// The library calls that are not of one object: types and traps.
#include "bindings/atomics.h"
#include "bindings/engine.h"
#include "bindings/exceptions.h"
#include "bindings/gc_objects.h"
#include "bindings/host_call.h"
#include "bindings/lazy_functions.h"
#include "bindings/memory.h"
#include "bindings/table.h"

namespace heddle {

namespace {

HostResult is_subtype(VMThread* thread, uint64_t actual, uint64_t expected, uint64_t, uint64_t) {
  const Descriptors& types = Engine::of(thread)->heap.descriptors;
  const bool fits = types.is_subtype(static_cast<uint32_t>(actual), static_cast<uint32_t>(expected));
  return {fits ? uint64_t{1} : uint64_t{0}, nullptr};
}

HostResult trap(VMThread* thread, uint64_t code, uint64_t, uint64_t, uint64_t) {
  return raise_trap(thread, static_cast<Trap>(code));
}

}  // namespace

void install_binding_libcalls(Runtime* runtime) {
  runtime->set_libcall(Libcall::CallImport, call_import);
  runtime->set_libcall(Libcall::WaitImport, wait_import);
  runtime->set_libcall(Libcall::IsSubtype, is_subtype);
  runtime->set_libcall(Libcall::Trap, trap);
  install_atomic_libcalls(runtime);
  install_exception_libcalls(runtime);
  install_object_libcalls(runtime);
  install_lazy_libcalls(runtime);
  install_memory_libcalls(runtime);
  install_table_libcalls(runtime);
}

}  // namespace heddle

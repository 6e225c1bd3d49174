// How the objects of JavaScript's API are traced and freed.
#include <cstdlib>

#include "bindings/memory.h"
#include "bindings/table.h"
#include "continuation/fiber_table.h"

namespace heddle {

namespace {

Engine* engine_of(void* embedder) {
  return static_cast<Engine*>(embedder);
}

void release_reference(Engine* engine, napi_ref reference) {
  if (reference != nullptr && !engine->ending) napi_delete_reference(engine->env, reference);
}

void trace_instance(Marker* marker, uint64_t object) {
  const VMInstance* context = at<VMInstance>(object);
  const auto* instance = static_cast<const InstanceObject*>(context->data);
  marker->word(instance->code->base());
  marker->word(address_of(context->memory0));
  marker->words(object + sizeof(VMInstance), object + instance->traced);
  if (context->fibers != nullptr)
    static_cast<const FiberTable*>(context->fibers)->each([marker](uint64_t handle) { marker->word(handle); });
  if (instance->shadow != nullptr) marker->word(address_of(instance->shadow->owner()));
  for (const auto& [segment, words] : instance->elements) {
    marker->words(address_of(words.data()), address_of(words.data() + words.size()));
  }
}

void free_instance(void* embedder, uint64_t object) {
  auto* instance = static_cast<InstanceObject*>(at<VMInstance>(object)->data);
  if (instance->shadow != nullptr) instance->shadow->detach();
  delete static_cast<FiberTable*>(instance->context->fibers);
  delete instance;
  int64_t now = 0;
  if (!engine_of(embedder)->ending) napi_adjust_external_memory(engine_of(embedder)->env, -kInstanceWeight, &now);
}

void trace_table(Marker* marker, uint64_t object) {
  const VMTable& table = at<TableObject>(object)->vm;
  marker->type(at<TableObject>(object)->type);
  marker->words(table.base, table.base + table.length * sizeof(uint64_t));
}

void free_table(void*, uint64_t object) {
  release_elements(&at<TableObject>(object)->vm);
}

void finalize_memory(void*, uint64_t object) {
  forget_memory(at<MemoryObject>(object));
}

void trace_tag(Marker* marker, uint64_t object) {
  marker->type(at<VMTag>(object)->type);
}

void free_tag(void* embedder, uint64_t object) {
  engine_of(embedder)->roots.tag_freed(at<VMTag>(object)->id);
}

void trace_global(Marker* marker, uint64_t object) {
  marker->word(at<Cell>(object)->words[0]);
  marker->type(at<Cell>(object)->type);
}

void trace_host_function(Marker* marker, uint64_t object) {
  const HostObject* host = at<HostObject>(object);
  marker->word(host->function.code);
  marker->word(host->function.enter);
  marker->type(host->vm.type);
  if (host->vm.callee == 0) return;
  marker->word(address_of(host->vm.table));
  marker->word(host->vm.stack);
  marker->word(host->vm.plain);
  marker->type(host->vm.callee);
}

void free_host_function(void* embedder, uint64_t object) {
  const HostObject* host = at<HostObject>(object);
  release_reference(engine_of(embedder), host->callee);
  if (host->kind == kHostSuspending) engine_of(embedder)->roots.import_freed(host->vm.id);
  if (host->kind == kHostNumbers) engine_of(embedder)->roots.call_freed(host->number);
}

void trace_types(Marker* marker, uint64_t object) {
  const auto* types = at<TypeList>(object);
  for (uint64_t i = 0; i < types->count; i++) marker->type(types->ids()[i]);
}

}  // namespace

void define_kinds(Heap* heap) {
  heap->define(ObjectKind::Instance, {trace_instance, free_instance});
  heap->define(ObjectKind::Table, {trace_table, free_table});
  heap->define(ObjectKind::Memory, {nullptr, finalize_memory});
  heap->define(ObjectKind::Tag, {trace_tag, free_tag});
  heap->define(ObjectKind::Global, {trace_global, nullptr});
  heap->define(ObjectKind::HostFunction, {trace_host_function, free_host_function});
  heap->define(ObjectKind::Types, {trace_types, nullptr});
}

}  // namespace heddle

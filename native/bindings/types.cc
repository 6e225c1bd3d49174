#include "bindings/types.h"

#include <cinttypes>
#include <cstdio>
#include <cstdlib>

namespace heddle {

namespace {

/// Looks at objects themselves, not at what the collector marked.
class TypeCheck {
 public:
  explicit TypeCheck(const Engine& engine) : engine_(engine) {}

  void run() const {
    engine_.heap.blocks.each([this](uint64_t object) { look_at(object); });
    const Runtime& runtime = engine_.runtime;
    for (const NamedTag& named : runtime.named_tags) function(&named.function, "a tag made at run time");
    for (uint64_t i = 1; i < runtime.records.end(); i++) {
      const VMContinuation* record = runtime.thread.continuations + i;
      const auto state = static_cast<State>(record->state);
      if (state == State::Fresh || state == State::Suspended || state == State::Parked) function(record->function, "a continuation");
    }
  }

 private:
  void look_at(uint64_t object) const {
    switch (engine_.heap.blocks.kind_of(object)) {
      case ObjectKind::Instance:
        return instance(at<VMInstance>(object));
      case ObjectKind::HostFunction:
        return function(&at<HostObject>(object)->function, "an imported function");
      case ObjectKind::Tag:
        return exists(at<VMTag>(object)->type, "a tag");
      case ObjectKind::Exception:
        return exists(at<VMException>(object)->tag->type, "an exception");
      case ObjectKind::Table:
        return exists(at<TableObject>(object)->type, "a table");
      case ObjectKind::Global:
        return exists(at<Cell>(object)->type, "a global");
      case ObjectKind::Types:
        for (uint64_t i = 0; i < at<TypeList>(object)->count; i++) exists(at<const TypeList>(object)->ids()[i], "a module");
        return;
      case ObjectKind::Object:
        return exists(at<VMObject>(object)->type, "a structure or array");
      case ObjectKind::Memory:
        return;
    }
  }

  /// An instance's functions are the first that lie behind what is traced, and have itself for their context.
  void instance(const VMInstance* context) const {
    const auto* object = static_cast<const InstanceObject*>(context->data);
    for (size_t offset = object->traced; offset + sizeof(VMFunction) <= object->size; offset += sizeof(VMFunction)) {
      const auto* found = at<const VMFunction>(address_of(context) + offset);
      if (found->context != context) return;
      function(found, "an instance");
    }
  }

  void function(const VMFunction* found, const char* holder) const {
    exists(found->type, holder);
    const FunctionType* type = engine_.type(found->type);
    if (type == nullptr || type->slots() != found->slots) fail(found->type, holder);
  }

  void exists(uint32_t id, const char* holder) const {
    if (id != 0 && !engine_.heap.types.has(id)) fail(id, holder);
  }

  [[noreturn]] static void fail(uint32_t id, const char* holder) {
    std::fprintf(stderr, "heddle: %s names type %" PRIu32 ", which is no more, or another\n", holder, id);
    std::abort();
  }

  const Engine& engine_;
};

}  // namespace

void check_types(const Engine& engine) {
  TypeCheck(engine).run();
}

}  // namespace heddle

#include "bindings/javascript_roots.h"

#include <algorithm>

#include "bindings/arguments.h"
#include "bindings/host_call.h"

namespace heddle {

namespace {

constexpr uint64_t kGuardedSpan = uint64_t{8} << 30;
/// References that are read in one handle scope.
constexpr size_t kScope = 1024;

napi_value numbers(napi_env env, const double* values, size_t count) {
  void* data = nullptr;
  napi_value buffer = nullptr, array = nullptr;
  if (napi_create_arraybuffer(env, count * sizeof(double), &data, &buffer) != napi_ok) return nullptr;
  std::copy_n(values, count, static_cast<double*>(data));
  napi_create_typedarray(env, napi_float64_array, count, buffer, 0, &array);
  return array;
}

template <typename T>
napi_value numbers(napi_env env, const std::vector<T>& values) {
  const std::vector<double> wide(values.begin(), values.end());
  return numbers(env, wide.data(), wide.size());
}

}  // namespace

bool JavaScriptRoots::hold(uint64_t word, napi_value object) {
  napi_ref reference = nullptr;
  if (napi_create_reference(engine_->env, object, 0, &reference) != napi_ok) return false;
  napi_ref& known = holders_[word];
  if (known != nullptr) napi_delete_reference(engine_->env, known);
  known = reference;
  return true;
}

napi_value JavaScriptRoots::holder(uint64_t word) const {
  const auto found = holders_.find(word);
  return found == holders_.end() ? nullptr : engine_->value_of(found->second);
}

void JavaScriptRoots::use_memory(MemoryObject* memory) const {
  uint32_t count = 0;
  if (!memory->strong && memory->reference() != nullptr) napi_reference_ref(engine_->env, memory->reference(), &count);
  memory->strong = true;
}

std::vector<MemoryRange> JavaScriptRoots::memories() {
  std::vector<MemoryRange> ranges;
  for (const MemoryObject* memory : engine_->memories) {
    const uint64_t base = memory->vm.base;
    const uint64_t size = memory->vm.guarded != 0 ? kGuardedSpan : memory->vm.bytes;
    if (base != 0) ranges.push_back({base, base + size, address_of(memory)});
  }
  std::sort(ranges.begin(), ranges.end(), [](const MemoryRange& a, const MemoryRange& b) { return a.base < b.base; });
  return ranges;
}

void JavaScriptRoots::mark_roots(Marker* marker) {
  for (auto holder = holders_.begin(); holder != holders_.end();) {
    const HostScope scope(engine_);
    for (size_t i = 0; i < kScope && holder != holders_.end(); i++) {
      if (engine_->value_of(holder->second) != nullptr) {
        marker->word(holder->first);
        ++holder;
        continue;
      }
      napi_delete_reference(engine_->env, holder->second);
      holder = holders_.erase(holder);
    }
  }
}

void JavaScriptRoots::marked(Blocks* blocks) {
  const HostScope scope(engine_);
  for (MemoryObject* memory : engine_->memories) {
    const uint64_t object = address_of(memory);
    if (blocks->is_marked(object)) {
      use_memory(memory);
      continue;
    }
    const napi_ref reference = memory->reference();
    if (reference == nullptr) continue;
    uint32_t count = 0;
    if (memory->strong) napi_reference_unref(engine_->env, reference, &count);
    memory->strong = false;
    // JavaScript may use it again, and then finds the same object; and nothing is unmapped below an ArrayBuffer.
    if (engine_->value_of(reference) != nullptr) blocks->mark(object);
  }
}

void JavaScriptRoots::swept(const std::vector<int32_t>& codes) {
  if (engine_->hooks.collected == nullptr) return;
  if (codes.empty() && freed_tags_.empty() && freed_imports_.empty() && engine_->heap.externs.count == 0) return;
  napi_env env = engine_->env;
  const HostScope scope(engine_);
  bool pending = false;
  if (napi_is_exception_pending(env, &pending) != napi_ok || pending)
    return;  // The values that were not found go with the next collection.
  napi_value nothing = nullptr, ignored = nullptr;
  napi_get_undefined(env, &nothing);
  const napi_value arguments[3] = {numbers(env, freed_tags_), numbers(env, codes), numbers(env, freed_imports_)};
  if (arguments[0] == nullptr || arguments[1] == nullptr || arguments[2] == nullptr) return;
  freed_tags_.clear();
  freed_imports_.clear();
  // Only a termination can fail it, which stays pending in V8.
  if (napi_call_function(env, nothing, engine_->value_of(engine_->hooks.collected), 3, arguments, &ignored) != napi_ok) {
    napi_get_and_clear_last_exception(env, &ignored);
  }
}

}  // namespace heddle

#include "bindings/javascript_roots.h"

#include <algorithm>

#include "bindings/arguments.h"
#include "bindings/host_call.h"
#include "bindings/types.h"

namespace heddle {

namespace {

constexpr uint64_t kGuardedSpan = uint64_t{8} << 30;
/// References that are read in one handle scope.
constexpr size_t kScope = 1024;

/// A plain array: collections come often and mostly free little, and the memory of an ArrayBuffer outlives its turn of the event loop.
template <typename T>
napi_value numbers(napi_env env, const std::vector<T>& values) {
  napi_value array = nullptr;
  if (napi_create_array_with_length(env, values.size(), &array) != napi_ok) return nullptr;
  for (size_t i = 0; i < values.size(); i++) {
    napi_value value = nullptr;
    if (napi_create_double(env, static_cast<double>(values[i]), &value) != napi_ok) return nullptr;
    if (!define_element(env, array, i, value)) return nullptr;
  }
  return array;
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

bool JavaScriptRoots::note_cache(napi_value cache) {
  napi_ref reference = nullptr;
  if (napi_create_reference(engine_->env, cache, 0, &reference) != napi_ok) return false;
  caches_.push_back(reference);
  return true;
}

void JavaScriptRoots::empty_caches() {
  std::vector<napi_ref> kept;
  for (const napi_ref reference : caches_) {
    const HostScope scope(engine_);
    const napi_value cache = engine_->value_of(reference);
    if (cache == nullptr) {
      napi_delete_reference(engine_->env, reference);
      continue;
    }
    kept.push_back(reference);
    // Only a termination can fail it, which stays pending in V8.
    if (call_hook(engine_, engine_->hooks.uncache, {cache}) == nullptr) {
      napi_value ignored = nullptr;
      napi_get_and_clear_last_exception(engine_->env, &ignored);
    }
  }
  caches_ = std::move(kept);
}

void JavaScriptRoots::use_memory(MemoryObject* memory) const {
  uint32_t count = 0;
  if (!memory->strong && memory->reference() != nullptr) napi_reference_ref(engine_->env, memory->reference(), &count);
  memory->strong = true;
}

std::vector<MemoryRange> JavaScriptRoots::memories() {
  std::vector<MemoryRange> ranges;
  const HostScope scope(engine_);
  for (const MemoryObject* memory : engine_->memories) {
    // One of V8's that it has collected has no range: another's may lie there now.
    if (!memory->is_mapped() && !memory->strong && engine_->value_of(memory->object) == nullptr) continue;
    const uint64_t base = memory->vm.base;
    const uint64_t size = memory->vm.guarded != 0 ? kGuardedSpan : memory->vm.bytes;
    if (base != 0) ranges.push_back({base, base + size, address_of(memory)});
  }
  std::sort(ranges.begin(), ranges.end(), [](const MemoryRange& a, const MemoryRange& b) { return a.base < b.base; });
  return ranges;
}

void JavaScriptRoots::mark_roots(Marker* marker) {
  for (size_t i = 0; i < engine_->mailbox_roots; i++) marker->word(engine_->mailbox()[kMailboxValues + i]);
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
  freed_codes_.insert(freed_codes_.end(), codes.begin(), codes.end());
  napi_env env = engine_->env;
  const HostScope scope(engine_);
  bool pending = false;
  // What was freed now is told after the next collection.
  if (napi_is_exception_pending(env, &pending) != napi_ok || pending) return;
  empty_caches();
  napi_value nothing = nullptr, ignored = nullptr;
  napi_get_undefined(env, &nothing);
  const napi_value arguments[4] = {numbers(env, freed_tags_), numbers(env, freed_codes_), numbers(env, freed_imports_),
                                   numbers(env, freed_calls_)};
  for (const napi_value argument : arguments) {
    if (argument == nullptr) return;
  }
  freed_tags_.clear();
  freed_codes_.clear();
  freed_imports_.clear();
  freed_calls_.clear();
  // Only a termination can fail it, which stays pending in V8.
  if (napi_call_function(env, nothing, engine_->value_of(engine_->hooks.collected), 4, arguments, &ignored) != napi_ok) {
    napi_get_and_clear_last_exception(env, &ignored);
    return;
  }
  if (engine_->check_types) check_types(*engine_);
}

}  // namespace heddle

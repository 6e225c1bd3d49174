#include "bindings/table.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace heddle {

namespace {

/// The JS API's implementation limit.
constexpr uint64_t kMostElements = 10'000'000;

uint64_t* elements_of(const VMTable* table) {
  return at<uint64_t>(table->base);
}

bool in_bounds(uint64_t start, uint64_t count, uint64_t length) {
  return count <= length && start <= length - count;
}

HostResult table_grow(VMThread*, uint64_t table, uint64_t delta, uint64_t value, uint64_t) {
  return {static_cast<uint64_t>(grow_table(at<VMTable>(table), delta, value)), nullptr};
}

HostResult table_fill(VMThread* thread, uint64_t address, uint64_t start, uint64_t value, uint64_t count) {
  VMTable* table = at<VMTable>(address);
  if (!in_bounds(start, count, table->length)) return raise_trap(thread, Trap::TableBounds);
  std::fill_n(elements_of(table) + start, count, value);
  return {0, nullptr};
}

HostResult table_copy(VMThread* thread, uint64_t address, uint64_t to, uint64_t from, uint64_t count) {
  VMTable* target = at<VMTable>(address);
  VMTable* source = at<VMTable>(thread->scratch0);
  if (!in_bounds(to, count, target->length) || !in_bounds(from, count, source->length)) return raise_trap(thread, Trap::TableBounds);
  if (count != 0) std::memmove(elements_of(target) + to, elements_of(source) + from, count * sizeof(uint64_t));
  return {0, nullptr};
}

HostResult table_init(VMThread* thread, uint64_t address, uint64_t to, uint64_t from, uint64_t count) {
  VMTable* table = at<VMTable>(address);
  auto* instance = static_cast<InstanceObject*>(at<VMInstance>(thread->scratch0)->data);
  const auto found = instance->elements.find(static_cast<uint32_t>(thread->scratch1));
  const uint64_t available = found == instance->elements.end() ? 0 : found->second.size();
  if (!in_bounds(to, count, table->length) || !in_bounds(from, count, available)) return raise_trap(thread, Trap::TableBounds);
  if (count != 0) std::memcpy(elements_of(table) + to, found->second.data() + from, count * sizeof(uint64_t));
  return {0, nullptr};
}

HostResult elem_drop(VMThread*, uint64_t instance, uint64_t segment, uint64_t, uint64_t) {
  static_cast<InstanceObject*>(at<VMInstance>(instance)->data)->elements.erase(static_cast<uint32_t>(segment));
  return {0, nullptr};
}

}  // namespace

int64_t grow_table(VMTable* table, uint64_t delta, uint64_t fill) {
  const uint64_t old = table->length;
  const uint64_t most = std::min(table->maximum, kMostElements);
  if (delta > most || old > most - delta) return -1;
  const uint64_t length = old + delta;
  if (length > table->capacity) {
    const uint64_t capacity = std::min(most, std::max(length, table->capacity + table->capacity / 2));
    void* memory = std::realloc(at<void>(table->base), capacity * sizeof(uint64_t));
    if (memory == nullptr) return -1;
    table->base = address_of(memory);
    table->capacity = capacity;
  }
  std::fill_n(elements_of(table) + old, delta, fill);
  table->length = length;
  return static_cast<int64_t>(old);
}

bool copy_into_table(VMTable* table, uint64_t start, const double* words, size_t count) {
  if (!in_bounds(start, count, table->length)) return false;
  std::transform(words, words + count, elements_of(table) + start, [](double word) { return static_cast<uint64_t>(word); });
  return true;
}

void install_table_libcalls(Runtime* runtime) {
  runtime->set_libcall(Libcall::TableGrow, table_grow);
  runtime->set_libcall(Libcall::TableFill, table_fill);
  runtime->set_libcall(Libcall::TableCopy, table_copy);
  runtime->set_libcall(Libcall::TableInit, table_init);
  runtime->set_libcall(Libcall::ElemDrop, elem_drop);
}

}  // namespace heddle

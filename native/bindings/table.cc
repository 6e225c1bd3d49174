#include "bindings/table.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "trap/interrupt.h"

namespace heddle {

namespace {

/// The JS API's implementation limit.
constexpr uint64_t kMostElements = 10'000'000;
constexpr uint64_t kPieceElements = kPiece / sizeof(uint64_t);

uint64_t* elements_of(const VMTable* table) {
  return at<uint64_t>(table->base);
}

bool in_bounds(uint64_t start, uint64_t count, uint64_t length) {
  return count <= length && start <= length - count;
}

ElementStore* store_of(const VMTable* table) {
  return table->base == 0 ? nullptr : at<ElementStore>(table->base - sizeof(ElementStore));
}

void release_store(ElementStore* store) {
  if (--store->owners == 0) std::free(store);
}

/// A table's length or place is another: what TypeScript knows of tables is old.
void tables_changed(const Engine* engine) {
  if (engine->mailbox() == nullptr) return;
  double count = 0;
  std::memcpy(&count, engine->mailbox() + kMailboxTables, sizeof(count));
  count++;
  std::memcpy(engine->mailbox() + kMailboxTables, &count, sizeof(count));
}

/// A store for `capacity` elements, of which the first are those of `table`; null without memory. The table has not the old one any more.
ElementStore* larger_store(const VMTable* table, uint64_t capacity) {
  ElementStore* old = store_of(table);
  const size_t bytes = sizeof(ElementStore) + capacity * sizeof(uint64_t);
  // What a view shows stays where it is.
  const bool viewed = old != nullptr && old->owners > 1;
  auto* store = static_cast<ElementStore*>(viewed ? std::malloc(bytes) : std::realloc(old, bytes));
  if (store == nullptr) return nullptr;
  store->owners = 1;
  if (viewed) {
    std::memcpy(store + 1, old + 1, table->length * sizeof(uint64_t));
    release_store(old);
  }
  return store;
}

/// Room for `delta` more elements, whose contents do not matter yet. False where there may not be so many, or there is no memory.
bool make_room(Engine* engine, VMTable* table, uint64_t delta) {
  const uint64_t most = std::min(table->maximum, kMostElements);
  if (delta > most || table->length > most - delta) return false;
  const uint64_t length = table->length + delta;
  if (length <= table->capacity) return true;
  const uint64_t capacity = std::min(most, std::max(length, table->capacity + table->capacity / 2));
  ElementStore* store = larger_store(table, capacity);
  if (store == nullptr) return false;
  table->base = address_of(store + 1);
  table->capacity = capacity;
  tables_changed(engine);
  return true;
}

void set_length(Engine* engine, VMTable* table, uint64_t length) {
  table->length = length;
  tables_changed(engine);
}

HostResult table_grow(VMThread* thread, uint64_t address, uint64_t delta, uint64_t value, uint64_t) {
  VMTable* table = at<VMTable>(address);
  for (;;) {
    const uint64_t old = table->length;
    if (!make_room(Engine::of(thread), table, delta)) return {~uint64_t{0}, nullptr};
    const HostResult filled = in_pieces(thread, delta, kPieceElements, false, [=](uint64_t offset, uint64_t count) {
      // What JavaScript made it longer by meanwhile is not written over.
      if (table->length == old) std::fill_n(elements_of(table) + old + offset, count, value);
    });
    if (filled.raise != nullptr) return filled;
    if (table->length != old) continue;
    set_length(Engine::of(thread), table, old + delta);
    return {old, nullptr};
  }
}

HostResult table_fill(VMThread* thread, uint64_t address, uint64_t start, uint64_t value, uint64_t count) {
  VMTable* table = at<VMTable>(address);
  if (!in_bounds(start, count, table->length)) return raise_trap(thread, Trap::TableBounds);
  return in_pieces(thread, count, kPieceElements, false,
                   [=](uint64_t offset, uint64_t size) { std::fill_n(elements_of(table) + start + offset, size, value); });
}

HostResult table_copy(VMThread* thread, uint64_t address, uint64_t to, uint64_t from, uint64_t count) {
  VMTable* target = at<VMTable>(address);
  VMTable* source = at<VMTable>(thread->scratch0);
  if (!in_bounds(to, count, target->length) || !in_bounds(from, count, source->length)) return raise_trap(thread, Trap::TableBounds);
  return in_pieces(thread, count, kPieceElements, target == source && to > from, [=](uint64_t offset, uint64_t size) {
    if (size != 0) std::memmove(elements_of(target) + to + offset, elements_of(source) + from + offset, size * sizeof(uint64_t));
  });
}

HostResult table_init(VMThread* thread, uint64_t address, uint64_t to, uint64_t from, uint64_t count) {
  VMTable* table = at<VMTable>(address);
  const auto* instance = static_cast<const InstanceObject*>(at<VMInstance>(thread->scratch0)->data);
  const auto segment = static_cast<uint32_t>(thread->scratch1);
  if (!in_bounds(to, count, table->length) || !has_range(instance->elements, segment, from, count)) {
    return raise_trap(thread, Trap::TableBounds);
  }
  return in_pieces(thread, count, kPieceElements, false, [=](uint64_t offset, uint64_t size) {
    // Looked for again, because it may have been dropped.
    if (size == 0 || !has_range(instance->elements, segment, from, count)) return;
    std::memcpy(elements_of(table) + to + offset, instance->elements.at(segment).data() + from + offset, size * sizeof(uint64_t));
  });
}

HostResult elem_drop(VMThread*, uint64_t instance, uint64_t segment, uint64_t, uint64_t) {
  static_cast<InstanceObject*>(at<VMInstance>(instance)->data)->elements.erase(static_cast<uint32_t>(segment));
  return {0, nullptr};
}

}  // namespace

int64_t grow_table(Engine* engine, VMTable* table, uint64_t delta, uint64_t fill) {
  const uint64_t old = table->length;
  if (!make_room(engine, table, delta)) return -1;
  std::fill_n(elements_of(table) + old, delta, fill);
  if (delta != 0) set_length(engine, table, old + delta);
  return static_cast<int64_t>(old);
}

void release_elements(VMTable* table) {
  if (table->base != 0) release_store(store_of(table));
}

napi_value window_of(napi_env env, VMTable* table) {
  ElementStore* store = store_of(table);
  if (store == nullptr) return nullptr;
  const auto free = [](napi_env, void*, void* owned) { release_store(static_cast<ElementStore*>(owned)); };
  napi_value buffer = nullptr;
  store->owners++;
  if (napi_create_external_arraybuffer(env, store + 1, table->capacity * sizeof(uint64_t), free, store, &buffer) == napi_ok) return buffer;
  release_store(store);
  return nullptr;
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

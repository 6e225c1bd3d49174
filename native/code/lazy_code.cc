#include "code/lazy_code.h"

#include <sys/mman.h>

#include <new>

#include "base/attempt.h"
#include "code/slots.h"

namespace heddle {

namespace {

/// Functions begin at multiples of this (FUNCTION_ALIGNMENT in ts/compile/part.ts).
constexpr size_t kAlignment = 32;

}  // namespace

std::unique_ptr<LazyCode> LazyCode::reserve(int32_t id, uint32_t first, uint32_t count, size_t room) {
  std::unique_ptr<LazyCode> code(new (std::nothrow) LazyCode);
  if (code == nullptr) return nullptr;
  const size_t words = round_up(count * sizeof(uint64_t), page_size());
  code->first_ = first;
  code->count_ = count;
  code->size_ = round_up(kStubSize + size_t{count} * kSlotBytes + room, page_size());
  code->span_ = CodeSpan::reserve(code->size_);
  if (!code->span_) return nullptr;
  code->memory_ = Mapping::reserve(words + code->size_, PROT_NONE);
  if (!code->memory_ || (words != 0 && !code->memory_.protect(0, words, PROT_READ | PROT_WRITE))) return nullptr;
  code->words_ = code->memory_.base();
  code->base_ = code->words_ + words;
  const bool mapped = code->span_.map(0, code->size_, PROT_READ | PROT_EXEC, code->base_) != 0;
  return mapped && code->write_front() && code->register_front(id) ? std::move(code) : nullptr;
}

template <typename Fill>
bool LazyCode::fill(size_t offset, size_t size, Fill fill) {
  const size_t start = offset / page_size() * page_size();
  const size_t length = round_up(offset + size, page_size()) - start;
  // Where there is no memory for a page, this says so; to write there would be a SIGBUS.
  if (!span_.provide(start, length)) return false;
  const uint64_t alias = span_.map(start, length, PROT_READ | PROT_WRITE);
  if (alias == 0) return false;
  fill(at<uint8_t>(alias + (offset - start)));
  munmap(at<void>(alias), length);
  // SAFETY: the range is ours. On aarch64 this makes the instruction caches of all cores see it, and this core forget what it has fetched;
  // no other thread runs this code.
  __builtin___clear_cache(at<char>(base_ + offset), at<char>(base_ + offset + size));
  return true;
}

bool LazyCode::write_front() {
  const size_t size = kStubSize + size_t{count_} * kSlotBytes;
  const bool filled = fill(0, size, [this](uint8_t* to) {
    copy_stubs(to);
    for (uint32_t i = 0; i < count_; i++) {
      const size_t offset = kStubSize + size_t{i} * kSlotBytes;
      write_slot(to + offset, base_ + offset, words_ + i * sizeof(uint64_t), base_ + kStubLazy, first_ + i);
    }
  });
  for (uint32_t i = 0; i < count_; i++) *word(first_ + i) = base_ + kStubSize + size_t{i} * kSlotBytes + kSlotRest;
  end_ = size;
  return filled;
}

bool LazyCode::register_front(int32_t id) {
  const bool made = attempt([&] {
    // Whose slot an address is in.
    std::vector<int32_t> rows;
    rows.reserve(size_t{3} * count_);
    for (uint32_t i = 0; i < count_; i++) {
      rows.insert(rows.end(), {static_cast<int32_t>(first_ + i), static_cast<int32_t>(kStubSize + i * kSlotBytes), int32_t{kSlotBytes}});
    }
    sites_.functions.copy(rows.data(), rows.size());
    // Each has a function at least, but for the one of the trampolines, and the whole module's, which replaces them.
    pieces_ = std::make_unique<SitePieces>(size_t{count_} + 2);
  });
  if (!made) return false;
  sites_.id = id;
  sites_.size = size_;
  sites_.pieces = pieces_.get();
  sites_.base = base_;
  if (register_code(&sites_)) return true;
  sites_.base = 0;  // Nobody knows it.
  return false;
}

uint64_t* LazyCode::word(uint32_t number) const {
  return at<uint64_t>(words_ + (number - first_) * sizeof(uint64_t));
}

size_t LazyCode::next() const {
  return round_up(end_, kAlignment);
}

uint64_t LazyCode::target(uint32_t number) const {
  return number - first_ < count_ ? __atomic_load_n(word(number), __ATOMIC_RELAXED) : 0;
}

bool LazyCode::add(const uint8_t* bytes, size_t size, const CodeTables& tables, bool stubs) {
  const size_t offset = next();
  if (size == 0 || pieces_->full() || offset > size_ || size > size_ - offset) return false;
  auto piece = std::unique_ptr<CodeSites>(new (std::nothrow) CodeSites);
  if (piece == nullptr || !attempt([&] { read_tables(tables, Mapping(), piece.get()); })) return false;
  const auto write = [=](uint8_t* to) {
    std::memcpy(to, bytes, size);
    if (stubs) copy_stubs(to);
  };
  if (!fill(offset, size, write)) return false;
  piece->base = base_ + offset;
  piece->size = size;
  piece->id = sites_.id;
  piece->first_inlined = inlined_rows_;
  inlined_rows_ += piece->inlined_calls.size();
  end_ = offset + size;
  const CodeSites& sites = *piece;
  pieces_->add(std::move(piece));
  // Whoever comes to a function now finds what is known of it.
  for (const FunctionRange& function : sites.functions) {
    if (function.number - first_ < count_) __atomic_store_n(word(function.number), sites.base + function.offset, __ATOMIC_RELEASE);
  }
  return true;
}

}  // namespace heddle

#include "code/code.h"

#include <sys/mman.h>

#include <cstring>
#include <new>
#include <utility>

#include "base/asm.h"
#include "base/attempt.h"
#include "base/check.h"

namespace heddle {

namespace {

void copy_stub(void* to, uint32_t offset, uint32_t room, const char* start, const char* end) {
  const size_t size = static_cast<size_t>(end - start);
  HEDDLE_CHECK(size <= room);
  std::memcpy(static_cast<char*>(to) + offset, start, size);
}

std::vector<CallHandler> read_handlers(Words calls) {
  std::vector<CallHandler> handlers;
  for (size_t i = 0; i + 4 <= calls.count;) {
    const int32_t* site = calls.data + i;
    const size_t count = static_cast<uint32_t>(site[3]);
    for (size_t h = 0; h < count && i + 4 + 2 * h + 2 <= calls.count; h++) {
      const int32_t* handler = site + 4 + 2 * h;
      handlers.push_back(
          {static_cast<uint32_t>(site[0]), static_cast<uint32_t>(site[1]), site[2], handler[0], static_cast<uint32_t>(handler[1])});
    }
    i += 4 + 2 * count;
  }
  return handlers;
}

bool holds(const Mapping& mapping, Words words) {
  const uint64_t start = reinterpret_cast<uint64_t>(words.data) - mapping.base();  // SAFETY: an address as a number.
  return start < mapping.size() && words.count * sizeof(int32_t) <= mapping.size() - start;
}

template <typename Row>
void add_rows(Words words, const Mapping& kept, Rows<Row>* rows) {
  if (holds(kept, words)) {
    rows->refer(words.data, words.count);
  } else {
    rows->copy(words.data, words.count);
  }
}

}  // namespace

void copy_stubs(void* to) {
  copy_stub(to, kStubSwitch, kStubHostCall - kStubSwitch, heddle_switch, heddle_switch_end);
  copy_stub(to, kStubHostCall, kStubLazy - kStubHostCall, heddle_host_call, heddle_host_call_end);
  copy_stub(to, kStubLazy, kStubSize - kStubLazy, heddle_lazy, heddle_lazy_end);
}

void read_tables(const CodeTables& tables, const Mapping& kept, CodeSites* sites) {
  add_rows(tables.functions, kept, &sites->functions);
  add_rows(tables.traps, kept, &sites->traps);
  add_rows(tables.sources, kept, &sites->sources);
  for (size_t i = 0; i + 3 <= tables.inlined.count; i += 3) sites->inlined_calls.push_back(tables.inlined.data[i + 2]);
  sites->handlers = read_handlers(tables.calls);
  add_rows(tables.scopes, kept, &sites->scopes);
}

bool Code::protect() {
  // SAFETY: the range is ours. On aarch64 this makes the instruction caches of all cores see it; then nobody may write any more.
  __builtin___clear_cache(at<char>(base_), at<char>(base_ + size_));
  const Mapping& mapping = file_ == nullptr ? memory_ : file_->mapping;
  return mapping.protect(base_ - mapping.base(), size_, PROT_READ | PROT_EXEC);
}

bool Code::add_sites(int32_t id, const CodeTables& tables) {
  sites_.size = size_;
  sites_.id = id;
  const bool read = attempt([&] { read_tables(tables, file_ == nullptr ? memory_ : file_->mapping, &sites_); });
  sites_.base = base_;
  if (read && register_code(&sites_)) return true;
  sites_.base = 0;  // Nobody knows it.
  return false;
}

std::unique_ptr<Code> Code::load(int32_t id, Mapping memory, const CodeTables& tables, size_t code_size) {
  if (!memory) return nullptr;
  if (code_size == 0) code_size = memory.size();
  HEDDLE_CHECK(code_size >= kStubSize && code_size <= memory.size() && code_size % page_size() == 0);
  std::unique_ptr<Code> code(new (std::nothrow) Code);
  if (code == nullptr) return nullptr;
  code->base_ = memory.base();
  code->size_ = code_size;
  code->memory_ = std::move(memory);
  const size_t rest = code->memory_.size() - code_size;
  if (rest != 0 && !code->memory_.protect(code_size, rest, PROT_READ)) return nullptr;
  copy_stubs(at<void>(code->base_));
  return code->protect() && code->add_sites(id, tables) ? std::move(code) : nullptr;
}

std::unique_ptr<Code> Code::map(int32_t id, std::shared_ptr<MappedFile> file, size_t offset, size_t size, const CodeTables& tables) {
  const size_t whole = round_up(size, page_size());
  const Mapping& mapping = file->mapping;
  HEDDLE_CHECK(size >= kStubSize && offset % page_size() == 0 && offset <= mapping.size() && whole <= mapping.size() - offset);
  std::unique_ptr<Code> code(new (std::nothrow) Code);
  if (code == nullptr || file->runs || !mapping.protect(offset, page_size(), PROT_READ | PROT_WRITE)) return nullptr;
  code->base_ = mapping.base() + offset;
  code->size_ = whole;
  code->file_ = std::move(file);
  code->file_->runs = true;
  copy_stubs(at<void>(code->base_));
  return code->protect() && code->add_sites(id, tables) ? std::move(code) : nullptr;
}

void Code::forget() {
  if (sites_.base != 0) unregister_code(&sites_);
  sites_.base = 0;
}

Code::~Code() {
  forget();
  if (file_ == nullptr) return;
  // JavaScript may have the file still.
  file_->runs = !file_->mapping.protect(base_ - file_->mapping.base(), size_, PROT_READ);
}

}  // namespace heddle

#include "code/code.h"

#include <sys/mman.h>

#include <cstring>
#include <new>
#include <type_traits>
#include <utility>

#include "base/asm.h"
#include "base/attempt.h"
#include "base/check.h"

namespace heddle {

namespace {

void copy_stub(uint64_t base, uint32_t offset, uint32_t room, const char* start, const char* end) {
  const size_t size = static_cast<size_t>(end - start);
  HEDDLE_CHECK(size <= room);
  std::memcpy(at<void>(base + offset), start, size);
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

/// A table whose rows are laid out as the struct is.
template <typename Row>
void rows(Words words, std::vector<Row>* out) {
  static_assert(sizeof(Row) % sizeof(int32_t) == 0 && std::is_trivially_copyable<Row>::value, "a row of words");
  out->resize(words.count / (sizeof(Row) / sizeof(int32_t)));
  if (!out->empty()) std::memcpy(out->data(), words.data, out->size() * sizeof(Row));
}

}  // namespace

std::unique_ptr<Code> Code::load(int32_t id, Mapping memory, size_t code_size, Words functions, Words traps, Words sources, Words calls, Words inlined,
                                 Words scopes) {
  if (!memory) return nullptr;
  HEDDLE_CHECK(code_size >= kStubSize && code_size <= memory.size() && code_size % page_size() == 0);
  std::unique_ptr<Code> code(new (std::nothrow) Code);
  if (code == nullptr) return nullptr;
  code->memory_ = std::move(memory);
  const uint64_t base = code->memory_.base();
  copy_stub(base, kStubSwitch, kStubHostCall - kStubSwitch, heddle_switch, heddle_switch_end);
  copy_stub(base, kStubHostCall, kStubSize - kStubHostCall, heddle_host_call, heddle_host_call_end);
  // SAFETY: the range is ours. On aarch64 this makes the instruction caches of all cores see it; then nobody may write any more.
  __builtin___clear_cache(at<char>(base), at<char>(base + code_size));
  if (!code->memory_.protect(0, code_size, PROT_READ | PROT_EXEC)) return nullptr;
  const size_t rest = code->memory_.size() - code_size;
  if (rest != 0 && !code->memory_.protect(code_size, rest, PROT_READ)) return nullptr;

  CodeSites& sites = code->sites_;
  sites.size = code_size;
  sites.id = id;
  const bool read = attempt([&] {
    rows(functions, &sites.functions);
    if (address_of(traps.data) - base < code->memory_.size()) {
      sites.traps = {reinterpret_cast<const TrapSite*>(traps.data), traps.count / 2};  // SAFETY: rows of two words, which never change.
    } else {
      rows(traps, &sites.own_traps);
      sites.traps = {sites.own_traps.data(), sites.own_traps.size()};
    }
    rows(sources, &sites.sources);
    for (size_t i = 0; i + 3 <= inlined.count; i += 3) sites.inlined_calls.push_back(inlined.data[i + 2]);
    sites.handlers = read_handlers(calls);
    rows(scopes, &sites.scopes);
  });
  sites.base = base;
  if (read && register_code(&sites)) return code;
  sites.base = 0;  // Nobody knows it.
  return nullptr;
}

Code::~Code() {
  if (sites_.base != 0) unregister_code(&sites_);
}

}  // namespace heddle

#include "code/code.h"

#include <sys/mman.h>

#include <cstring>

#include "base/asm.h"
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

}  // namespace

std::unique_ptr<Code> Code::load(int32_t id, const uint8_t* bytes, size_t size, Words functions, Words traps, Words sources, Words calls,
                                 Words inlined) {
  HEDDLE_CHECK(size >= kStubSize);
  std::unique_ptr<Code> code(new Code);
  code->memory_ = Mapping::reserve(size, PROT_READ | PROT_WRITE);
  if (!code->memory_) return nullptr;
  const uint64_t base = code->memory_.base();
  std::memcpy(at<void>(base), bytes, size);
  copy_stub(base, kStubSwitch, kStubHostCall - kStubSwitch, heddle_switch, heddle_switch_end);
  copy_stub(base, kStubHostCall, kStubSize - kStubHostCall, heddle_host_call, heddle_host_call_end);
  // SAFETY: the range was just mapped. On aarch64 this makes the instruction caches of all cores see it; then nobody may write any more.
  __builtin___clear_cache(at<char>(base), at<char>(base + size));
  if (!code->memory_.protect(0, code->memory_.size(), PROT_READ | PROT_EXEC)) return nullptr;

  CodeSites& sites = code->sites_;
  sites.base = base;
  sites.size = code->memory_.size();
  sites.id = id;
  for (size_t i = 0; i + 3 <= functions.count; i += 3) {
    const int32_t* row = functions.data + i;
    sites.functions.push_back({static_cast<uint32_t>(row[0]), static_cast<uint32_t>(row[1]), static_cast<uint32_t>(row[2])});
  }
  for (size_t i = 0; i + 2 <= traps.count; i += 2) {
    sites.traps.push_back({static_cast<uint32_t>(traps.data[i]), static_cast<uint32_t>(traps.data[i + 1])});
  }
  for (size_t i = 0; i + 2 <= sources.count; i += 2) {
    sites.sources.push_back({static_cast<uint32_t>(sources.data[i]), sources.data[i + 1]});
  }
  for (size_t i = 0; i + 3 <= inlined.count; i += 3) sites.inlined_calls.push_back(inlined.data[i + 2]);
  sites.handlers = read_handlers(calls);
  register_code(&sites);
  return code;
}

Code::~Code() {
  if (sites_.base != 0) unregister_code(&sites_);
}

}  // namespace heddle

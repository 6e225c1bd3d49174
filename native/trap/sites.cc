#include "trap/sites.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <iterator>
#include <memory>
#include <mutex>

#include "base/attempt.h"

namespace heddle {

namespace {

/// Last element whose offset is at most `offset`, or null.
template <typename T>
const T* last_at_most(const Rows<T>& table, uint64_t offset) {
  const auto after = std::upper_bound(table.begin(), table.end(), offset, [](uint64_t value, const T& row) { return value < row.offset; });
  return after == table.begin() ? nullptr : after - 1;
}

/// The registry's table: sorted by base, never changed once published.
using Table = std::vector<const CodeSites*>;

struct Registry {
  std::mutex writers;
  std::atomic<const Table*> table{new Table};
  std::atomic<uint32_t> readers{0};
  /// The next table is made here. What it replaces is kept for the one after, which needs no memory then where it is shorter.
  std::unique_ptr<Table> spare{new Table};
};

/// Never destroyed: signals may come while the process exits.
Registry& registry() {
  static Registry* const instance = new Registry;
  return *instance;
}

/// Makes the spare table the one that is read, and the old one the spare once no reader can see it.
void publish(Registry& all) {
  const Table* old = all.table.exchange(all.spare.release());
  // A reader that comes from now on sees the new table. One on this thread is a signal handler, which ends before we go on.
  while (all.readers.load() != 0) sched_yield();
  all.spare.reset(const_cast<Table*>(old));  // SAFETY: it was made as no constant, and nobody else has it.
}

}  // namespace

const TrapSite* CodeSites::trap_at(uint64_t pc) const {
  const TrapSite* site = last_at_most(traps, pc - base);
  return site != nullptr && site->offset == pc - base ? site : nullptr;
}

const FunctionRange* CodeSites::function_at(uint64_t pc) const {
  const FunctionRange* range = last_at_most(functions, pc - base);
  return range != nullptr && pc - base < uint64_t{range->offset} + range->size ? range : nullptr;
}

int32_t CodeSites::source_at(uint64_t pc) const {
  const SourceStart* start = last_at_most(sources, pc - base);
  return start == nullptr ? -1 : start->location;
}

uint32_t CodeSites::frames_at(int32_t location) const {
  uint32_t frames = 1;
  for (; location < -1; frames++) {
    const auto row = static_cast<size_t>(-2 - int64_t{location}) - first_inlined;
    if (row >= inlined_calls.size()) break;
    location = inlined_calls[row];
  }
  return frames;
}

const CallHandler* CodeSites::handler_at(uint64_t pc) const {
  const uint64_t offset = pc - base;
  const CallHandler* end = handlers.data() + handlers.size();
  const CallHandler* found =
      std::lower_bound(handlers.data(), end, offset, [](const CallHandler& row, uint64_t value) { return row.return_offset < value; });
  return found != end && found->return_offset == offset ? found : nullptr;
}

void SitePieces::add(std::unique_ptr<const CodeSites> piece) {
  const size_t count = count_.load(std::memory_order_relaxed);
  rows_[count] = std::move(piece);
  count_.store(count + 1, std::memory_order_release);
}

const CodeSites* SitePieces::find(uint64_t pc) const {
  const std::unique_ptr<const CodeSites>* const rows = rows_.get();
  const auto* after = std::upper_bound(rows, rows + count(), pc, [](uint64_t value, const auto& row) { return value < row->base; });
  if (after == rows) return nullptr;
  const CodeSites* piece = (after - 1)->get();
  return pc - piece->base < piece->size ? piece : nullptr;
}

bool register_code(const CodeSites* sites) {
  Registry& all = registry();
  const std::lock_guard<std::mutex> lock(all.writers);
  const Table& now = *all.table.load();
  Table& next = *all.spare;
  next.clear();
  if (next.capacity() <= now.size() && !attempt([&] { next.reserve(std::max(now.size() + 1, now.size() * 2)); })) return false;
  const auto place = std::upper_bound(now.begin(), now.end(), sites, [](auto* a, auto* b) { return a->base < b->base; });
  next.assign(now.begin(), place);
  next.push_back(sites);
  next.insert(next.end(), place, now.end());
  publish(all);
  return true;
}

void unregister_code(const CodeSites* sites) {
  Registry& all = registry();
  const std::lock_guard<std::mutex> lock(all.writers);
  const Table& now = *all.table.load();
  all.spare->clear();
  std::remove_copy(now.begin(), now.end(), std::back_inserter(*all.spare), sites);
  publish(all);
}

CodeReader::CodeReader() {
  registry().readers.fetch_add(1);
}

CodeReader::~CodeReader() {
  registry().readers.fetch_sub(1);
}

const CodeSites* CodeReader::find(uint64_t pc) const {
  const Table& table = *registry().table.load();
  const auto after =
      std::upper_bound(table.begin(), table.end(), pc, [](uint64_t value, const CodeSites* row) { return value < row->base; });
  if (after == table.begin()) return nullptr;
  const CodeSites* sites = *(after - 1);
  if (pc - sites->base >= sites->size) return nullptr;
  const CodeSites* piece = sites->pieces == nullptr ? nullptr : sites->pieces->find(pc);
  return piece == nullptr ? sites : piece;
}

}  // namespace heddle

#include "heap/blocks.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "base/attempt.h"
#include "base/check.h"
#include "fiber/sanitizer.h"

namespace heddle {

namespace {

constexpr uint64_t kLeastReservation = 1 << 20;
constexpr uint64_t kLargestCell = 32 * 1024;
constexpr uint64_t kRunLog2 = 8;
static_assert(kRunBytes == uint64_t{1} << kRunLog2);

/// Sizes of cells: 16 to kRunBytes in steps of 8, of which only plain objects use each, then four steps to each doubling.
struct SizeClass {
  uint8_t number;
  uint32_t cell;
};

SizeClass class_of(ObjectKind kind, uint64_t bytes) {
  if (bytes <= kRunBytes) {
    const uint64_t cell = std::max<uint64_t>(round_up(bytes, is_plain(kind) ? 8 : 16), 16);
    return {static_cast<uint8_t>(cell / 8 - 2), static_cast<uint32_t>(cell)};
  }
  const auto log = static_cast<uint64_t>(63 - __builtin_clzll(bytes - 1));  // 2^log < bytes <= 2^(log + 1)
  const uint64_t step = uint64_t{1} << (log - 2);
  const uint64_t cell = round_up(bytes, step);
  const uint64_t quarter = (cell - (uint64_t{1} << log)) / step;  // 1 to 4
  return {static_cast<uint8_t>(kRunBytes / 8 - 1 + (log - kRunLog2) * 4 + quarter - 1), static_cast<uint32_t>(cell)};
}

}  // namespace

Blocks::Blocks(uint64_t bytes) {
  for (bytes = std::max(round_up(bytes, kBlock), kLeastReservation);; bytes /= 2) {
    memory_ = Mapping::reserve(bytes, PROT_READ | PROT_WRITE);
    if (memory_) break;
    HEDDLE_CHECK(bytes > kBlock);
  }
  memory_.advise(0, memory_.size(), MADV_DONTFORK);
  most_ = static_cast<uint32_t>(memory_.size() >> kBlockLog2);
}

void Blocks::set_limit(uint64_t bytes) {
  most_ = static_cast<uint32_t>(std::min(bytes, memory_.size()) >> kBlockLog2);
}

Blocks::~Blocks() {
  sanitizer::allow(memory_.base(), uint64_t{used_} << kBlockLog2);  // For who maps something here.
}

void* Blocks::allocate(ObjectKind kind, uint64_t bytes) {
  uint32_t index = 0;
  if (bytes > kLargestCell) {
    const uint64_t row = round_up(bytes, kBlock) / kBlock;
    if (row > most_ || !make_block(kind, static_cast<uint32_t>(row), true, &index)) return nullptr;
    blocks_[index].large = true;
    return divide(index, row * kBlock) ? take_cell(index) : nullptr;
  }
  const SizeClass size = class_of(kind, bytes);
  auto& available = available_[static_cast<size_t>(kind)][size.number];
  while (!available.empty()) {
    if (void* object = take_cell(available.back())) return object;
    blocks_[available.back()].listed = false;
    available.pop_back();
  }
  if (!make_block(kind, 1, false, &index)) return nullptr;
  blocks_[index].size_class = size.number;
  if (!divide(index, size.cell)) return nullptr;
  list(index);
  return take_cell(index);
}

/// Divides a block that was made into cells. False without memory; then it is given back.
bool Blocks::divide(uint32_t index, uint64_t cell) {
  Block& block = blocks_[index];
  block.cell = cell;
  block.cells = block.large ? 1 : static_cast<uint32_t>(kBlock / cell);
  block.reciprocal = (uint64_t{1} << 32) / cell + 1;
  block.words = (block.cells + 63) / 64;
  if (attempt([&] { block.bits.assign(block.words * 2, 0); })) return true;
  release_block(index);
  return false;
}

/// Notes that a block has free cells. Without memory to note it they are used when the next one is given back.
void Blocks::list(uint32_t index) {
  Block& block = blocks_[index];
  auto& available = available_[static_cast<size_t>(block.kind)][block.size_class];
  block.listed = attempt([&] { available.push_back(index); });
}

void* Blocks::take_cell(uint32_t index) {
  Block& block = blocks_[index];
  for (; block.cursor < block.words; block.cursor++) {
    const uint64_t word = block.cursor;
    if (~block.bits[word] == 0) continue;
    const uint64_t cell = word * 64 + static_cast<uint64_t>(__builtin_ctzll(~block.bits[word]));
    if (cell >= block.cells) return nullptr;
    block.bits[word] |= uint64_t{1} << (cell % 64);
    block.live++;
    live_[static_cast<size_t>(block.kind)]++;
    bytes_ += block.cell;
    void* object = at<void>(object_at(block, cell));
    sanitizer::allow(object_at(block, cell), block.cell);
    if (!block.large) std::memset(object, 0, block.cell);  // A large object's pages are fresh.
    return object;
  }
  return nullptr;
}

bool Blocks::take_blocks(uint32_t count, bool fresh, uint32_t* first) {
  if (!fresh && !spare_.empty()) {
    *first = spare_.back();
    spare_.pop_back();
    return true;
  }
  const auto fits = std::find_if(free_.begin(), free_.end(), [=](const auto& row) { return row.second >= count; });
  if (fits != free_.end()) {
    *first = fits->first;
    auto row = free_.extract(fits);  // What remains of it needs no memory.
    row.key() += count;
    row.mapped() -= count;
    if (row.mapped() != 0) free_.insert(std::move(row));
    return true;
  }
  if (count > most_ || used_ > most_ - count) {
    if (spare_.empty()) return false;
    trim(0);
    return take_blocks(count, fresh, first);
  }
  if (!attempt([&] { blocks_.resize(used_ + count); })) return false;
  *first = used_;
  used_ += count;
  return true;
}

bool Blocks::make_block(ObjectKind kind, uint32_t row, bool fresh, uint32_t* index) {
  if (!take_blocks(row, fresh, index)) return false;
  Block& block = blocks_[*index];
  block.state = State::Cells;
  block.kind = kind;
  block.row = row;
  for (uint32_t i = 1; i < row; i++) {
    blocks_[*index + i].state = State::Rest;
    blocks_[*index + i].row = i;
  }
  return true;
}

void Blocks::forget(uint32_t index, uint64_t cell) {
  Block& block = blocks_[index];
  block.bits[cell / 64] &= ~(uint64_t{1} << (cell % 64));
  block.cursor = std::min(block.cursor, cell / 64);
  block.live--;
  live_[static_cast<size_t>(block.kind)]--;
  bytes_ -= block.cell;
  sanitizer::forbid(object_at(block, cell), block.cell);
  if (!block.listed && !block.large) list(index);
}

void Blocks::free(uint64_t object) {
  uint64_t cell = 0;
  const Block* block = locate(object, &cell);
  HEDDLE_CHECK(block != nullptr && object_at(*block, cell) == object);
  const auto index = static_cast<uint32_t>(block - blocks_.data());
  forget(index, cell);
  if (block->large) release_block(index);
}

void Blocks::release_block(uint32_t index) {
  Block& block = blocks_[index];
  if (block.listed) {
    auto& available = available_[static_cast<size_t>(block.kind)][block.size_class];
    available.erase(std::find(available.begin(), available.end(), index));
    block.listed = false;
  }
  const uint32_t count = block.row;
  for (uint32_t i = 0; i < count; i++) blocks_[index + i] = Block{};
  note_free(index, count);
}

void Blocks::note_free(uint32_t index, uint32_t count) {
  memory_.advise(static_cast<uint64_t>(index) << kBlockLog2, static_cast<uint64_t>(count) << kBlockLog2, MADV_DONTNEED);
  const auto after = free_.lower_bound(index);
  if (after != free_.end() && after->first == index + count) {
    count += after->second;
    free_.erase(after);
  }
  const auto next = free_.lower_bound(index);
  if (next != free_.begin()) {
    const auto before = std::prev(next);
    if (before->first + before->second == index) {
      before->second += count;
      return;
    }
  }
  // Without memory to note it the range is used no more: address space only.
  attempt([&] { free_[index] = count; });
}

void Blocks::trim(uint64_t bytes) {
  while (spare_.size() > bytes >> kBlockLog2) {
    note_free(spare_.back(), 1);
    spare_.pop_back();
  }
}

bool Blocks::take_run(ObjectKind kind, uint64_t bytes, Run* run) {
  const SizeClass size = class_of(kind, bytes);
  auto& available = available_[static_cast<size_t>(kind)][size.number];
  while (!available.empty()) {
    if (next_run(available.back(), run)) return true;
    blocks_[available.back()].listed = false;
    available.pop_back();
  }
  uint32_t index = 0;
  if (!make_block(kind, 1, false, &index)) return false;
  blocks_[index].size_class = size.number;
  if (!divide(index, size.cell)) return false;
  list(index);
  return next_run(index, run);
}

/// Takes the next free cells of a block that follow each other, as many as there are; false where none is left.
bool Blocks::next_run(uint32_t index, Run* run) {
  Block& block = blocks_[index];
  while (block.cursor < block.words && ~block.bits[block.cursor] == 0) block.cursor++;
  if (block.cursor == block.words) return false;
  const uint64_t first = block.cursor * 64 + static_cast<uint64_t>(__builtin_ctzll(~block.bits[block.cursor]));
  uint64_t end = first;
  while (end < block.cells) {
    uint64_t& bits = block.bits[end / 64];
    const uint64_t shift = end % 64, left = 64 - shift, ahead = bits >> shift;
    const uint64_t free = std::min(ahead == 0 ? left : static_cast<uint64_t>(__builtin_ctzll(ahead)), block.cells - end);
    if (free == 0) break;
    bits |= (free == 64 ? ~uint64_t{0} : (uint64_t{1} << free) - 1) << shift;
    end += free;
    if (free < left) break;
  }
  if (end == first) return false;
  const auto count = static_cast<uint32_t>(end - first);
  block.live += count;
  live_[static_cast<size_t>(block.kind)] += count;
  bytes_ += block.cell * count;
  *run = {object_at(block, first), object_at(block, end)};
  sanitizer::allow(run->from, run->to - run->from);
  std::memset(at<void>(run->from), 0, run->to - run->from);
  return true;
}

void Blocks::give_back(const Run& run) {
  if (run.from == run.to) return;
  const uint32_t index = index_of(run.from);
  const uint64_t start = start_of(blocks_[index]), cell = blocks_[index].cell;
  for (uint64_t i = (run.from - start) / cell; i < (run.to - start) / cell; i++) forget(index, i);
}

void Blocks::unlist_plain() {
  for (size_t kind = 0; kind < kObjectKinds; kind++) {
    if (!is_plain(static_cast<ObjectKind>(kind))) continue;
    for (auto& available : available_[kind]) {
      for (const uint32_t index : available) blocks_[index].listed = false;
      available.clear();
    }
  }
}

uint64_t Blocks::sweep_plain(uint32_t index) {
  Block& block = blocks_[index];
  uint64_t freed = 0, first = block.words;
  for (uint64_t word = block.words; word-- > 0;) {
    uint64_t& marks = block.bits[block.words + word];
    const uint64_t dead = block.bits[word] & ~marks;
    if (dead != 0) {
      freed += static_cast<uint64_t>(__builtin_popcountll(dead));
      block.bits[word] &= marks;
      first = word;
#if defined(HEDDLE_ASAN)
      for (uint64_t bits = dead; bits != 0; bits &= bits - 1) {
        sanitizer::forbid(object_at(block, word * 64 + static_cast<uint64_t>(__builtin_ctzll(bits))), block.cell);
      }
#endif
    }
    marks = 0;
  }
  block.cursor = std::min(block.cursor, first);
  block.live -= static_cast<uint32_t>(freed);
  live_[static_cast<size_t>(block.kind)] -= freed;
  bytes_ -= freed * block.cell;
  if (block.live != 0) {
    if (!block.large && block.live != block.cells) list(index);
  } else if (block.large || !attempt([&] { spare_.push_back(index); })) {
    release_block(index);
  } else {
    block = Block{};
  }
  return freed;
}

void Blocks::clear_marks() {
  for (Block& block : blocks_) std::fill(block.bits.begin() + static_cast<ptrdiff_t>(block.words), block.bits.end(), 0);
}

bool Blocks::is_marked(uint64_t object) const {
  uint64_t cell = 0;
  const Block* block = locate(object, &cell);
  return block != nullptr && (block->bits[block->words + cell / 64] >> (cell % 64) & 1) != 0;
}

}  // namespace heddle

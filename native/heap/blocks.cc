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

/// Sizes of cells: 16 to 128 in steps of 16, then four steps to each doubling.
struct SizeClass {
  uint8_t number;
  uint32_t cell;
};

SizeClass class_of(uint64_t bytes) {
  if (bytes <= 128) {
    const uint64_t cell = std::max<uint64_t>(round_up(bytes, 16), 16);
    return {static_cast<uint8_t>(cell / 16 - 1), static_cast<uint32_t>(cell)};
  }
  const auto log = static_cast<uint64_t>(63 - __builtin_clzll(bytes - 1));  // 2^log < bytes <= 2^(log + 1)
  const uint64_t step = uint64_t{1} << (log - 2);
  const uint64_t cell = round_up(bytes, step);
  const uint64_t quarter = (cell - (uint64_t{1} << log)) / step;  // 1 to 4
  return {static_cast<uint8_t>(8 + (log - 7) * 4 + quarter - 1), static_cast<uint32_t>(cell)};
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
    if (row > most_ || !make_block(kind, static_cast<uint32_t>(row), &index)) return nullptr;
    blocks_[index].large = true;
    return divide(index, row * kBlock) ? take_cell(index) : nullptr;
  }
  const SizeClass size = class_of(bytes);
  auto& available = available_[static_cast<size_t>(kind)][size.number];
  while (!available.empty()) {
    if (void* object = take_cell(available.back())) return object;
    blocks_[available.back()].listed = false;
    available.pop_back();
  }
  if (!make_block(kind, 1, &index)) return nullptr;
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

bool Blocks::take_blocks(uint32_t count, uint32_t* first) {
  const auto fits = std::find_if(free_.begin(), free_.end(), [=](const auto& row) { return row.second >= count; });
  if (fits != free_.end()) {
    *first = fits->first;
    auto row = free_.extract(fits);  // What remains of it needs no memory.
    row.key() += count;
    row.mapped() -= count;
    if (row.mapped() != 0) free_.insert(std::move(row));
    return true;
  }
  if (count > most_ || used_ > most_ - count) return false;
  if (!attempt([&] { blocks_.resize(used_ + count); })) return false;
  *first = used_;
  used_ += count;
  return true;
}

bool Blocks::make_block(ObjectKind kind, uint32_t row, uint32_t* index) {
  if (!take_blocks(row, index)) return false;
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
  uint32_t count = block.row;
  memory_.advise(static_cast<uint64_t>(index) << kBlockLog2, static_cast<uint64_t>(count) << kBlockLog2, MADV_DONTNEED);
  for (uint32_t i = 0; i < count; i++) blocks_[index + i] = Block{};
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

void Blocks::clear_marks() {
  for (Block& block : blocks_) std::fill(block.bits.begin() + static_cast<ptrdiff_t>(block.words), block.bits.end(), 0);
}

bool Blocks::is_marked(uint64_t object) const {
  uint64_t cell = 0;
  const Block* block = locate(object, &cell);
  return block != nullptr && (block->bits[block->words + cell / 64] >> (cell % 64) & 1) != 0;
}

}  // namespace heddle

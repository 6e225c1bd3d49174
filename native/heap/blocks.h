// Storage of the heap: blocks of 64 KiB in one reserved range, each with cells of one size and kind. Nothing moves.
//
// Any word can be asked whether it points into an object, its first byte or a later one: the block is the word's distance from the base of
// the range, the cell is found by a multiplication. So frames can be scanned without maps of where references lie in them.
#pragma once
#include <map>
#include <vector>

#include "base/layout.h"
#include "base/page.h"
#include "heap/kind.h"

namespace heddle {

/// The heap's cells. Objects are zeroed, 16-aligned unless they are plain, and stay where they are.
class Blocks {
 public:
  /// Reserves address space for at most `bytes`, or less where it is short.
  explicit Blocks(uint64_t bytes);
  ~Blocks();
  Blocks(const Blocks&) = delete;
  Blocks& operator=(const Blocks&) = delete;

  /// A zeroed object; null without memory.
  void* allocate(ObjectKind kind, uint64_t bytes);
  /// Free cells that follow each other.
  struct Run {
    uint64_t from = 0;
    uint64_t to = 0;
  };
  /// Zeroed cells for objects of a plain kind with so many bytes. They count as objects until they are given back. False without memory.
  bool take_run(ObjectKind kind, uint64_t bytes, Run* run);
  /// Gives cells of a run back in which nothing was made.
  void give_back(const Run& run);
  /// Gives a cell back. Requires: `object` is the address of one.
  void free(uint64_t object);

  /// The object that `word` points into, 0 when none.
  uint64_t find(uint64_t word) const {
    uint64_t cell = 0;
    const Block* block = locate(word, &cell);
    return block == nullptr ? 0 : object_at(*block, cell);
  }
  ObjectKind kind_of(uint64_t object) const { return blocks_[index_of(object)].kind; }
  /// Bytes of its cell.
  uint64_t bytes_of(uint64_t object) const { return blocks_[index_of(object)].cell; }

  /// Where the range begins.
  uint64_t base() const { return memory_.base(); }
  /// Whether `word` may point into an object: a cheap first look.
  bool spans(uint64_t word) const { return word - memory_.base() < uint64_t{used_} << kBlockLog2; }
  /// Marks the object that `word` points into; its address when it was not marked yet, else 0.
  uint64_t mark(uint64_t word) {
    uint64_t cell = 0;
    const Block* found = locate(word, &cell);
    if (found == nullptr) return 0;
    Block& block = blocks_[found - blocks_.data()];
    uint64_t& marks = block.bits[block.words + cell / 64];
    const uint64_t bit = uint64_t{1} << (cell % 64);
    if ((marks & bit) != 0) return 0;
    marks |= bit;
    return object_at(block, cell);
  }
  bool is_marked(uint64_t object) const;
  /// Removes all marks.
  void clear_marks();
  /// Frees every object without a mark, after `finalize` where it is not plain, and removes all marks. Returns how many were plain.
  template <typename Finalize>
  uint64_t sweep(const Finalize& finalize) {
    uint64_t plain = 0;
    unlist_plain();
    // Backwards: the last block of a list is used first.
    for (uint32_t i = used_; i-- > 0;) {
      if (blocks_[i].state != State::Cells) continue;
      if (is_plain(blocks_[i].kind)) {
        plain += sweep_plain(i);
        continue;
      }
      sweep_block(i, finalize);
      if (blocks_[i].live == 0) release_block(i);
    }
    return plain;
  }
  /// Keeps at most so many bytes that are in no use for what is made next; the rest goes back to the system.
  void trim(uint64_t bytes);
  /// Calls `visit` with every object's address.
  template <typename Visit>
  void each(const Visit& visit) const {
    for (const Block& block : blocks_) {
      if (block.state != State::Cells) continue;
      for (uint64_t word = 0; word < block.words; word++) {
        for (uint64_t bits = block.bits[word]; bits != 0; bits &= bits - 1) {
          visit(object_at(block, word * 64 + static_cast<uint64_t>(__builtin_ctzll(bits))));
        }
      }
    }
  }

  uint64_t live(ObjectKind kind) const { return live_[static_cast<size_t>(kind)]; }
  /// Bytes of live cells.
  uint64_t bytes() const { return bytes_; }
  /// From now on at most so many bytes are used, or as many as there is address space for.
  void set_limit(uint64_t bytes);
  /// Bytes that may be used.
  uint64_t limit() const { return uint64_t{most_} << kBlockLog2; }

 private:
  static constexpr uint64_t kBlockLog2 = 16;
  static constexpr uint64_t kBlock = uint64_t{1} << kBlockLog2;
  static_assert(kBlock == kHeapWindow, "a view must not show what was never used");
  static constexpr size_t kClasses = 64;

  /// Free: in free_. Cells: holds objects; one that is larger than half a block has a row of blocks, of which this is the first. Rest: a
  /// later block of such a row.
  enum class State : uint8_t { Free, Cells, Rest };
  struct Block {
    State state = State::Free;
    ObjectKind kind{};
    /// Whether the list of its kind and size names it.
    bool listed = false;
    /// Whether the row was made for one object.
    bool large = false;
    uint8_t size_class = 0;
    /// Bytes of a cell.
    uint64_t cell = 0;
    uint32_t cells = 0;
    uint32_t live = 0;
    /// Cells state: blocks in the row. Rest: how far behind the first.
    uint32_t row = 1;
    /// 2^32 / cell, rounded up.
    uint64_t reciprocal = 0;
    /// Words of one of the two bitmaps.
    uint64_t words = 0;
    /// No word of the first bitmap before this one has a free cell.
    uint64_t cursor = 0;
    /// Which cells are used, then which are marked.
    std::vector<uint64_t> bits;
  };

  uint32_t index_of(uint64_t address) const { return static_cast<uint32_t>((address - memory_.base()) >> kBlockLog2); }
  uint64_t start_of(const Block& block) const { return memory_.base() + (static_cast<uint64_t>(&block - blocks_.data()) << kBlockLog2); }
  uint64_t object_at(const Block& block, uint64_t cell) const { return start_of(block) + cell * block.cell; }
  /// The block and the number of the used cell that `word` points into; null when none.
  const Block* locate(uint64_t word, uint64_t* cell) const {
    if (!spans(word)) return nullptr;
    const Block* block = &blocks_[index_of(word)];
    if (block->state == State::Rest) block -= block->row;
    if (block->state != State::Cells) return nullptr;
    const uint64_t offset = word - start_of(*block);
    *cell = block->row > 1 ? 0 : (offset * block->reciprocal) >> 32;
    if (*cell >= block->cells || (block->bits[*cell / 64] >> (*cell % 64) & 1) == 0) return nullptr;
    return block;
  }

  template <typename Finalize>
  void sweep_block(uint32_t index, const Finalize& finalize) {
    for (uint64_t word = 0; word < blocks_[index].words; word++) {
      Block& block = blocks_[index];
      for (uint64_t dead = block.bits[word] & ~block.bits[block.words + word]; dead != 0; dead &= dead - 1) {
        const uint64_t cell = word * 64 + static_cast<uint64_t>(__builtin_ctzll(dead));
        finalize(block.kind, object_at(block, cell));
        forget(index, cell);
      }
      block.bits[block.words + word] = 0;
    }
  }
  /// No list names a block of plain objects: the sweep makes the lists anew.
  void unlist_plain();
  uint64_t sweep_plain(uint32_t index);
  bool next_run(uint32_t index, Run* run);
  /// Takes a cell out of the books.
  void forget(uint32_t index, uint64_t cell);
  /// `count` blocks that follow each other; their first, or none. `fresh` ones are zero.
  bool take_blocks(uint32_t count, bool fresh, uint32_t* first);
  bool make_block(ObjectKind kind, uint32_t row, bool fresh, uint32_t* index);
  /// Puts blocks whose pages went back to the system among the free ones.
  void note_free(uint32_t index, uint32_t count);
  bool divide(uint32_t index, uint64_t cell);
  void list(uint32_t index);
  void release_block(uint32_t index);
  void* take_cell(uint32_t index);

  Mapping memory_;
  std::vector<Block> blocks_;
  /// Blocks ever used: blocks_.size(). And how many they may be.
  uint32_t used_ = 0;
  uint32_t most_ = 0;
  /// Free rows: first block and length. Neighbours are one row.
  std::map<uint32_t, uint32_t> free_;
  /// Blocks in no use whose pages are still there.
  std::vector<uint32_t> spare_;
  /// Blocks that may have free cells, by kind and size.
  std::vector<uint32_t> available_[kObjectKinds][kClasses];
  uint64_t live_[kObjectKinds] = {};
  uint64_t bytes_ = 0;
};

}  // namespace heddle

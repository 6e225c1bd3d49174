// Marking: what the collector finds from its roots.
//
// Frames, payload slots, contexts of instances and table elements are scanned word by word: a word is a reference when it is the newest
// handle of a live continuation or JavaScript value, or points into an object, into code or into a memory. (docs/decisions/0012 says why
// there are no stack maps.)
#pragma once
#include <vector>

#include "continuation/runtime.h"
#include "heap/blocks.h"
#include "heap/codes.h"
#include "heap/externs.h"
#include "heap/types.h"

namespace heddle {

/// A linear memory's addresses, and the object that stands for it.
struct MemoryRange {
  uint64_t base;
  uint64_t end;
  uint64_t object;
};

/// One collection's marks. Everything that is found is marked; `drain` follows what it refers to.
class Marker {
 public:
  /// `kinds` by ObjectKind. `memories` are sorted and do not overlap.
  Marker(Runtime* runtime, Blocks* blocks, Codes* codes, const Externs* externs, const TypeMarks* types, const Kind* kinds,
         std::vector<MemoryRange> memories);

  /// Looks at one word.
  void word(uint64_t word) {
    if (blocks_->spans(word)) return object(word);
    if (word >> kAddressBits == 0) return address(word);
    if (Externs::is_handle(word)) externs_->mark(word);
    continuation(word);
  }
  /// Looks at a word that only the caller of the collection has.
  void root(uint64_t value);
  /// Looks at every word of [from, to).
  void words(uint64_t from, uint64_t to);
  /// Looks at the low words of `count` payload slots.
  void slots(uint64_t first, uint64_t count);
  /// The descriptor of a structure's or array's type, which is marked.
  const VMType& type_of(uint64_t object) {
    const uint32_t id = at<const VMObject>(object)->type;
    if (id != last_type_) type(id);  // Objects that were made together are looked at together.
    last_type_ = id;
    return runtime_->thread.types[id];
  }
  /// Marks a type; 0 is none.
  void type(uint32_t id) { types_->mark(id); }
  /// Marks a record; a running one is found by its chain instead.
  void record(VMContinuation* record);
  /// The frames of fibers, from the one that stands at `sp` and goes on at `pc` to the last of its parents.
  void chain(VMFiber* leaf, uint64_t sp, uint64_t pc);
  /// Marks until nothing new is found.
  void drain();

  bool is_marked(uint64_t index) const { return (records_[index / 64] >> (index % 64) & 1) != 0; }

 private:
  /// User space ends here; handles begin above (HEDDLE_GENERATION_START).
  static constexpr uint64_t kAddressBits = 47;

  void object(uint64_t word) {
    if (const uint64_t found = blocks_->mark(word)) objects_.push_back(found);
  }
  void address(uint64_t word);
  /// The record that begins at an address; null where there is none.
  VMContinuation* record_at(uint64_t word) const;
  void continuation(uint64_t word) {
    const uint64_t index = word & ((uint64_t{1} << kHandleIndexBits) - 1);
    if (index < record_count_ && base_[index].generation == word >> kHandleIndexBits) record(base_ + index);
  }
  void follow_objects();
  bool mark_record(const VMContinuation* record);
  void suspended(VMContinuation* record);
  void copy(ChainCopy* copy);
  void links(ChainCopy* copy);

  Runtime* runtime_;
  Blocks* blocks_;
  Codes* codes_;
  const Externs* externs_;
  const TypeMarks* types_;
  const Kind* kinds_;
  std::vector<MemoryRange> memories_;
  VMContinuation* base_;
  uint64_t record_count_;
  /// A bit for each record.
  std::vector<uint64_t> records_;
  /// Found and not yet followed.
  std::vector<uint64_t> objects_;
  uint32_t last_type_ = 0;
  std::vector<VMContinuation*> continuations_;
};

/// Marks from a thread's own roots: its fibers that run or wait for a library call, its entries, and the C++ and JavaScript frames in
/// between.
void mark_thread(Marker* marker, Runtime* runtime);

}  // namespace heddle

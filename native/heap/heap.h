// The heap: everything that WebAssembly can refer to, and the collector that frees what nothing refers to any more.
//
// A collection happens at a safepoint only: in a library call that makes something, before a call from outside begins, or when JavaScript
// asks. It marks from the roots, and sweeps all that has no mark: continuations with their stacks, objects, code. Nothing moves.
#pragma once
#include <initializer_list>

#include "continuation/runtime.h"
#include "heap/blocks.h"
#include "heap/codes.h"
#include "heap/descriptors.h"
#include "heap/externs.h"
#include "heap/marker.h"
#include "heap/types.h"

namespace heddle {

/// What collections did.
struct HeapCounts {
  uint64_t collections = 0;
  /// Nanoseconds.
  uint64_t last_pause = 0;
  uint64_t longest_pause = 0;
  uint64_t total_pause = 0;
  uint64_t continuations_freed = 0;
  uint64_t objects_freed = 0;
  uint64_t snapshot_checks = 0;
  /// Words that these found in frames, which may be nobody's.
  uint64_t snapshot_doubts = 0;
};

/// The part of a collection that is the embedder's. All of it runs on the host stack.
class HeapEmbedder {
 public:
  virtual ~HeapEmbedder() = default;
  /// Where memories are now, sorted.
  virtual std::vector<MemoryRange> memories() = 0;
  /// Marks what the embedder holds.
  virtual void mark_roots(Marker* marker) = 0;
  /// All is marked and nothing is swept yet: objects that live for other reasons can still be marked.
  virtual void marked(Blocks* blocks) = 0;
  /// All is swept. `codes` are the numbers of freed code.
  virtual void swept(const std::vector<int32_t>& codes) = 0;
};

/// A thread's heap. Nothing here may be called from another thread.
class Heap final : public Reclaimer {
 public:
  Heap(Runtime* runtime, HeapEmbedder* embedder, void* finalizer_argument, uint64_t limit = default_limit());
  /// Bytes that objects may take unless said otherwise.
  static uint64_t default_limit();
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;
  ~Heap();

  void define(ObjectKind kind, const Kind& how) { kinds_[static_cast<size_t>(kind)] = how; }

  /// A zeroed object; null without memory. `weight` is what it costs besides its cell, in bytes.
  void* allocate(ObjectKind kind, uint64_t bytes, uint64_t weight = 0);
  /// A zeroed structure or array without its head, of so many bytes and at most kRunBytes; null without memory. What follows is made
  /// from the thread's run.
  void* allocate_in_run(uint64_t bytes);
  /// Counts bytes that were allocated elsewhere.
  void note(uint64_t bytes) { allocated_ += bytes; }
  /// A safepoint: collects where enough was made since the last collection. `roots` are words that only the caller holds.
  void poll(std::initializer_list<uint64_t> roots = {}) {
    if (is_due()) collect(roots);
  }
  /// A safepoint at which something is made: what `make` gives, after a collection where it gives nothing at first; null where there is no
  /// room even then.
  template <typename Make>
  auto make_at_safepoint(std::initializer_list<uint64_t> roots, const Make& make) {
    poll(roots);
    auto* made = make();
    if (made != nullptr) return made;
    collect(roots);
    return make();
  }
  bool is_due() const { return allocated_ >= collect_at_; }
  /// Collects now.
  void collect(std::initializer_list<uint64_t> roots = {});
  /// Objects may take so many bytes, or as many as there is address space for.
  void set_limit(uint64_t bytes) {
    blocks.set_limit(bytes);
    plan();
  }
  /// The next safepoint collects.
  void request() { allocated_ = ~uint64_t{0} >> 1; }
  /// From now on every safepoint collects, for tests.
  void collect_always();
  /// From now on each collection is followed by a check of what heap/snapshot_check.h says, which ends the process where it fails.
  void check_snapshots_always() { check_snapshots_ = true; }

  void reclaim(std::initializer_list<uint64_t> roots) override { collect(roots); }
  bool always() const override { return always_; }

  const HeapCounts& counts() const { return counts_; }

  Blocks blocks;
  Codes codes;
  Externs externs;
  TypeMarks types;
  Descriptors descriptors;

 private:
  void mark(Marker* marker, std::initializer_list<uint64_t> roots);
  void sweep_records(const Marker& marker);
  void plan();
  /// Adapts the budget to a collection that found so many new bytes and freed so many.
  void adapt(uint64_t made, uint64_t freed);
  /// Gives back what is left of the runs.
  void give_back_runs();

  Runtime* runtime_;
  HeapEmbedder* embedder_;
  void* finalizer_argument_;
  Kind kinds_[kObjectKinds];
  /// Bytes allocated since the last collection, and how many bring the next.
  uint64_t allocated_ = 0;
  uint64_t collect_at_;
  /// Bytes that are made between two collections, at least.
  uint64_t budget_;
  bool always_ = false;
  bool check_snapshots_ = false;
  bool collecting_ = false;
  HeapCounts counts_;
};

}  // namespace heddle

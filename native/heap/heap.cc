#include "heap/heap.h"

#include <algorithm>
#include <optional>

#include "base/attempt.h"
#include "base/system.h"
#include "heap/exceptions.h"
#include "heap/objects.h"
#include "heap/snapshot_check.h"
#include "trap/watchdog.h"

namespace heddle {

namespace {

/// What may be made before the first collection, and at least between two: below this a collection frees too little for its trouble.
constexpr uint64_t kLeastBytes = 4 << 20;
constexpr uint64_t kLeastContinuations = 8192;
/// Beyond this the cache is too small for more to help.
constexpr uint64_t kMostBudget = 32 << 20;
constexpr uint64_t kLeastCell = 16;
static_assert((kRunBytes - kLeastCell) / 8 + 1 == sizeof(VMThread::runs) / sizeof(uint64_t) / 2);
/// The heap's share of the memory that the process may use is address space only until it is touched.
constexpr uint64_t kShare = 8;

}  // namespace

uint64_t Heap::default_limit() {
  return memory_limit() / kShare;
}

Heap::Heap(Runtime* runtime, HeapEmbedder* embedder, void* finalizer_argument, uint64_t limit)
    : blocks(limit),
      descriptors(&runtime->thread),
      runtime_(runtime),
      embedder_(embedder),
      finalizer_argument_(finalizer_argument),
      collect_at_(kLeastBytes),
      budget_(kLeastBytes) {
  define(ObjectKind::Exception, exception_kind());
  define(ObjectKind::Object, object_kind());
  runtime_->reclaimer = this;
  runtime_->reclaim_at = kLeastContinuations;
  runtime_->reclaim_copies_at = kLeastBytes;
}

Heap::~Heap() {
  runtime_->reclaimer = nullptr;
  runtime_->reclaim_at = ~uint64_t{0};
  runtime_->reclaim_copies_at = ~uint64_t{0};
  blocks.each([this](uint64_t object) {
    const Kind& kind = kinds_[static_cast<size_t>(blocks.kind_of(object))];
    if (kind.finalize != nullptr) kind.finalize(finalizer_argument_, object);
  });
}

void* Heap::allocate(ObjectKind kind, uint64_t bytes, uint64_t weight) {
  note(bytes + weight);
  return blocks.allocate(kind, bytes);
}

void* Heap::allocate_in_run(uint64_t bytes) {
  const uint64_t cell = std::max(round_up(bytes, sizeof(uint64_t)), kLeastCell);
  if (always_) return allocate(ObjectKind::Object, cell);
  uint64_t* run = runtime_->thread.runs + (cell / sizeof(uint64_t) - 2) * 2;
  Blocks::Run taken{run[0], run[1]};
  if (taken.to - taken.from < cell) {
    blocks.give_back(taken);
    taken = {};
    const bool well = blocks.take_run(ObjectKind::Object, cell, &taken);
    note(taken.to - taken.from);
    run[0] = taken.from;
    run[1] = taken.to;
    if (!well) return nullptr;
  }
  run[0] += cell;
  return at<void>(taken.from);
}

void Heap::give_back_runs() {
  constexpr size_t kWords = sizeof(VMThread::runs) / sizeof(uint64_t);
  uint64_t* runs = runtime_->thread.runs;
  for (size_t i = 0; i < kWords; i += 2) {
    blocks.give_back({runs[i], runs[i + 1]});
    runs[i] = runs[i + 1] = 0;
  }
}

void Heap::collect_always() {
  give_back_runs();
  always_ = true;
  plan();
}

void Heap::plan() {
  allocated_ = 0;
  runtime_->copies.planned();
  // Before the heap is full: what has no room to collect for itself still finds some.
  const uint64_t room = blocks.limit() - std::min(blocks.limit(), blocks.bytes());
  collect_at_ = always_ ? 0 : std::max(kLeastBytes, std::min(std::max(budget_, blocks.bytes()), room / 2));
  runtime_->reclaim_at = always_ ? 0 : std::max(kLeastContinuations, runtime_->records.live() * 2);
  runtime_->reclaim_copies_at = always_ ? 0 : std::max(kLeastBytes, runtime_->copies.bytes());
}

/// Where much of what was made lives, fewer collections find less to do for nothing; where nearly nothing does, what is made stays in the
/// cache.
void Heap::adapt(uint64_t made, uint64_t freed) {
  if (made > blocks.limit()) made = freed;  // It was asked for, whatever was made.
  const uint64_t kept = made - std::min(made, freed);
  if (kept > made / 5) budget_ = std::min(budget_ * 2, kMostBudget);
  if (kept < made / 50) budget_ = std::max(budget_ / 2, kLeastBytes);
  blocks.trim(budget_);
}

void Heap::mark(Marker* marker, std::initializer_list<uint64_t> roots) {
  for (const uint64_t root : roots) marker->root(root);
  mark_thread(marker, runtime_);
  embedder_->mark_roots(marker);
  marker->drain();
  // A frame may have type ids of its module in registers, and nothing else of it.
  codes.each_marked([marker](const Code& code) { marker->word(code.types()); });
  marker->drain();
}

void Heap::sweep_records(const Marker& marker) {
  Records& records = runtime_->records;
  const uint64_t end = records.end();
  for (uint64_t i = 1; i < end; i++) {
    VMContinuation* record = records.base() + i;
    if (marker.is_marked(i)) continue;
    const auto state = static_cast<State>(record->state);
    if (state == State::Free || state == State::Retired || state == State::Aside) continue;
    counts_.continuations_freed++;
    if (is_copied(record)) {
      runtime_->drop(record);
    } else {
      runtime_->release_continuation(record);
    }
  }
}

void Heap::collect(std::initializer_list<uint64_t> roots) {
  if (collecting_ || runtime_->no_collection != 0) return;
  collecting_ = true;
  const uint64_t start = now_nanoseconds();
  const uint64_t made = allocated_;
  give_back_runs();
  {
    std::optional<Marker> marker;
    const bool marked = attempt([&] {
      types.clear();
      marker.emplace(runtime_, &blocks, &codes, &externs, &types, kinds_, embedder_->memories());
      mark(&*marker, roots);
    });
    if (!marked) {
      // Without memory to mark with nothing is known to be free. Marks of code and of JavaScript's values only keep it until the next time.
      blocks.clear_marks();
      plan();
      collecting_ = false;
      return;
    }
    embedder_->marked(&blocks);
    sweep_records(*marker);
  }
  const uint64_t before = blocks.bytes();
  counts_.objects_freed += blocks.sweep([this](ObjectKind kind, uint64_t object) {
    const Kind& how = kinds_[static_cast<size_t>(kind)];
    if (how.finalize != nullptr) how.finalize(finalizer_argument_, object);
    counts_.objects_freed++;
  });
  std::vector<int32_t> freed;
  codes.sweep(&freed);
  adapt(made, before - blocks.bytes());
  plan();
  embedder_->swept(freed);
  counts_.collections++;
  counts_.last_pause = now_nanoseconds() - start;
  counts_.longest_pause = std::max(counts_.longest_pause, counts_.last_pause);
  counts_.total_pause += counts_.last_pause;
  if (check_snapshots_) {
    counts_.snapshot_doubts += check_snapshots(*runtime_, blocks);
    counts_.snapshot_checks++;
  }
  collecting_ = false;
}

}  // namespace heddle

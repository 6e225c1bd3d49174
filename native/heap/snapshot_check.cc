#include "heap/snapshot_check.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>

namespace heddle {

namespace {

/// The frames of one fiber.
struct Frames {
  uint64_t from;
  uint64_t to;
  uint64_t fiber;
  /// The record of its chain, 0 for a chain that runs: those of one chain may point at each other.
  uint64_t chain;
};

class SnapshotCheck {
 public:
  SnapshotCheck(const Runtime& runtime, const Blocks& blocks)
      : runtime_(runtime), blocks_(blocks), records_(at<const VMContinuation>(address_of(runtime.thread.continuations))) {}

  std::vector<SnapshotViolation> run() {
    each_record([this](const VMContinuation* record) {
      if (record->state == static_cast<uint32_t>(State::Suspended)) add_frames(record);
    });
    std::sort(frames_.begin(), frames_.end(), [](const Frames& a, const Frames& b) { return a.from < b.from; });
    if (frames_.empty()) return {};
    each_record([this](const VMContinuation* record) { look_at_record(record, "record " + std::to_string(record->index)); });
    look_at_entries();
    look_at_running();
    blocks_.each([this](uint64_t object) { look_at_object(object); });
    return std::move(violations_);
  }

 private:
  template <typename Visit>
  void each_record(const Visit& visit) const {
    for (uint64_t i = 1; i < runtime_.records.end(); i++) {
      const auto state = static_cast<State>(records_[i].state);
      if (state != State::Free && state != State::Retired) visit(records_ + i);
    }
  }

  void add_frames(const VMContinuation* record) {
    if (is_copied(record)) return;
    uint64_t sp = record->fiber->sp;
    for (const VMFiber* fiber = record->leaf; fiber != nullptr; fiber = fiber->parent) {
      frames_.push_back({sp, address_of(fiber), fiber->id, record->index});
      sp = fiber->sp;
    }
  }

  /// The frames of another chain than `chain` that the word points into; null where there are none.
  const Frames* find(uint64_t word, uint64_t chain) const {
    const auto after =
        std::upper_bound(frames_.begin(), frames_.end(), word, [](uint64_t value, const Frames& one) { return value < one.from; });
    if (after == frames_.begin()) return nullptr;
    const Frames& frames = *std::prev(after);
    return word < frames.to && (chain == 0 || frames.chain != chain) ? &frames : nullptr;
  }

  void look_at(uint64_t word, uint64_t chain, const std::string& holder) {
    if (const Frames* frames = find(word, chain)) violations_.push_back({holder, word, frames->fiber, certain_});
  }

  // Redzones of C++ frames are looked at, too: what is there is plain memory.
  __attribute__((no_sanitize("address", "thread"))) void look_at_words(uint64_t from, uint64_t to, uint64_t chain,
                                                                       const std::string& holder) {
    for (uint64_t place = from; place + sizeof(uint64_t) <= to; place += sizeof(uint64_t))
      look_at(*at<const uint64_t>(place), chain, holder);
  }

  /// A record, its payload, and the fibers of its chain where it is set aside. Its payload may not even name its own frames.
  void look_at_record(const VMContinuation* record, const std::string& name) {
    look_at_words(address_of(record), address_of(record->inline_slots), 0, name);
    look_at_words(record->slots, record->slots + uint64_t{record->capacity} * kSlotSize, 0, "the payload of " + name);
    const auto state = static_cast<State>(record->state);
    // What is in a copy has no frames.
    if (is_copied(record)) return;
    if (state == State::Suspended || state == State::Parked) look_at_chain(record->leaf, record->fiber->sp, record->index);
  }

  /// The frames and control blocks of a chain whose leaf's frames begin at `sp`.
  void look_at_chain(const VMFiber* leaf, uint64_t sp, uint64_t chain) {
    for (const VMFiber* fiber = leaf; !is_host(fiber); fiber = fiber->parent) {
      const std::string name = "fiber " + std::to_string(fiber->id);
      certain_ = false;
      look_at_words(sp, address_of(fiber), chain, "a frame of " + name);
      certain_ = true;
      look_at_words(address_of(fiber), address_of(fiber + 1), chain, "the control block of " + name);
      sp = fiber->sp;
    }
  }

  void look_at_entries() {
    runtime_.taken_entries().each([this](const EntryFiber& entry) { look_at_record(&entry.record, "an entry fiber's record"); });
  }

  void look_at_running() {
    const VMThread& thread = runtime_.thread;
    if (thread.current != nullptr) look_at_chain(thread.current, thread.exit_sp, 0);
    for (const auto* entry = static_cast<const OuterEntry*>(thread.entry); entry != nullptr; entry = entry->outer) {
      if (entry->suspended_current == nullptr) continue;
      look_at_chain(entry->suspended_current, entry->exit_sp, 0);
      for (const uint64_t word : {entry->exit_sp, entry->exit_fp, address_of(entry->outermost)}) look_at(word, 0, "an entry");
    }
  }

  void look_at_object(uint64_t object) {
    const ObjectKind kind = blocks_.kind_of(object);
    const std::string name = "an object of kind " + std::to_string(static_cast<int>(kind));
    look_at_words(object, object + blocks_.bytes_of(object), 0, name);
    if (kind != ObjectKind::Table) return;
    const VMTable* table = at<const VMTable>(object);  // A table's object begins with it.
    look_at_words(table->base, table->base + table->length * sizeof(uint64_t), 0, "a table");
  }

  const Runtime& runtime_;
  const Blocks& blocks_;
  const VMContinuation* records_;
  /// Of all suspended fibers, by address.
  std::vector<Frames> frames_;
  std::vector<SnapshotViolation> violations_;
  /// Of what is being looked at.
  bool certain_ = true;
};

}  // namespace

std::vector<SnapshotViolation> find_snapshot_violations(const Runtime& runtime, const Blocks& blocks) {
  return SnapshotCheck(runtime, blocks).run();
}

size_t check_snapshots(const Runtime& runtime, const Blocks& blocks) {
  const std::vector<SnapshotViolation> violations = find_snapshot_violations(runtime, blocks);
  size_t uncertain = 0;
  for (const SnapshotViolation& one : violations) {
    if (!one.certain) uncertain++;
    if (!one.certain) continue;
    std::fprintf(stderr, "heddle: snapshot check: %s holds 0x%" PRIx64 ", inside the frames of suspended fiber %" PRIu64 "\n",
                 one.holder.c_str(), one.word, one.fiber);
  }
  if (uncertain != violations.size()) std::abort();
  return uncertain;
}

}  // namespace heddle

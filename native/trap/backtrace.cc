#include <algorithm>

#include "base/attempt.h"
#include "trap/entry.h"
#include "trap/sites.h"
#include "trap/unwind.h"

namespace heddle {

namespace {

/// How many entries around a trap's are shown.
constexpr size_t kOuterEntries = 16;

/// Keeps the first kInnerFrames and the last kOuterFrames of however many come.
class Collector {
 public:
  /// Without memory for them it keeps none.
  Collector() {
    attempt([this] { inner_.reserve(kInnerFrames + 1 + kOuterFrames); });
  }

  /// `count` is how many frames of the program it stands for.
  void add(const Frame& frame, uint32_t count) {
    if (inner_.capacity() == 0) return;
    if (inner_.size() < kInnerFrames) {
      inner_.push_back(frame);
      return;
    }
    Outer& place = outer_[outer_count_ % kOuterFrames];
    if (outer_count_ >= kOuterFrames) missing_ += place.count;
    place = {frame, count};
    outer_count_++;
  }

  std::vector<Frame> finish() {
    const size_t kept = std::min(outer_count_, kOuterFrames);
    if (outer_count_ > kept) inner_.push_back({kOmitted, static_cast<int32_t>(missing_), -1});
    for (size_t i = outer_count_ - kept; i < outer_count_; i++) inner_.push_back(outer_[i % kOuterFrames].frame);
    return std::move(inner_);
  }

 private:
  struct Outer {
    Frame frame;
    uint32_t count;
  };
  std::vector<Frame> inner_;
  Outer outer_[kOuterFrames];
  size_t outer_count_ = 0;
  uint64_t missing_ = 0;
};

/// Adds the frames of one fiber: the one at `fp`, where `pc` lies inside the instruction that it stopped at, and its callers. False where
/// they do not lie on the fiber. They are read so many bytes further on.
bool walk_one(const CodeReader& reader, const VMFiber* fiber, uint64_t fp, uint64_t pc, Collector* frames, uint64_t distance = 0) {
  for (;;) {
    const bool walkable = fiber != nullptr && frame_on(fiber, fp);
    const FrameLink* link = walkable ? link_at(fp + distance) : nullptr;
    // A fiber's first frame is the enter trampoline's, which is none of the program's. Where it begins after an interrupt
    // it has no frame yet.
    const bool first = fp == 0 || (walkable && link->fp == 0);
    if (const CodeSites* sites = first ? nullptr : reader.find(pc)) {
      const FunctionRange* function = sites->function_at(pc);
      const int32_t location = sites->source_at(pc);
      frames->add({sites->id, function == nullptr ? -1 : static_cast<int32_t>(function->number), location}, sites->frames_at(location));
    }
    if (!walkable || first) return first;
    pc = link->pc - 1;
    fp = link->fp;
  }
}

/// The frames of a chain: of `fiber`, from the one at `fp`, and of its parents up to `last`. `pc` lies inside an instruction.
std::vector<Frame> walk_chain(const VMFiber* fiber, uint64_t fp, uint64_t pc, const VMFiber* last) {
  const CodeReader reader;
  Collector frames;
  while (walk_one(reader, fiber, fp, pc, &frames) && fiber != last) {
    // While a fiber runs its control block holds where its resumer waits.
    pc = fiber->pc - 1;
    fp = fiber->fp;
    fiber = fiber->parent;
  }
  return frames.finish();
}

}  // namespace

std::vector<Frame> walk_frames(const VMThread* thread, const VMFiber* last) {
  // Always inside the instruction that trapped or called.
  return walk_chain(thread->current, thread->trap_fp, thread->trap_pc, last);
}

void append_outer_frames(std::vector<Frame>* frames, const OuterEntry* innermost) {
  attempt([=] {
    const OuterEntry* entry = innermost;
    // Where calls nest deep, JavaScript's frames are cut off as well.
    for (size_t entries = 0; entry->outer != nullptr && entries < kOuterEntries; entry = entry->outer, entries++) {
      if (entry->suspended_current == nullptr) continue;
      const auto more = walk_chain(entry->suspended_current, entry->exit_fp, entry->exit_pc - 1, entry->outer->outermost);
      frames->push_back({kNextEntry, -1, -1});
      frames->insert(frames->end(), more.begin(), more.end());
    }
  });
}

std::vector<Frame> walk_calls(const VMThread* thread) {
  const auto* entry = static_cast<const OuterEntry*>(thread->entry);
  if (entry == nullptr || thread->current == nullptr) return {};
  auto frames = walk_chain(thread->current, thread->exit_fp, thread->exit_pc - 1, entry->outermost);
  append_outer_frames(&frames, entry);
  return frames;
}

std::vector<Frame> walk_fiber(const VMFiber* fiber, uint64_t fp, uint64_t pc, uint64_t distance) {
  Collector frames;
  walk_one(CodeReader(), fiber, fp, pc, &frames, distance);
  return frames.finish();
}

}  // namespace heddle

// All stacks of a thread's continuations: the usual ones, and those that a module asked for by other options.
#pragma once
#include <algorithm>
#include <functional>
#include <memory>
#include <vector>

#include "base/check.h"
#include "fiber/sanitizer.h"
#include "stacks/stack.h"

namespace heddle {

/// What a continuation's stack is to differ in from the usual ones; what is not given is as usual.
struct StackChoice {
  const Strategy* strategy = nullptr;
  const Guard* guard = nullptr;
  /// Bytes that frames may take, 0 when not given.
  uint64_t size = 0;
  /// Whether those that are suspended hibernate without regard to the budget.
  bool hibernates = false;
};

/// A Stacks for each distinct choice. The limits (maximum, memory, budget) hold for all of them together.
class StackSets {
 public:
  explicit StackSets(const StackOptions& usual);

  Stacks* usual() { return sets_.front().get(); }
  /// The stacks of a choice, which are made where nobody chose so before and live as long as this.
  Stacks* chosen(const StackChoice& choice);

  /// A stack of a set whose contents are unspecified, or null; then `refusal` says why. `elsewhere` bytes count as well: the copies of
  /// vacant stacks.
  Stack* allocate(Stacks* set, uint64_t elsewhere = 0);
  Refusal refusal() const { return refusal_; }
  /// The same of the usual set, at once: one of the few that were released last. Null where there is none. No limit is asked: it has
  /// counted since it was made.
  Stack* take_recent() {
    Stack* stack = recent_;
    if (stack == nullptr) return nullptr;
    recent_ = stack->next;
    recent_count_--;
    stack->live = true;
    return stack;
  }
  /// Takes a stack back to where it came from. Where there is one set it does not ask the stack, which is a cache miss among many.
  void release(Stack* stack) {
    if (!keep(stack)) (sets_.size() == 1 ? usual() : stack->owner)->release(stack);
  }
  /// Whether `excess` and `eager` are 0, of which most who ask need no more.
  bool is_within_budget() const { return sets_.size() == 1 && bytes_of(*sets_.front(), recent_count_) <= sets_.front()->options().budget; }
  /// Gives the pages of live stacks back to the kernel: see Stacks::vacate.
  void vacate(Stack** first, Stack** last);
  /// Bytes that live stacks are thought to commit.
  uint64_t committed() const;
  /// How many stacks more than the budget allows are occupied.
  uint64_t excess() const;
  /// Of sets that were chosen to hibernate: how many stacks are occupied.
  uint64_t eager() const;
  /// Whether a stack is of such a set.
  bool is_eager(const Stack* stack) const { return stack->owner != sets_.front().get() && stack->owner->options().budget == 0; }

  /// The sums over all sets.
  StackCounts counts() const;
  /// Calls `visit` with every stack, live ones and those kept for reuse.
  void each(const std::function<void(Stack&)>& visit) const {
    for (const auto& set : sets_) set->each(visit);
  }

 private:
  /// Most lives are short: the stack of one that ends is that of the next one that begins, without a set's limits, counts and samples.
  /// These few count as live there, and as pooled here.
  static constexpr uint32_t kMostRecent = 8;
  /// Of so many stacks that are released one goes to its set even so, which looks at some whether they ran deep.
  static constexpr uint32_t kSampled = 64;

  static uint64_t bytes_of(const Stacks& set, uint64_t unused) {
    return std::max((set.occupied() - unused) * set.resident_each(), set.seen_bytes());
  }
  bool keep(Stack* stack) {
    if (recent_count_ >= most_recent_ || stack->vacant || stack->seen != 0 || ++released_ % kSampled == 0) return false;
    HEDDLE_CHECK(stack->live);
    sanitizer::forget_frames(stack->span.base, stack->span.size());
    stack->live = false;
    stack->next = recent_;
    recent_ = stack;
    recent_count_++;
    return true;
  }
  void forget_recent();

  Refusal beyond(uint64_t elsewhere);
  uint64_t look(bool all);

  std::vector<std::unique_ptr<Stacks>> sets_;
  /// Released stacks of the usual set, the last one first, while there is no other set.
  Stack* recent_ = nullptr;
  uint32_t recent_count_ = 0;
  uint32_t most_recent_ = 0;
  uint32_t released_ = 0;
  MemoryLimit limit_;
  Refusal refusal_ = Refusal::None;
  uint64_t peak_ = 0;
};

}  // namespace heddle

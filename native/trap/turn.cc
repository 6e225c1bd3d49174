#include "trap/turn.h"

#include "trap/watchdog.h"

namespace heddle {

namespace {

const OuterEntry* innermost(const Runtime* runtime) {
  return static_cast<const OuterEntry*>(runtime->thread.entry);
}

/// Whether `entry` is `inner`, or one that it lies in.
bool contains(const OuterEntry* entry, const OuterEntry* inner) {
  while (inner != nullptr && inner != entry) inner = inner->outer;
  return inner != nullptr;
}

}  // namespace

Turn::Turn(Runtime* runtime, uint64_t id, uint64_t deadline)
    : runtime_(runtime),
      outer_(runtime->turns),
      id_(id),
      outer_deadline_(runtime->deadline.load(std::memory_order_relaxed)),
      base_(innermost(runtime)) {
  runtime->turns = this;
  if (deadline >= outer_deadline_) return;
  runtime->deadline.store(deadline);
  // An entry wakes the watchdog where it sleeps; where it does not, it looks at each tick.
  if (deadline < now_nanoseconds() + 2 * kTick) note_deadline();
}

Turn::~Turn() {
  told();
  runtime_->deadline.store(outer_deadline_);
  runtime_->turns = outer_;
}

bool Turn::end(Runtime* runtime, uint64_t id, bool between) {
  Turn* turn = runtime->turns;
  while (turn != nullptr && turn->id_ != id) turn = turn->outer_;
  if (turn == nullptr) return false;
  if (!turn->ended_) runtime->turns_ended++;
  turn->ended_ = true;
  turn->between_ = between;
  turn->at_ = innermost(runtime);
  return true;
}

Turn* Turn::ended_around(const Runtime* runtime) {
  const OuterEntry* entry = innermost(runtime);
  Turn* found = nullptr;
  for (Turn* turn = runtime->turns; turn != nullptr; turn = turn->outer_) {
    if (turn->ended_ && contains(entry, turn->at_)) found = turn;
  }
  return found;
}

bool Turn::is_direct() const {
  return !between_ && innermost(runtime_)->outer == base_;
}

void Turn::told() {
  if (ended_) runtime_->turns_ended--;
  ended_ = false;
}

}  // namespace heddle

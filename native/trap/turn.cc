#include "trap/turn.h"

#include "trap/watchdog.h"

namespace heddle {

namespace {

const OuterEntry* innermost(const Runtime* runtime) {
  return static_cast<const OuterEntry*>(runtime->thread.entry);
}

/// Whether the innermost entry was there already when so many had been made. (A later one may lie where another has been.)
bool was_before(const Runtime* runtime, uint64_t made) {
  const OuterEntry* entry = innermost(runtime);
  return entry != nullptr && entry->number <= made;
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
  turn->at_ = runtime->entries.load(std::memory_order_relaxed);
  return true;
}

Turn* Turn::ended_around(const Runtime* runtime) {
  Turn* found = nullptr;
  for (Turn* turn = runtime->turns; turn != nullptr; turn = turn->outer_) {
    if (turn->ended_ && was_before(runtime, turn->at_)) found = turn;
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

bool end_entry(Runtime* runtime) {
  const OuterEntry* entry = innermost(runtime);
  while (entry != nullptr && entry->outer != nullptr) entry = entry->outer;
  if (entry == nullptr || (entry->takes & kTakesPromises) == 0 || runtime->ended_entry != nullptr) return false;
  runtime->ended_entry = entry;
  runtime->ended_at = runtime->entries.load(std::memory_order_relaxed);
  runtime->turns_ended++;
  return true;
}

bool is_in_ended_entry(const Runtime* runtime) {
  return runtime->ended_entry != nullptr && was_before(runtime, runtime->ended_at);
}

void forget_ended_entry(Runtime* runtime) {
  runtime->ended_entry = nullptr;
  runtime->turns_ended--;
}

}  // namespace heddle

// Turns of calls with limits: what the host enters in one has a deadline together, and the host may end it from inside.
#pragma once
#include "continuation/runtime.h"

namespace heddle {

/// A stretch in which the host makes the entries of one turn of a call. Lives on the C++ stack of whoever makes it; turns and entries nest.
class Turn {
 public:
  /// `deadline` is in monotonic nanoseconds, all ones for none. It holds beside those outside.
  Turn(Runtime* runtime, uint64_t id, uint64_t deadline);
  ~Turn();
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  /// The innermost turn of that id under way is to end; false where there is none. What the host enters before it returns goes on.
  /// `between`: none of its own entries is under way, what is entered is the host's own affair.
  static bool end(Runtime* runtime, uint64_t id, bool between);
  /// The outermost turn that is to end and that the innermost entry is part of, now that an import has returned to it; null where there is
  /// none. Requires: Runtime::turns_ended is not 0.
  static Turn* ended_around(const Runtime* runtime);
  /// Whether the innermost entry is this turn's own, and not one of an import's inside it.
  bool is_direct() const;
  /// The end was told to the turn's own entry, once.
  void told();

 private:
  Runtime* runtime_;
  Turn* outer_;
  uint64_t id_;
  uint64_t outer_deadline_;
  /// The entry that it lies in; null where JavaScript was not called by WebAssembly.
  const OuterEntry* base_;
  /// Number of the last entry when it was ended.
  uint64_t at_ = 0;
  bool ended_ = false;
  bool between_ = false;
};

/// The outermost entry, which takes waits, is to end as a turn is that has been ended, though it is of none; false where there is none
/// such.
bool end_entry(Runtime* runtime);
/// Whether that entry is around the innermost one, now that an import has returned to it.
bool is_in_ended_entry(const Runtime* runtime);
/// That entry was told, or is over. Requires: there is one.
void forget_ended_entry(Runtime* runtime);

}  // namespace heddle

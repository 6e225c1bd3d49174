// Continuations that the host resumes: JavaScript in the place of a resume instruction.
#pragma once
#include "trap/entry.h"

namespace heddle {

/// One resumption of a continuation by the host.
class Resumption : public Entry {
 public:
  /// `what` are kTakes… bits. Requires: the record's handle is consumed, the host does not hold it.
  Resumption(Runtime* runtime, VMContinuation* record, uint32_t what) : Entry(runtime, &entry_), record_(record) { entry_.takes = what; }

  /// Goes on with `payload` (the record, or the exception that it was aimed with). Where it traps, fails or gets no stack, it is given
  /// back. Where it is a version that cannot go on now that is a trap, and it is as it was, not consumed: then `record` is not null.
  Ending run(uint64_t payload, uint64_t deadline = ~uint64_t{0});

  /// After run: returned, the record whose slots hold the results, for its owner to release; suspended, the one whose slots hold the
  /// values; parked, the one that was set aside.
  VMContinuation* record() const { return record_; }
  /// After a suspension: its tag.
  const VMTag* suspension() const { return entry_.tag; }

 private:
  /// Moves the shadow stacks' pointers; false where the fiber may not go on, and is given back.
  bool enter_shadow(VMFiber* fiber);
  /// The fiber has come to this ending; returns the one that it is taken for.
  Ending leave_shadow(VMFiber* fiber, Ending ending);
  void refuse(uint64_t reason);

  /// Not zeroed: that takes as long as an eighth of a short wait. Entry::enter fills in what has no value of its own.
  OuterEntry entry_;
  VMContinuation* record_;
};

/// What comes of aiming.
enum class Aimed {
  Yes,
  /// It has no handler, and is given back.
  No,
  /// It is a version that cannot go on now, and stays as it was: not consumed.
  Refused,
};
/// Aims a consumed continuation at its handler of an exception, waking it. `*refused` is why it cannot go on.
Aimed aim(Runtime* runtime, VMContinuation* record, const VMException* exception, uint64_t* refused);

/// Aims the consumed `record`, which has a stack, at its handler of an exception of `tag`: what is inside the handler's fiber is given
/// back. False, with nothing changed, where it has none.
bool aim_at_handler(Runtime* runtime, VMContinuation* record, const VMTag* tag);

}  // namespace heddle

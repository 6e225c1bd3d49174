// Copies of suspended chains: made to empty their stacks (hibernation.h), or for versions of a continuation (cont.clone), which go on from
// the same state at the same addresses, one after the other.
//
// What holds: a record has a fiber exactly where its version lies on its stacks. A stack of which there are copies is owned by what lies on
// it and by each copy that names it. A copy with several versions is never written. docs/decisions/0032 says why.
#pragma once
#include <vector>

#include "continuation/copy.h"
#include "stacks/sets.h"

namespace heddle {

class Runtime;

/// A thread's copies.
class Copies {
 public:
  explicit Copies(Runtime* runtime) : runtime_(runtime) {}
  Copies(const Copies&) = delete;
  Copies& operator=(const Copies&) = delete;

  /// A second record in the state of `source`, which is fresh or suspended; null with `*refused`, a refused_… of LIMITS, and nothing
  /// changed, where there is none.
  VMContinuation* clone(VMContinuation* source, uint64_t* refused);
  /// The same of a state that is copied; null where it is not, or no record is free.
  VMContinuation* clone_known(const VMContinuation* source);
  /// Copies a suspended or parked chain out, which has a fiber. False, and nothing is changed, without memory. The stacks that it has left
  /// are added to `emptied`, where that is given.
  bool put_aside(VMContinuation* record, std::vector<Stack*>* emptied);
  /// Puts a chain back; others that lie there are put aside first. 0, or a refused_… of LIMITS, with nothing changed that anybody sees.
  uint64_t wake(VMContinuation* record);
  /// The same, for who goes to the chain next where its record says.
  uint64_t resume(VMContinuation* record);
  /// The same where nothing has to be made or to make way; false, and nothing is done, elsewhere.
  bool resume_known(VMContinuation* record);
  /// Gives up a chain that is in a copy, with its record.
  void drop(VMContinuation* record);
  /// A fiber is over, or given up: nothing lies on its stack any more. Requires: the stack is copied.
  void leave(Stack* stack);
  /// What lies on a stack is never gone on with.
  void forget(Stack* stack) {
    if (stack->copied) release_links(stack->owners);
  }
  /// Gives the pages of stacks on which nothing lies back to the kernel. Returns how many it were.
  uint64_t vacate_empty(StackSets* stacks);

  /// Records whose chain is in a copy, copies and their bytes, and how often chains were put aside, woken and cloned.
  uint64_t chains() const { return chains_; }
  uint64_t count() const { return count_; }
  uint64_t bytes() const { return bytes_; }
  uint64_t hibernations() const { return hibernations_; }
  uint64_t wakes() const { return wakes_; }
  uint64_t clones() const { return clones_; }
  /// Bytes that were copied for clones since `planned` was called last: a collection may free as many.
  uint64_t copied_since() const { return copied_since_; }
  void planned() { copied_since_ = 0; }

  /// A collection begins: every copy is to be looked at once.
  void begin_scan() { scan_++; }
  /// Whether a version may go on without a look at the budget: its stacks have their pages.
  static bool is_warm(const VMContinuation* record) { return copy_of(record)->shared() && !copy_of(record)->outermost().stack->vacant; }
  /// Whether the collector has not looked at it yet.
  bool scan(ChainCopy* copy) const { return copy->scanned != scan_ && (copy->scanned = scan_, true); }

 private:
  ChainCopy* make(const VMContinuation* record, bool shared);
  ChainCopy* shared_copy(VMContinuation* source, uint64_t* refused);
  VMContinuation* make_version(const VMContinuation* source, ChainCopy* copy);
  ChainCopy* clean_copy(const VMContinuation* record) const;
  bool share(ChainCopy* copy, bool occupied);
  uint64_t share_new(ChainCopy* copy);
  uint64_t capture(ChainCopy* copy) const;
  void end_shadow(SavedFiber* part);
  bool strip(ChainCopy* copy, uint64_t* refused);
  void forget_inner(VMContinuation* record);
  uint64_t make_way(ChainCopy* copy);
  bool make_records(const ChainCopy* copy);
  void exchange(VMContinuation* record, ChainCopy* copy);
  void unversion(ChainCopy* copy);
  void free(ChainCopy* copy);
  void disown(Stack* stack);
  void list_empty(Stack* stack);
  /// Frames that have links in a copy are gone, or nobody returns from them. The stack may go with the copy.
  void release_links(StackOwners* owners);
  void unlist(Stack* stack);
  void note_released(Stack* stack);

  Runtime* runtime_;
  /// Stacks that may be owned by copies alone, and have pages: all that are are among them.
  std::vector<Stack*> empty_;
  /// Records of the inner fibers of what wakes.
  std::vector<VMContinuation*> inner_;
  /// Those of the frames that are copied.
  std::vector<FrameLink> links_;
  uint32_t scan_ = 0;
  uint64_t chains_ = 0;
  uint64_t count_ = 0;
  uint64_t bytes_ = 0;
  uint64_t copied_since_ = 0;
  uint64_t hibernations_ = 0;
  uint64_t wakes_ = 0;
  uint64_t clones_ = 0;
};

}  // namespace heddle

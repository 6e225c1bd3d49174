// Shadow stacks: what C, C++ and Rust keep their address-taken locals on, in linear memory, below a global. Calls that wait at the same
// time must not share one stretch of it, so each fiber that has frames there has an area of its own, and the global goes with the fiber
// (docs/decisions/0013).
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "base/layout.h"

namespace heddle {

class Runtime;
class ShadowStack;

/// A stretch of linear memory, in bytes from the memory's beginning. Frames grow down from `top`.
struct ShadowArea {
  uint64_t low = 0;
  uint64_t top = 0;
  /// The stack pointer, while another area's is in the global.
  uint64_t pointer = 0;
  /// Who has it: at most one fiber or caller, and copies of what lay on it (shadow_copy.h), which are counted apart as well.
  uint32_t owners = 1;
  uint32_t copies = 0;

  /// Whether nothing lies on it. Requires: the area's pointer is not in the global, or was saved.
  bool idle() const { return pointer == top; }
  /// Whether another fiber may put frames on it: where copies lay none but their own fibers may.
  bool can_be_borrowed() const { return idle() && copies == 0; }
};

/// What frames lie on: the area of whoever calls from outside, or of a fiber. Null where none was left: then frames trap.
struct ShadowPlace {
  ShadowArea* area = nullptr;
};

/// What a fiber has on a shadow stack whose frames are moved: its own part of the one stretch that all use.
struct MovedFrames {
  /// The pointer when the fiber began: its frames lie below.
  uint64_t high = 0;
  /// While it waits: its pointer, and what lay between.
  uint64_t pointer = 0;
  std::vector<unsigned char> frames;
  /// While it runs, having waited: the pointer of who went on with it, and what that one has where its own frames may lie.
  bool is_back = false;
  uint64_t outer = 0;
  std::vector<unsigned char> under;
};

/// One fiber's part in one shadow stack.
struct ShadowUse {
  std::shared_ptr<ShadowStack> stack;
  /// Its own area, from its first wait with frames on, or where others had frames when it began.
  ShadowPlace own;
  /// The place that was in use when it went on, and is again when it stops; null while it waits.
  ShadowPlace* before = nullptr;
  /// What it runs on: `own`, or that of before.
  ShadowPlace* place = nullptr;
  /// Whether the fiber waits.
  bool waits = false;
  /// Whether functions of it may have saved the top of an area that it has left: ShadowStack::past_.
  bool moved = false;
  /// Where the stack's frames are moved: instead of places.
  MovedFrames frames;
  ShadowUse* next = nullptr;
};

/// Where areas come from besides the one that the module begins with.
class ShadowSpace {
 public:
  virtual ~ShadowSpace() = default;
  /// An idle area that lies below `water`, or outside of the trunk, which ends at `top`; null when there is none.
  virtual ShadowArea* take(uint64_t water, uint64_t top) = 0;
  virtual void give(ShadowArea* area) = 0;
  /// The lowest address that the trunk may use now; 0 for any.
  virtual uint64_t trunk_limit() const = 0;
  /// Why the last area could not be had: a detail of trap shadow_overflow, 0 where all are taken.
  virtual uint64_t failure() const { return 0; }
  /// Called where code may run: gives back what is not needed.
  virtual void trim() {}
};

/// Equal slices of the module's own stack.
std::unique_ptr<ShadowSpace> make_slices(uint64_t low, uint64_t top, uint64_t size);

/// The module's own allocator.
struct ShadowAllocator {
  /// Address of a block, 0 when there is none. Where it does not return `*failure` is what ShadowSpace::failure says.
  std::function<uint64_t(uint64_t size, uint64_t* failure)> allocate;
  std::function<void(uint64_t address)> free;
};
std::unique_ptr<ShadowSpace> make_blocks(ShadowAllocator allocator, uint64_t size);
/// What `make` says when an area is needed first; null where there are none.
std::unique_ptr<ShadowSpace> make_deferred(std::function<std::unique_ptr<ShadowSpace>(uint64_t top)> make);

/// One module's shadow stack: that of one global, which several instances may share.
class ShadowStack : public std::enable_shared_from_this<ShadowStack> {
 public:
  /// `cell` is the address of the global's cell: the pointer, and from kShadowBelow on the bounds of what code may set it to.
  /// `owner` is the instance whose allocator it may use: others keep it.
  /// `wide` says that the global is an i64. Without a `space` there is one area, and the frames of a call that waits are moved out of it.
  ShadowStack(Runtime* runtime, const VMInstance* owner, uint64_t cell, bool wide, std::unique_ptr<ShadowSpace> space);
  /// One that is not swapped, because too little is known of it (a shadow_… of LIMITS): only one call of `instance` may wait at a time, and
  /// no other begin meanwhile.
  ShadowStack(Runtime* runtime, const VMInstance* instance, uint64_t reason);
  ~ShadowStack();
  ShadowStack(const ShadowStack&) = delete;
  ShadowStack& operator=(const ShadowStack&) = delete;

  /// Address of the global's cell; 0 where the stack is not swapped, or no instance uses it any more.
  uint64_t cell() const { return cell_; }
  /// The detail of trap shadow_overflow: the bytes of the area in use, 0 where there is none.
  uint64_t room() const;
  /// Where there is no area: ShadowSpace::failure.
  uint64_t failure() const { return space_ == nullptr ? 0 : space_->failure(); }
  /// The cells of the globals in which the module keeps the ends of its stack for checks of its own: they are told those of the area in
  /// use.
  void tell_limits(uint64_t base_cell, uint64_t end_cell);
  /// Where the pointer is, and back there: what lies below is nobody's any more. Where another area is in use by then nothing changes, and
  /// while no fiber has ever waited on the stack neither: the global is the module's own until then, whatever it is for.
  struct Mark {
    const ShadowArea* area;
    uint64_t pointer;
  };
  Mark mark() const;
  void back_to(const Mark& mark);

  /// What code is about to give the global a value that was saved, where areas are shared, makes of it: the value itself; or, where it is
  /// the top of an area that the caller has left since, that of the area in use. False where it is neither.
  bool restore(uint64_t value, uint64_t* pointer) const;

  const VMInstance* owner() const { return instance_; }
  /// One more instance uses it, or one fewer: with the last one the global is gone.
  void attach() { instances_++; }
  void detach();

 private:
  friend class ShadowSwitch;
  friend class ShadowCopy;
  ShadowArea* take();
  void give(ShadowArea* area);
  /// One owner fewer; with the last one it is free.
  void disown(ShadowArea* area);
  void save();
  void install(ShadowPlace* place);
  uint64_t low_of(const ShadowArea& area) const;
  uint64_t pointer() const { return word(cell_); }
  uint64_t word(uint64_t cell) const;
  void set_word(uint64_t cell, uint64_t value) const;
  void set_pointer(uint64_t pointer) const { set_word(cell_, pointer); }
  void tell(const ShadowArea& area);
  /// Writes the cell (shadow_… of LIMITS).
  void write(uint64_t pointer, uint32_t below, uint32_t beyond);
  /// A fiber has left an area on which it has nothing: functions of it may have saved its top.
  void leave_behind(ShadowUse* use, const ShadowArea* area);
  /// A fiber keeps the area on which others run that have nothing there: they go on elsewhere, and may have saved its top.
  void move_away(const ShadowArea* area);
  void settle();
  /// A fiber that has the trunk goes on, and nothing else runs: the slice that plain calls had meanwhile need not end it.
  void lend_base();
  /// The place of whoever went on with a fiber is in use again.
  void go_back(ShadowPlace* place);
  /// Drops what lies on the area in use.
  void clear();
  bool is_of(const VMFiber* fiber) const;

  /// Whether frames are moved.
  bool moves() const { return reason_ == 0 && space_ == nullptr; }
  /// A fiber begins or goes on where the pointer is; its frames are put back at their addresses.
  void move_in(ShadowUse* use);
  enum class Leaving { Waits, Returns, IsDropped };
  /// The innermost fiber that runs stops.
  void move_out(Leaving leaving);
  /// The same of all fibers that run inside of one, and of itself; nothing where it does not run.
  void move_out_to(const ShadowUse* use, Leaving leaving);
  /// Copies bytes of the memory that are there: from an address on, and back.
  std::vector<unsigned char> copy_out(uint64_t low, uint64_t high) const;
  void copy_in(uint64_t low, const std::vector<unsigned char>& bytes) const;

  Runtime* runtime_;
  uint64_t cell_ = 0;
  bool wide_ = false;
  std::unique_ptr<ShadowSpace> space_;
  const VMInstance* instance_ = nullptr;
  uint64_t reason_ = 0;
  /// Calls of the instance that wait, and that run, where too little is known.
  uint32_t waiting_ = 0;
  uint32_t going_ = 0;
  uint32_t instances_ = 0;
  /// Whether a fiber has had a part in it.
  bool shared_ = false;
  /// The area that the module begins with. How far it reaches is the module's affair, as long as no other area is in it.
  ShadowArea trunk_;
  bool trunk_taken_ = true;
  /// Tops of areas besides the trunk that callers with nothing there have left; 0 stands for no area. Kept while one of them lives.
  std::set<uint64_t> past_;
  /// Fibers that may have saved one of them; and whether anyone else may, until what runs has ended.
  size_t moved_ = 0;
  bool base_moved_ = false;
  bool keeps_past_ = false;
  /// Frames of calls that nothing can set aside.
  ShadowPlace base_;
  /// tell_limits; what the module itself has said, while they say something else.
  uint64_t base_cell_ = 0;
  uint64_t end_cell_ = 0;
  bool told_ = false;
  uint64_t own_base_ = 0;
  uint64_t own_end_ = 0;
  /// What the pointer in the global belongs to.
  ShadowPlace* running_;
  /// Where frames are moved: fibers that run, the innermost last.
  std::vector<ShadowUse*> inside_;
};

/// Moves the stack pointers of all shadow stacks of a thread along with its fibers.
class ShadowSwitch {
 public:
  /// `own_pointer` says that the program moves the pointer of the fiber's own stack itself, where that is one which is not swapped.
  explicit ShadowSwitch(Runtime* runtime, bool own_pointer = false) : runtime_(runtime), own_pointer_(own_pointer) {}

  /// The detail of trap shadow_stack where too little is known of the stack of the instance that the fiber began in, else 0.
  uint64_t unknown(const VMFiber* fiber) const;
  /// The fiber `first` goes on, and with it the chain up to `leaf`. 0, or the detail of trap shadow_stack; then nothing has changed.
  uint64_t enter(VMFiber* first, VMFiber* leaf);
  /// The chain from `leaf` to `first` has stopped, and waits. 0, or the detail of trap shadow_stack: then it may not, and is to be given
  /// back.
  uint64_t leave(VMFiber* first, VMFiber* leaf);
  /// The fiber is over: it `returned`, or it is given back wherever it was. What it had is free.
  void end(VMFiber* fiber, bool returned);
  /// Lets calls that nothing can set aside have the trunk again, where it is free. Requires: none runs.
  void settle();

 private:
  static ShadowUse* use_of(VMFiber* fiber, const ShadowStack* stack);
  static ShadowUse* make_use(VMFiber* fiber, ShadowStack* stack);
  static void drop_use(VMFiber* fiber, ShadowUse* use);
  /// The use of a fiber that stops; null where it has no frames on the stack. It gets one where it has put frames where nothing lay.
  static ShadowUse* find_use(ShadowStack* stack, VMFiber* first, VMFiber* leaf);
  static void move_in(ShadowStack* stack, VMFiber* first, VMFiber* leaf);
  static void move_out(ShadowStack* stack, VMFiber* first);
  static void begin_unknown(ShadowStack* stack, VMFiber* fiber);
  void enter(ShadowStack* stack, VMFiber* first, VMFiber* leaf);
  static void leave(ShadowUse* use, VMFiber* first, VMFiber* leaf);
  static void repoint(const ShadowStack* stack, VMFiber* first, VMFiber* leaf, const ShadowPlace* from, ShadowPlace* to);

  Runtime* runtime_;
  bool own_pointer_;
};

}  // namespace heddle

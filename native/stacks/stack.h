// Stacks for fibers: one interface, several strategies.
//
// A stack's memory, drawn at example addresses (continuation stacks: size 256 KiB, page 4 KiB):
//
//   0x54000  end of the slot
//   0x53e80  top: the slot's end less its colour (a multiple of 128 B below 3 KiB), so that tops do not share cache sets
//   0x53e00  VMFiber, the control block (asm/x86_64_sysv.S draws what lies below it)
//            frames grow down
//   0x13e80  limit: a prologue that would bring sp below it traps
//            1 KiB for the routines of asm/, which check nothing
//            room for a signal's frame and handler (libuv's handlers run wherever sp is)
//   0x11000  base: the lowest byte that may be touched
//   0x10000  guard page, where there is one
#pragma once
#include <functional>
#include <memory>

#include "fiber/stack_span.h"
#include "stacks/memory_limit.h"

namespace heddle {

class Stacks;

/// Who owns a stack of which copies were made (continuation/copies.h): frames that lie on it, and copies that can be put back there. What
/// takes the last one away gives the stack back.
struct StackOwners {
  uint32_t copies = 0;
  /// Place in the list of those on which nothing lies; all ones for none.
  uint32_t place = ~uint32_t{0};
  /// Whether a fiber lies on it.
  bool occupied = false;
  /// Of the outermost fiber's stack: the copy that was made last of what lies there. Only the copy says whether it is still the same.
  void* clean = nullptr;
  /// The copy that has links of frames that lie on it; null where they have their own.
  void* links = nullptr;
};

/// A stack. Owned by the Stacks that made it. A cache line of its own: among many stacks each use of another is a miss.
struct alignas(64) Stack {
  StackSpan span;
  /// One past the last byte of its memory: `span.top` without its colour.
  uint64_t end = 0;
  union {
    /// Free lists.
    Stack* next = nullptr;
    /// While `copied`.
    StackOwners* owners;
  };
  /// Who made it, and takes it back.
  Stacks* owner = nullptr;
  /// Free for whoever took the stack.
  uint32_t user = 0;
  /// Free for whoever made it.
  uint32_t set = 0;
  /// Whether its pages were given back while somebody owns it.
  bool vacant = false;
  /// Whether somebody owns it.
  bool live = false;
  /// Whether there are copies of what lay on it.
  bool copied = false;
  /// Pages that it was last seen to have in memory.
  uint32_t seen = 0;
};

/// Bytes below the limit that the routines of asm/ may use: heddle_interrupt uses most, 408 on x86-64, 800 on aarch64.
/// Generated code uses none (docs/decisions/0017).
inline constexpr uint64_t kRoutineRoom = 1024;
/// Bytes between a stack's base and its limit: kRoutineRoom, AT_MINSIGSTKSZ, 4 KiB for a signal's handler.
uint64_t room_below_limit();
/// Bytes of usable memory that a stack of `size` needs: colours and the room below the limit as well; whole pages.
uint64_t usable_bytes(uint64_t size);
/// Puts base, limit and top into `stack` for usable memory [base, end). `number` chooses the colour.
void lay_out(Stack* stack, uint64_t base, uint64_t end, uint64_t number);

/// Where stacks come from.
enum class Strategy {
  /// A mapping for each, with a guard page: two memory maps a stack.
  Mmap,
  /// From malloc: no guard; for tests and tools that know malloc.
  Malloc,
  /// Slots of large reservations, recycled warm.
  Pool,
};

/// What lies below a stack: see probe_kernel_guard.
enum class Guard { Auto, Kernel, Software };

/// What a set of stacks is made with.
struct StackOptions {
  Strategy strategy = Strategy::Pool;
  Guard guard = Guard::Auto;
  /// Bytes between limit and top, control block included.
  uint64_t size = 256 * 1024;
  /// Of a pool: so many stacks have `large_size` bytes, where that is more.
  uint64_t large = 0;
  uint64_t large_size = 1 << 20;
  /// Then so many have `size`; those that live beyond have at most `later_size` bytes.
  uint64_t first = ~uint64_t{0};
  uint64_t later_size = 64 * 1024;
  /// Stacks that may live at a time.
  uint64_t maximum = 1 << 20;
  /// Bytes that live stacks may commit; a stack counts as at least 8 KiB.
  uint64_t memory = ~uint64_t{0};
  /// Bytes that unused stacks may keep committed for reuse.
  uint64_t warm = 64 * 1024 * 1024;
  /// Bytes that live stacks may commit before the oldest suspended ones hibernate.
  uint64_t budget = ~uint64_t{0};
  /// See Stacks::look_below.
  bool canary = false;
};

/// Counters, for --stats.
struct StackCounts {
  uint64_t live = 0;
  /// Of the live ones: those whose contents are elsewhere.
  uint64_t vacant = 0;
  uint64_t pooled = 0;
  uint64_t peak = 0;
  uint64_t reserved_bytes = 0;
};

/// Why there was no stack: LIMITS refused_… of contract/abi.ts.
enum class Refusal : uint32_t {
  None = 0,
  Maximum = kRefusedMaximum,
  Memory = kRefusedMemory,
  System = kRefusedSystem,
};

/// What the limit of memory takes for a live stack, at least, and for a vacant one with the copy of its contents, in bytes.
inline constexpr uint64_t kLeastCommitted = 8 * 1024;
inline constexpr uint64_t kVacantCommitted = 1024;

/// A source of stacks. Not thread-safe: each engine has its own.
class Stacks {
 public:
  static std::unique_ptr<Stacks> create(const StackOptions& options);
  virtual ~Stacks() = default;
  Stacks(const Stacks&) = delete;
  Stacks& operator=(const Stacks&) = delete;

  /// A stack whose contents are unspecified, or null; then `refusal` says why.
  Stack* allocate();
  /// The same without a look at the limits, for who has looked at those of several sets.
  Stack* make();
  Refusal refusal() const { return refusal_; }
  /// Takes a stack back. Requires: nothing runs on it and nobody will resume it.
  void release(Stack* stack);
  /// Gives the pages of live stacks back to the kernel: their contents are lost, their addresses stay theirs. Changes their order.
  void vacate(Stack** first, Stack** last);
  /// Notes that a vacant stack is used again.
  void occupy(Stack* stack);
  /// With the option `canary`: ends the process where anything was written below the routines' room since the stack was
  /// taken. (Signals write there, unless their handlers have a stack of their own.)
  void look_below(const Stack& stack) const;
  /// Bytes that live stacks are thought to commit, by samples.
  uint64_t committed() const;
  /// Asks the kernel about the newest stack, where it is live still, or about all that are.
  void look(bool all);
  /// Bytes that live stacks were last seen to have in memory, those that were looked at.
  uint64_t seen_bytes() const { return seen_ * page_size(); }
  /// Bytes that the largest of them may commit.
  uint64_t largest() const { return largest_; }
  /// Live stacks that are not vacant, and the bytes that one of them commits, by the few that were looked at last.
  uint64_t occupied() const { return counts_.live - counts_.vacant; }
  uint64_t resident_each() const { return resident_each_; }

  const StackCounts& counts() const { return counts_; }
  const StackOptions& options() const { return options_; }
  /// Calls `visit` with every stack that has memory: live ones, and those that are kept for reuse.
  virtual void each(const std::function<void(Stack&)>& visit) const = 0;

 protected:
  explicit Stacks(const StackOptions& options);
  virtual Stack* take() = 0;
  virtual void give_back(Stack* stack) = 0;
  /// Gives pages back to the kernel. By default, for each stack those that it fills whole. May change their order.
  virtual void discard(Stack** first, Stack** last);
  /// Bytes of usable memory that each stack needs.
  uint64_t usable_bytes() const { return heddle::usable_bytes(options_.size); }

  const StackOptions options_;
  StackCounts counts_;
  /// See resident_each.
  uint64_t resident_each_ = page_size();

 private:
  void place_canary(const Stack& stack) const;
  void look_at(Stack* stack);
  void forget_seen(Stack* stack);

  const uint64_t largest_;
  Refusal refusal_ = Refusal::None;
  MemoryLimit limit_;
  Stack* newest_ = nullptr;
  uint64_t seen_ = 0;
};

/// Why guards are or are not installed by the kernel.
struct GuardReport {
  bool kernel;
  const char* reason;
};
/// Whether MADV_GUARD_INSTALL works here. A success is not believed: emulators return it and do nothing, so a write(2) from the page must
/// fail.
const GuardReport& probe_kernel_guard();
/// Makes one page fault on any access, in whatever way `guard` says, without a memory map of its own. False where that is not possible.
bool install_guard(uint64_t page);

std::unique_ptr<Stacks> create_mmap_stacks(const StackOptions& options);
std::unique_ptr<Stacks> create_malloc_stacks(const StackOptions& options);
std::unique_ptr<Stacks> create_pool_stacks(const StackOptions& options);

}  // namespace heddle

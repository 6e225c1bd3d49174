// The calls that an instance's program has suspended by the imports start_unwind … of `asyncify` (docs/go.md): where Binaryen's pass has
// frames in a buffer in linear memory, the buffer has a token for a continuation.
#pragma once
#include <unordered_map>
#include <vector>

#include "continuation/runtime.h"

namespace heddle {

/// One instance's suspended calls, by where their tokens lie in memory 0.
class AsyncifyCalls {
 public:
  struct Call {
    /// Where its token lies.
    uint64_t address = 0;
    /// The newest handle of its continuation while it is suspended, else 0.
    uint64_t handle = 0;
    /// What lies there: the number of this place in the upper half, and in the lower one how often it was used.
    uint64_t token = 0;
    /// What start_unwind was given.
    uint64_t buffer = 0;
  };

  /// The place for the token at an address, with a token that no call had there yet. A call that is there still can never go on: its token
  /// is overwritten. `found` is what lies there now: mostly the upper half of a token that was there before. Null without memory.
  Call* place(uint64_t address, uint64_t found);
  /// The suspended call whose token this is, and lies there; null where there is none.
  Call* find(uint64_t address, uint64_t token);

  /// Calls `use` with each suspended one.
  template <typename Use>
  void each(Use use) const {
    for (const Call& call : calls_) {
      if (call.handle != 0) use(call);
    }
  }

 private:
  uint32_t take(uint64_t address);
  void trim();

  std::vector<Call> calls_;
  /// Their numbers by their addresses.
  std::unordered_map<uint64_t, uint32_t> numbers_;
  /// Numbers of places that are no longer at any address.
  std::vector<uint32_t> free_;
  /// How many places there may be before those of calls that went on are given back.
  size_t trim_at_ = 1024;
};

/// Puts the library calls of asyncify into the thread's table.
void install_asyncify_libcalls(Runtime* runtime);

}  // namespace heddle

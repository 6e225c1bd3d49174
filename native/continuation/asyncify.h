// The calls that an instance's program has suspended by the imports start_unwind … of `asyncify` (docs/go.md): where Binaryen's pass has
// frames in a buffer in linear memory, the buffer has a token for a continuation.
#pragma once
#include <unordered_map>

#include "continuation/runtime.h"

namespace heddle {

/// One instance's suspended calls, by where their tokens lie in memory 0.
class AsyncifyCalls {
 public:
  struct Call {
    /// The newest handle of its continuation while it is suspended, else 0.
    uint64_t handle = 0;
    /// What lies in the buffer; no other call ever has it.
    uint64_t token = 0;
    /// What start_unwind was given.
    uint64_t buffer = 0;
  };

  /// The place for the token at an address. A call that is there still can never go on: its token is overwritten. Null without memory.
  Call* place(uint64_t address);
  /// The suspended call whose token is this, and lies there; null where there is none.
  Call* find(uint64_t address, uint64_t token);
  /// Counts tokens.
  uint64_t next_token() { return ++tokens_; }

  /// Calls `use` with each suspended one.
  template <typename Use>
  void each(Use use) const {
    for (const auto& [address, call] : calls_) {
      if (call.handle != 0) use(call);
    }
  }

 private:
  std::unordered_map<uint64_t, Call> calls_;
  uint64_t tokens_ = 0;
  /// How many places there may be before those of calls that went on are given back.
  size_t trim_at_ = 1024;
};

/// Puts the library calls of asyncify into the thread's table.
void install_asyncify_libcalls(Runtime* runtime);

}  // namespace heddle

// What is known of a piece of machine code: which pc traps how, which function it is in, where that was in the module.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace heddle {

/// An instruction that may trap.
struct TrapSite {
  uint32_t offset;
  uint32_t code;
};
/// A function's code.
struct FunctionRange {
  uint32_t number;
  uint32_t offset;
  uint32_t size;
};
/// Code from `offset` on, up to the next entry, was made from byte `location` of the module (-1: from none; below:
/// ts/lower/function/locations.ts).
struct SourceStart {
  uint32_t offset;
  int32_t location;
};

/// Where a call goes on with an exception that its scopes catch.
struct CallHandler {
  /// Offset of the return address.
  uint32_t return_offset;
  /// Frame pointer less stack pointer at the call.
  uint32_t frame_offset;
  /// Where the context is, relative to the stack pointer, or -1.
  int32_t context_offset;
  /// Where the innermost scope's words begin.
  int32_t scope;
  uint32_t handler_offset;
};

/// Rows that lie elsewhere, as a vector has them.
struct TrapTable {
  const TrapSite* first = nullptr;
  size_t count = 0;
  const TrapSite* begin() const { return first; }
  const TrapSite* end() const { return first + count; }
};

/// The tables of one artifact in memory. Offsets count from `base`, tables are sorted by offset and never change.
struct CodeSites {
  uint64_t base = 0;
  uint64_t size = 0;
  int32_t id = 0;
  TrapTable traps;
  /// Its rows, where they lie nowhere else.
  std::vector<TrapSite> own_traps;
  std::vector<FunctionRange> functions;
  std::vector<SourceStart> sources;
  /// By row that a location below -1 names: location of the call that was replaced with the function whose operator it is.
  std::vector<int32_t> inlined_calls;
  /// Sorted by return offset.
  std::vector<CallHandler> handlers;
  /// [scope around or -1, n, (where the context has a tag, or -1 for everything)*n]*: see ts/lower/function/scopes.ts.
  std::vector<int32_t> scopes;

  /// The trap of the instruction at `pc`; null when it is none that may trap.
  const TrapSite* trap_at(uint64_t pc) const;
  const FunctionRange* function_at(uint64_t pc) const;
  int32_t source_at(uint64_t pc) const;
  /// How many frames of the program a location stands for: functions that were inlined, and the one whose code it is.
  uint32_t frames_at(int32_t location) const;
  /// Where the call that returns to `pc` goes on with an exception; null where it has no scope.
  const CallHandler* handler_at(uint64_t pc) const;
};

/// Makes code known to signal handlers and backtraces of every thread. `sites` stays valid until unregistered.
/// False, and it is not, without memory.
bool register_code(const CodeSites* sites);
/// Requires: nothing runs in the code any more.
void unregister_code(const CodeSites* sites);

/// A reader's hold on the registry. Async-signal-safe: readers never wait; a writer waits for readers before it frees what they may see.
class CodeReader {
 public:
  CodeReader();
  ~CodeReader();
  CodeReader(const CodeReader&) = delete;
  CodeReader& operator=(const CodeReader&) = delete;
  /// The code that `pc` lies in, or null.
  const CodeSites* find(uint64_t pc) const;
};

}  // namespace heddle

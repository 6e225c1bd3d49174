// What is known of a piece of machine code: which pc traps how, which function it is in, where that was in the module.
#pragma once
#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <type_traits>
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

/// The rows of a table: in memory of its own, or where others keep them for as long as it lives.
template <typename Row>
class Rows {
  static_assert(sizeof(Row) % sizeof(int32_t) == 0 && std::is_trivially_copyable<Row>::value, "a row of words");

 public:
  const Row* begin() const { return begin_; }
  const Row* end() const { return begin_ + count_; }
  size_t size() const { return count_; }
  const Row& operator[](size_t i) const { return begin_[i]; }
  /// Takes a copy of words that are laid out as rows. Throws std::bad_alloc.
  void copy(const int32_t* words, size_t count) {
    own_.resize(count / kWords);
    if (!own_.empty()) std::memcpy(own_.data(), words, own_.size() * sizeof(Row));
    begin_ = own_.data();
    count_ = own_.size();
  }
  /// The words themselves.
  void refer(const int32_t* words, size_t count) {
    begin_ = reinterpret_cast<const Row*>(words);  // SAFETY: rows of words, which are aligned as words are; aliasing is allowed everywhere.
    count_ = count / kWords;
  }

 private:
  static constexpr size_t kWords = sizeof(Row) / sizeof(int32_t);
  const Row* begin_ = nullptr;
  size_t count_ = 0;
  std::vector<Row> own_;
};

class SitePieces;

/// The tables of one artifact, or of a piece of one, in memory. Offsets count from `base`, tables are sorted by offset and never change.
struct CodeSites {
  uint64_t base = 0;
  uint64_t size = 0;
  int32_t id = 0;
  Rows<TrapSite> traps;
  Rows<FunctionRange> functions;
  Rows<SourceStart> sources;
  /// By row that a location below -1 names, from `first_inlined` on: location of the call that was replaced with the function whose
  /// operator it is.
  std::vector<int32_t> inlined_calls;
  size_t first_inlined = 0;
  /// Sorted by return offset.
  std::vector<CallHandler> handlers;
  /// What has been put into the code since it was registered; null for code that does not grow.
  const SitePieces* pieces = nullptr;
  /// [scope around or -1, n, (where the context has a tag, or -1 for everything)*n]*: see ts/lower/function/scopes.ts.
  Rows<int32_t> scopes;

  /// The trap of the instruction at `pc`; null when it is none that may trap.
  const TrapSite* trap_at(uint64_t pc) const;
  const FunctionRange* function_at(uint64_t pc) const;
  int32_t source_at(uint64_t pc) const;
  /// How many frames of the program a location stands for: functions that were inlined, and the one whose code it is.
  uint32_t frames_at(int32_t location) const;
  /// Where the call that returns to `pc` goes on with an exception; null where it has no scope.
  const CallHandler* handler_at(uint64_t pc) const;
};

/// The pieces of code that grows, each behind those before it. One thread adds; others, and signal handlers, look meanwhile.
class SitePieces {
 public:
  /// Room for so many. Throws std::bad_alloc.
  explicit SitePieces(size_t most) : rows_(new std::unique_ptr<const CodeSites>[most]), most_(most) {}
  bool full() const { return count() == most_; }
  size_t count() const { return count_.load(std::memory_order_acquire); }
  /// Requires: it is not full, and the piece lies behind the others.
  void add(std::unique_ptr<const CodeSites> piece);
  /// The piece that `pc` lies in, or null. Async-signal-safe.
  const CodeSites* find(uint64_t pc) const;

 private:
  std::unique_ptr<std::unique_ptr<const CodeSites>[]> rows_;
  size_t most_;
  /// Rows before this are complete.
  std::atomic<size_t> count_{0};
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
  /// The code that `pc` lies in, of code that grows the piece; or null.
  const CodeSites* find(uint64_t pc) const;
};

}  // namespace heddle

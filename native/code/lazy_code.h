// Machine code of a module whose functions are made when they are first called.
#pragma once
#include "base/layout.h"
#include "code/code.h"
#include "code/code_file.h"

namespace heddle {

/// A range of addresses for all of a module's code: our stubs, a slot for each function (code/slots.h), then pieces, each behind those
/// before it. In front of it lie the slots' words, in memory that is data.
///
/// The code is a range of a file in memory, mapped twice: readable and executable for as long as this lives, and writable, elsewhere, only
/// while a piece is put into it. Nothing in it holds an address, and nothing in it is ever written again: a function's word alone changes.
class LazyCode : public Code {
 public:
  /// With slots for the functions numbered from `first` on, and room for so many bytes of code. Null when the system refuses: a range of
  /// addresses of that size, files in memory, their execution.
  static std::unique_ptr<LazyCode> reserve(int32_t id, uint32_t first, uint32_t count, size_t room);
  ~LazyCode() override { forget(); }

  size_t bytes() const override { return end_; }
  LazyCode* lazy() override { return this; }

  /// Where the slots begin, and the next piece would: offsets in the code.
  uint32_t slots() const { return kStubSize; }
  size_t next() const;
  /// Puts a piece at next(), with tables whose offsets count from its beginning, and then has the slots of the functions that it has jump
  /// to it. With `stubs` the piece is a whole artifact, whose first kStubSize bytes are room for stubs of its own. False, and all is as it
  /// was, where there is no more room, or the system gives no memory.
  bool add(const uint8_t* bytes, size_t size, const CodeTables& tables, bool stubs = false);
  /// Where a call of a function goes now: an address in its piece, or its slot's rest; 0 where it has no slot.
  uint64_t target(uint32_t number) const;

 private:
  LazyCode() = default;
  /// Fills a range that nobody runs yet, by a mapping of its own. False without memory.
  template <typename Fill>
  bool fill(size_t offset, size_t size, Fill fill);
  bool write_front();
  bool register_front(int32_t id);
  uint64_t* word(uint32_t number) const;

  CodeSpan span_;
  uint64_t words_ = 0;
  uint32_t first_ = 0;
  uint32_t count_ = 0;
  /// Bytes that have something.
  size_t end_ = 0;
  size_t inlined_rows_ = 0;
  std::unique_ptr<SitePieces> pieces_;
};

}  // namespace heddle

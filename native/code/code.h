// Machine code in memory.
#pragma once
#include <memory>

#include "base/page.h"
#include "trap/sites.h"

namespace heddle {

/// A span of words of a table that TypeScript gives (contract/formats.md, section 6).
struct Words {
  const int32_t* data = nullptr;
  size_t count = 0;
};

/// A mapped artifact: our stubs, then its functions, readable and executable and never written again. Self-contained: it calls nothing by
/// address except through the context it is given.
class Code {
 public:
  /// Takes memory whose first kStubSize bytes are room for the stubs, and registers the tables. Its first `code_size` bytes, whole pages,
  /// become executable. `traps` may lie behind them, and is not copied then. `inlined` are the rows of
  /// ts/lower/function/locations.ts, `scopes` the words of ts/lower/function/scopes.ts. Null when the system refuses.
  static std::unique_ptr<Code> load(int32_t id, Mapping memory, size_t code_size, Words functions, Words traps, Words sources, Words calls, Words inlined,
                                    Words scopes);
  /// Requires: no frame of this code exists any more.
  ~Code();
  Code(const Code&) = delete;
  Code& operator=(const Code&) = delete;

  int32_t id() const { return sites_.id; }
  uint64_t base() const { return memory_.base(); }
  size_t size() const { return memory_.size(); }
  /// The object of the heap that names the types of its module; 0 where there is none.
  uint64_t types() const { return types_; }
  void set_types(uint64_t types) { types_ = types; }

 private:
  Code() = default;
  Mapping memory_;
  uint64_t types_ = 0;
  CodeSites sites_;
};

}  // namespace heddle

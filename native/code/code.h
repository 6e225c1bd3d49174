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

/// A file in memory: its bytes may be read for as long as anybody has it.
struct MappedFile {
  Mapping mapping;
  /// Some of it is run.
  bool runs = false;
};

/// Tables of an artifact, each of words.
struct CodeTables {
  Words functions, traps, sources, calls;
  /// Rows of ts/lower/function/locations.ts.
  Words inlined;
  /// Those of ts/lower/function/scopes.ts.
  Words scopes;
};

class LazyCode;

/// A mapped artifact: our stubs, then its functions, readable and executable and never written again. Self-contained: it calls nothing by
/// address except through the context it is given.
class Code {
 public:
  /// Takes memory whose first kStubSize bytes are room for the stubs, and registers copies of the tables, or themselves where they lie in
  /// it. Its first `code_size` bytes, whole pages, become executable; all unless said otherwise. Null when the system refuses.
  static std::unique_ptr<Code> load(int32_t id, Mapping memory, const CodeTables& tables, size_t code_size = 0);
  /// The same with code that lies in a file, `size` bytes at the start of a page there, up to the end of the last page that it is in.
  /// Tables in the file stay there. The page with the stubs becomes this process's own, the rest is the system's copy of the file. Null
  /// when the system refuses, or where the file is run already.
  static std::unique_ptr<Code> map(int32_t id, std::shared_ptr<MappedFile> file, size_t offset, size_t size, const CodeTables& tables);
  /// Requires: no frame of this code exists any more.
  virtual ~Code();
  Code(const Code&) = delete;
  Code& operator=(const Code&) = delete;

  int32_t id() const { return sites_.id; }
  uint64_t base() const { return base_; }
  size_t size() const { return size_; }
  /// Bytes of memory that it takes.
  virtual size_t bytes() const { return size_; }
  /// Itself where it grows (code/lazy_code.h), null where it does not.
  virtual LazyCode* lazy() { return nullptr; }
  /// The object of the heap that names the types of its module; 0 where there is none.
  uint64_t types() const { return types_; }
  void set_types(uint64_t types) { types_ = types; }

 protected:
  Code() = default;
  /// From now on nobody knows it. What its tables are in must live until then.
  void forget();

  uint64_t base_ = 0;
  size_t size_ = 0;
  CodeSites sites_;
  /// This or a file has the code.
  Mapping memory_;

 private:
  bool protect();
  bool add_sites(int32_t id, const CodeTables& tables);

  std::shared_ptr<MappedFile> file_;
  uint64_t types_ = 0;
};

/// Copies the stubs to the beginning of memory that is to be code.
void copy_stubs(void* to);

/// Registered tables of code: those that lie in `kept`, which outlives them, stay there; others are copied. Throws std::bad_alloc.
void read_tables(const CodeTables& tables, const Mapping& kept, CodeSites* sites);

}  // namespace heddle

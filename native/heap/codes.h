// The machine code of a thread: freed once neither an instance, nor a frame, nor a module of JavaScript's needs it.
#pragma once
#include <map>
#include <memory>
#include <vector>

#include "code/code.h"

namespace heddle {

/// Owns the code of a thread.
class Codes {
 public:
  /// The number that the next code is to have.
  int32_t next_id() const { return next_id_; }
  /// Takes code that was just loaded. Null, and it is freed, without memory.
  Code* add(std::unique_ptr<Code> code);
  /// Code by number, null when there is none.
  Code* find(int32_t id) const;

  /// Whether `word` may be an address in code: a cheap first look.
  bool spans(uint64_t word) const { return word - least_ < span_; }
  /// Marks the code that `word` points into, if it does.
  void mark(uint64_t word);
  /// Calls `visit` with all code that has a mark.
  template <typename Visit>
  void each_marked(const Visit& visit) const {
    for (const auto& [base, entry] : entries_) {
      if (entry.marked) visit(*entry.code);
    }
  }
  /// Frees code without a mark and removes the marks; the numbers of what was freed go to `freed`.
  void sweep(std::vector<int32_t>* freed);

  size_t count() const { return entries_.size(); }
  uint64_t bytes() const;

 private:
  struct Entry {
    std::unique_ptr<Code> code;
    bool marked = false;
  };
  void mark_at(uint64_t word);
  void measure();

  /// By base address.
  std::map<uint64_t, Entry> entries_;
  std::map<int32_t, Code*> by_id_;
  int32_t next_id_ = 0;
  uint64_t least_ = 0;
  uint64_t span_ = 0;
  /// What was found last: return addresses come in runs.
  Entry* last_ = nullptr;
};

}  // namespace heddle

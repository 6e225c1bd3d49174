#include "heap/codes.h"

namespace heddle {

namespace {

bool holds(const Code& code, uint64_t word) {
  return word - code.base() < code.size();
}

}  // namespace

void Codes::add(std::unique_ptr<Code> code) {
  next_id_ = code->id() + 1;
  by_id_[code->id()] = code.get();
  const uint64_t base = code->base();
  entries_[base] = {std::move(code), false};
  measure();
}

Code* Codes::find(int32_t id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second;
}

void Codes::measure() {
  last_ = nullptr;
  least_ = entries_.empty() ? 0 : entries_.begin()->first;
  span_ = entries_.empty() ? 0 : entries_.rbegin()->first + entries_.rbegin()->second.code->size() + 1 - least_;
}

void Codes::mark(uint64_t word) {
  mark_at(word);
  // A return address may lie just behind the last instruction, where other code may begin.
  if (word % page_size() == 0) mark_at(word - 1);
}

void Codes::mark_at(uint64_t word) {
  if (last_ != nullptr && holds(*last_->code, word)) {
    last_->marked = true;
    return;
  }
  auto after = entries_.upper_bound(word);
  if (after == entries_.begin()) return;
  Entry& entry = std::prev(after)->second;
  if (!holds(*entry.code, word)) return;
  entry.marked = true;
  last_ = &entry;
}

void Codes::sweep(std::vector<int32_t>* freed) {
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    if (entry->second.marked) {
      entry->second.marked = false;
      ++entry;
      continue;
    }
    freed->push_back(entry->second.code->id());
    by_id_.erase(entry->second.code->id());
    entry = entries_.erase(entry);
  }
  measure();
}

uint64_t Codes::bytes() const {
  uint64_t sum = 0;
  for (const auto& [base, entry] : entries_) sum += entry.code->size();
  return sum;
}

}  // namespace heddle

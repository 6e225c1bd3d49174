#include "heap/codes.h"

#include "base/attempt.h"

namespace heddle {

namespace {

bool holds(const Code& code, uint64_t word) {
  return word - code.base() < code.size();
}

}  // namespace

Code* Codes::add(std::unique_ptr<Code> code) {
  Code* added = code.get();
  const uint64_t base = added->base();
  const bool well = attempt([&] {
    Entry& entry = entries_[base];
    by_id_[added->id()] = added;
    entry.code = std::move(code);
  });
  if (!well) {
    entries_.erase(base);
    return nullptr;
  }
  next_id_ = added->id() + 1;
  measure();
  return added;
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
    const int32_t id = entry->second.code->id();
    // Without memory to say so it is left for the next time.
    if (!attempt([=] { freed->push_back(id); })) {
      ++entry;
      continue;
    }
    by_id_.erase(id);
    entry = entries_.erase(entry);
  }
  measure();
}

uint64_t Codes::bytes() const {
  uint64_t sum = 0;
  for (const auto& [base, entry] : entries_) sum += entry.code->bytes();
  return sum;
}

}  // namespace heddle

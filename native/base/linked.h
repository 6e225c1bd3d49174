// A list through its members, which therefore needs no memory of its own to grow.
#pragma once

namespace heddle {

/// Members of type T, which have `before` and `after` for it. It does not own them.
template <typename T>
class Linked {
 public:
  T* first() const { return first_; }

  /// Calls `visit` with every member, the newest first.
  template <typename Visit>
  void each(const Visit& visit) const {
    for (T* member = first_; member != nullptr; member = member->after) visit(*member);
  }

  void add(T* member) {
    member->before = nullptr;
    member->after = first_;
    if (first_ != nullptr) first_->before = member;
    first_ = member;
  }

  /// Requires: it is a member.
  void remove(T* member) {
    (member->before == nullptr ? first_ : member->before->after) = member->after;
    if (member->after != nullptr) member->after->before = member->before;
  }

 private:
  T* first_ = nullptr;
};

}  // namespace heddle

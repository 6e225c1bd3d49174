// What the heap and generated code know of types: a VMType for each, by its id.
#pragma once
#include "base/layout.h"
#include "base/page.h"

namespace heddle {

/// The descriptors of a thread's types. They are address space until a type has the id.
class Descriptors {
 public:
  explicit Descriptors(VMThread* thread) : thread_(thread) {}
  Descriptors(const Descriptors&) = delete;
  Descriptors& operator=(const Descriptors&) = delete;

  /// Makes room for `count` ids. False where there is no address space; then nothing may be defined.
  bool reserve(uint64_t count);
  /// The descriptor of an id below the count, with depth and display made from those of the supertype, which was defined before; else
  /// zeros.
  VMType* define(uint32_t id, uint32_t kind, uint32_t super);
  /// No type has the id any more.
  void forget(uint32_t id);
  uint64_t count() const { return count_; }
  const VMType& at(uint32_t id) const { return thread_->types[id]; }
  /// Whether a type is another, or declared below it.
  bool is_subtype(uint32_t actual, uint32_t expected) const;

 private:
  VMThread* thread_;
  Mapping memory_;
  uint64_t count_ = 0;
};

}  // namespace heddle

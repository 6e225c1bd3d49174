// The registers of interrupted code, the same words for every ISA.
#pragma once
#include <ucontext.h>

#include <cstdint>

#include "base/page.h"

namespace heddle {

/// A view of a signal's ucontext.
class Registers {
 public:
  explicit Registers(void* context) : machine_(static_cast<ucontext_t*>(context)->uc_mcontext) {}

#if defined(__x86_64__)
  uint64_t pc() const {
    return static_cast<uint64_t>(machine_.gregs[REG_RIP]);
  }
  uint64_t sp() const {
    return static_cast<uint64_t>(machine_.gregs[REG_RSP]);
  }
  uint64_t fp() const {
    return static_cast<uint64_t>(machine_.gregs[REG_RBP]);
  }
  void set_pc(uint64_t value) {
    machine_.gregs[REG_RIP] = static_cast<greg_t>(value);
  }
  void set_sp(uint64_t value) {
    machine_.gregs[REG_RSP] = static_cast<greg_t>(value);
  }
  /// The register in which heddle_leave finds the thread.
  void set_leave_argument(uint64_t value) {
    machine_.gregs[REG_RAX] = static_cast<greg_t>(value);
  }

  /// Undoes `push rbp; mov rbp, rsp`. Requires: pc is in a prologue after those two and before anything else moved rsp.
  void undo_frame() {
    const uint64_t frame = fp();
    machine_.gregs[REG_RBP] = static_cast<greg_t>(*at<uint64_t>(frame));
    set_sp(frame + 8);
  }
#elif defined(__aarch64__)
  uint64_t pc() const {
    return machine_.pc;
  }
  uint64_t sp() const {
    return machine_.sp;
  }
  uint64_t fp() const {
    return machine_.regs[29];
  }
  void set_pc(uint64_t value) {
    machine_.pc = value;
  }
  void set_sp(uint64_t value) {
    machine_.sp = value;
  }
  /// The register in which heddle_leave finds the thread.
  void set_leave_argument(uint64_t value) {
    machine_.regs[0] = value;
  }

  /// Undoes `stp x29, x30, [sp, #-16]!; mov x29, sp`.
  void undo_frame() {
    const uint64_t frame = fp();
    machine_.regs[29] = at<uint64_t>(frame)[0];
    machine_.regs[30] = at<uint64_t>(frame)[1];
    set_sp(frame + 16);
  }
#endif

  /// Makes the interrupted code find (first, second) on its stack and go on at `target`.
  void call(uint64_t target, uint64_t first, uint64_t second) {
    set_sp(sp() - 16);
    at<uint64_t>(sp())[0] = first;
    at<uint64_t>(sp())[1] = second;
    set_pc(target);
  }

 private:
  mcontext_t& machine_;
};

}  // namespace heddle

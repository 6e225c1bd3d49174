// The switch of native/fiber, put in line where it is used.
//
// A processor foretells a return by the call before it. A switch in a function of its own is called on one stack and returned from on
// another, so the foretelling is wrong there, and for the returns that follow (measured: 20 ns a pair instead of 6). In line there is no
// call. The compiler saves what it needs itself, since every register counts as overwritten.
#pragma once
#include "base/asm.h"

namespace heddle {

/// Exchanges sp, fp and pc with those in the control block, as heddle_fiber_switch does; either side may use either. The frame pointer is
/// no register to name here: it comes back as it was by the exchange.
__attribute__((always_inline)) inline SwitchResult switch_fiber(VMFiber* fiber, uint64_t payload, uint64_t kind) {
#if defined(__x86_64__)
  asm volatile(
      "mov %c[pc](%%rdi), %%r8\n\t"
      "mov %c[fp](%%rdi), %%r9\n\t"
      "mov %c[sp](%%rdi), %%r10\n\t"
      "lea 1f(%%rip), %%r11\n\t"
      "mov %%r11, %c[pc](%%rdi)\n\t"
      "mov %%rbp, %c[fp](%%rdi)\n\t"
      "mov %%rsp, %c[sp](%%rdi)\n\t"
      "mov %%r9, %%rbp\n\t"
      "mov %%r10, %%rsp\n\t"
      "jmp *%%r8\n"
      "1:"
      : "+D"(fiber), "+a"(payload), "+c"(kind)
      : [sp] "i"(offsetof(VMFiber, sp)), [fp] "i"(offsetof(VMFiber, fp)), [pc] "i"(offsetof(VMFiber, pc))
      : "rbx", "rdx", "rsi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "cc", "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4",
        "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "st", "st(1)", "st(2)", "st(3)",
        "st(4)", "st(5)", "st(6)", "st(7)"
#if defined(__AVX512F__)
        ,
        "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27", "xmm28", "xmm29",
        "xmm30", "xmm31", "k1", "k2", "k3", "k4", "k5", "k6", "k7"
#endif
  );
  return {kind, payload};
#else
  register uint64_t block asm("x0") = address_of(fiber);
  register uint64_t word asm("x2") = payload;
  register uint64_t how asm("x3") = kind;
  asm volatile(
      "ldp x10, x11, [x0, %[sp]]\n\t"
      "ldr x12, [x0, %[pc]]\n\t"
      "adr x13, 1f\n\t"
      "mov x9, sp\n\t"
      "stp x9, x29, [x0, %[sp]]\n\t"
      "str x13, [x0, %[pc]]\n\t"
      "mov sp, x10\n\t"
      "mov x29, x11\n\t"
      "br x12\n"
      "1:"
      : "+r"(block), "+r"(word), "+r"(how)
      : [sp] "i"(offsetof(VMFiber, sp)), [pc] "i"(offsetof(VMFiber, pc))
      : "x1", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21", "x22",
        "x23", "x24", "x25", "x26", "x27", "x28", "x30", "cc", "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10",
        "v11", "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29",
        "v30", "v31");
  return {how, word};
#endif
}

}  // namespace heddle

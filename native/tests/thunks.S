/*
 * Between C and the Tail convention, for tests in which C++ functions play the part of generated code.
 *   heddle_test_enter      an enter trampoline: Tail (context, code, fiber) -> C heddle_test_body(context, code, fiber)
 *   heddle_test_host_call  C (thread, function, a0..a3) -> value, by the host_call stub
 *   heddle_test_wait       C (thread, function, a0) -> what it was switched to with, by heddle_wait
 */
#include "macros.inc"

        .text

#if defined(__x86_64__)

ROUTINE(heddle_test_enter)
        .cfi_startproc
        push    %rbp                    /* rbp is 0 here: the mark of a fiber's base */
        .cfi_def_cfa_offset 16
        .cfi_offset %rbp, -16
        mov     %rsp, %rbp
        call    heddle_test_body
        pop     %rbp
        .cfi_def_cfa_offset 8
        ret
        .cfi_endproc
END(heddle_test_enter)

ROUTINE(heddle_test_host_call)
        .cfi_startproc
        jmp     heddle_host_call        /* the same registers */
        .cfi_endproc
END(heddle_test_host_call)

ROUTINE(heddle_test_wait)
        .cfi_startproc
        jmp     heddle_wait             /* the same registers */
        .cfi_endproc
END(heddle_test_wait)

#elif defined(__aarch64__)

ROUTINE(heddle_test_enter)
        .cfi_startproc
        stp     x29, x30, [sp, #-16]!
        mov     x29, sp
        mov     x0, x2
        mov     x1, x3
        mov     x2, x4
        bl      heddle_test_body
        ldp     x29, x30, [sp], #16
        ret
        .cfi_endproc
END(heddle_test_enter)

ROUTINE(heddle_test_host_call)
        .cfi_startproc
        stp     x29, x30, [sp, #-16]!
        mov     x29, sp
        mov     x7, x5
        mov     x6, x4
        mov     x5, x3
        mov     x4, x2
        mov     x3, x1
        mov     x2, x0
        bl      heddle_host_call
        mov     x0, x2
        ldp     x29, x30, [sp], #16
        ret
        .cfi_endproc
END(heddle_test_host_call)

ROUTINE(heddle_test_wait)
        .cfi_startproc
        stp     x29, x30, [sp, #-16]!
        mov     x29, sp
        mov     x4, x2
        mov     x3, x1
        mov     x2, x0
        bl      heddle_wait
        mov     x0, x2
        ldp     x29, x30, [sp], #16
        ret
        .cfi_endproc
END(heddle_test_wait)

#endif

        NO_EXECUTABLE_STACK

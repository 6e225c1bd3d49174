/* The programs of programs_x86_64.S: Tail (x2 = context, x3 = argument) -> x2. */
#include "layout.inc"
#include "macros.inc"
#include "registers_aarch64.inc"

#define STUB_SIZE 512
#define STUB_HOST_CALL 128

        .section .rodata
        .p2align 5
MARK(heddle_program_start)

MARK(heddle_program_enter)
        stp     x29, x30, [sp, #-32]!
        mov     x29, sp
        str     x4, [sp, #16]
        mov     x9, x3
        ldr     x10, [x4, #FIBER_RECORD]
        ldr     x10, [x10, #CONTINUATION_SLOTS]
        ldr     x3, [x10]
        blr     x9
        ldr     x4, [sp, #16]
        ldr     x10, [x4, #FIBER_RECORD]
        ldr     x10, [x10, #CONTINUATION_SLOTS]
        str     x2, [x10]
        ldp     x29, x30, [sp], #32
        ret

MARK(heddle_program_unreachable)
        stp     x29, x30, [sp, #-16]!
        mov     x29, sp
MARK(heddle_program_unreachable_trap)
        udf     #0xc11f

MARK(heddle_program_load)
        stp     x29, x30, [sp, #-16]!
        mov     x29, sp
MARK(heddle_program_load_trap)
        ldr     x2, [x3]
        ldp     x29, x30, [sp], #16
        ret

/* aarch64's division never faults: a check and a udf, as Cranelift has it */
MARK(heddle_program_divide)
        stp     x29, x30, [sp, #-16]!
        mov     x29, sp
        mov     x9, #1000
        cbz     x3, heddle_program_divide_trap
        udiv    x2, x9, x3
        ldp     x29, x30, [sp], #16
        ret
MARK(heddle_program_divide_trap)
        udf     #0xc11f

MARK(heddle_program_fibonacci)
        stp     x29, x30, [sp, #-16]!
        mov     x29, sp
        ldr     x16, [x2]
        ldr     x16, [x16, #THREAD_STACK_LIMIT]
        add     x16, x16, #48
        cmp     sp, x16
        b.lo    heddle_program_fibonacci_trap
        stp     x19, x20, [sp, #-16]!
        stp     x21, x22, [sp, #-16]!
        mov     x19, x2
        mov     x20, x3
        mov     x2, x3
        cmp     x3, #2
        b.lo    1f
        mov     x2, x19
        sub     x3, x20, #1
        bl      heddle_program_fibonacci
        mov     x21, x2
        mov     x2, x19
        sub     x3, x20, #2
        bl      heddle_program_fibonacci
        add     x2, x2, x21
1:      ldp     x21, x22, [sp], #16
        ldp     x19, x20, [sp], #16
        ldp     x29, x30, [sp], #16
        ret
MARK(heddle_program_fibonacci_trap)
        udf     #0xc11f

MARK(heddle_program_recurse)
        stp     x29, x30, [sp, #-16]!
        mov     x29, sp
        ldr     x16, [x2]
        ldr     x16, [x16, #THREAD_STACK_LIMIT]
        cmp     sp, x16
        b.lo    heddle_program_recurse_trap
        bl      heddle_program_recurse
        ldp     x29, x30, [sp], #16
        ret
MARK(heddle_program_recurse_trap)
        udf     #0xc11f

/* The pattern is kept in x0, x1, x4..x15, x19..x28 and q0..q31; x16 and x17 are Cranelift's, x18 the platform's. */
MARK(heddle_program_spin)
        stp     x29, x30, [sp, #-160]!
        mov     x29, sp
        CALLEE_SAVED stp, sp
        ldr     x2, [x2]
        ldr     x2, [x2, #THREAD_POLL_PAGE]
        .irp    i, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
        add     x0, x2, #(100 + \i)
        dup     v\i\().2d, x0
        .endr
        .irp    r, 0,1,4,5,6,7,8,9,10,11,12,13,14,15,19,20,21,22,23,24,25,26,27,28,30
        add     x\r, x2, #(1000 + \r)
        .endr
1:      cmp     xzr, xzr
        ldar    x16, [x2]
        b.ne    3f
        sub     x3, x3, #1
        cbnz    x3, 1b
        .irp    r, 0,1,4,5,6,7,8,9,10,11,12,13,14,15,19,20,21,22,23,24,25,26,27,28,30
        add     x16, x2, #(1000 + \r)
        cmp     x16, x\r
        b.ne    3f
        .endr
        .irp    i, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
        add     x16, x2, #(100 + \i)
        mov     x17, v\i\().d[0]
        cmp     x16, x17
        b.ne    3f
        mov     x17, v\i\().d[1]
        cmp     x16, x17
        b.ne    3f
        .endr
        mov     x2, #1
        b       4f
3:      mov     x2, #0
4:      CALLEE_SAVED ldp, sp
        ldp     x29, x30, [sp], #160
        ret

MARK(heddle_program_host)
        stp     x29, x30, [sp, #-16]!
        mov     x29, sp
        mov     x4, x3
        ldr     x2, [x2]
        ldr     x3, [x2, #THREAD_LIBCALLS]
        bl      heddle_program_start - STUB_SIZE + STUB_HOST_CALL
MARK(heddle_program_host_return)
        ldp     x29, x30, [sp], #16
        ret
MARK(heddle_program_host_handler)
        mov     x2, x0
        ldp     x29, x30, [sp], #16
        ret

MARK(heddle_program_pass)
        stp     x29, x30, [sp, #-160]!
        mov     x29, sp
        CALLEE_SAVED stp, sp
        mov     x10, x3
        mov     x9, #0x1234
        .irp    i, 0, 1, 2, 3, 4, 5, 6, 7
        add     x11, x9, #\i
        dup     v\i\().2d, x11
        .endr
        .irp    i, 0, 1, 3, 4, 5, 6, 7, 8, 19, 20, 21, 22, 23, 24, 25, 26, 27
        add     x\i, x2, #1000
        .endr
        mov     x28, x2
        blr     x10
        add     x9, x28, #1000
        .irp    i, 19, 20, 21, 22, 23, 24, 25, 26, 27
        cmp     x\i, x9
        b.ne    1f
        .endr
        b       2f
1:      mov     x2, #0
2:      CALLEE_SAVED ldp, sp
        ldp     x29, x30, [sp], #160
        ret

MARK(heddle_program_passed)
        stp     x29, x30, [sp, #-16]!
        mov     x29, sp
        add     x9, x2, #1000
        .irp    i, 0, 1, 3, 4, 5, 6, 7, 8
        cmp     x\i, x9
        b.ne    1f
        .endr
        mov     x9, #0x1234
        .irp    i, 0, 1, 2, 3, 4, 5, 6, 7
        add     x11, x9, #\i
        mov     x12, v\i\().d[0]
        cmp     x11, x12
        b.ne    1f
        mov     x12, v\i\().d[1]
        cmp     x11, x12
        b.ne    1f
        .endr
        mov     x2, #1
        ldp     x29, x30, [sp], #16
        ret
1:      mov     x2, #0
        ldp     x29, x30, [sp], #16
        ret
MARK(heddle_program_end)

        NO_EXECUTABLE_STACK

/*
 * The stack routines for aarch64, AAPCS64: the same list as x86_64_sysv.S, whose pictures and explanations hold here; only the
 * differences are said.
 *
 * Tail arguments and results start at x2 (x0 is the struct return register, x1 holds an indirect callee). Exception payload
 * words are x0 and x1. The return address is in x30, so a suspended fiber's sp is that of its frame, with nothing popped.
 * What no routine saves: fpcr, the signal mask, the platform register x18; x30 is never signed.
 *
 * The host stack inside heddle_enter (H = thread->host_sp):
 *
 *   H+168 thread   H+160 the outer host_sp   H+96 .. H+159 d8..d15   H+16 .. H+95 x19..x28   H+8 x30   H+0 x29
 */
#include "layout.inc"
#include "macros.inc"
#include "registers_aarch64.inc"

/* The unwinding rule where a fiber begins: see x86_64_sysv.S. */
#define DW_OP_BREG_SP 0x8f
#define DW_OP_BREG_X29 0x8d
#define DW_X29 29
#define DW_X30 30
        .macro  CALLED_BY_RESUMER
        .cfi_signal_frame
        .cfi_escape DW_CFA_DEF_CFA_EXPRESSION, 3, DW_OP_BREG_SP, FIBER_SP, DW_OP_DEREF
        .cfi_escape DW_CFA_EXPRESSION, DW_X29, 2, DW_OP_BREG_SP, FIBER_FP
        .cfi_escape DW_CFA_EXPRESSION, DW_X30, 2, DW_OP_BREG_SP, FIBER_PC
        .endm

/* Where a frame of so many bytes has them. */
        .macro  NOTE_CALLEE_SAVED frame
        .cfi_offset x19, 16 - \frame
        .cfi_offset x20, 24 - \frame
        .cfi_offset x21, 32 - \frame
        .cfi_offset x22, 40 - \frame
        .cfi_offset x23, 48 - \frame
        .cfi_offset x24, 56 - \frame
        .cfi_offset x25, 64 - \frame
        .cfi_offset x26, 72 - \frame
        .cfi_offset x27, 80 - \frame
        .cfi_offset x28, 88 - \frame
        .cfi_offset d8, 96 - \frame
        .cfi_offset d9, 104 - \frame
        .cfi_offset d10, 112 - \frame
        .cfi_offset d11, 120 - \frame
        .cfi_offset d12, 128 - \frame
        .cfi_offset d13, 136 - \frame
        .cfi_offset d14, 144 - \frame
        .cfi_offset d15, 152 - \frame
        .endm

/* x2 = VMThread: where its fiber is, at the start of a routine that calls C++. */
        .macro  NOTE_EXIT
        mov     x9, sp
        stp     x9, x29, [x2, #THREAD_EXIT_SP]
        str     x30, [x2, #THREAD_EXIT_PC]
        .endm

/* x1 = VMThread: goes on where that C++ says. */
        .macro  GO_ON_UNWOUND
        ldp     x9, x29, [x1, #THREAD_UNWIND_SP]
        ldr     x10, [x1, #THREAD_UNWIND_PC]
        ldp     x0, x1, [x1, #THREAD_UNWIND_P0]
        mov     sp, x9
        br      x10
        .endm

        .text

/*
 * heddle_switch: Tail (x2 = VMFiber, x3 = payload, x4 = kind) -> (x2 = payload, x3 = kind); handlers get x0, x1. Code mostly branches to it, with the
 * return address in x30.
 */
ROUTINE(heddle_switch)
        .cfi_startproc
        ldp     x9, x10, [x2, #FIBER_SP]
        ldr     x11, [x2, #FIBER_PC]
        mov     x12, sp
        stp     x12, x29, [x2, #FIBER_SP]
        str     x30, [x2, #FIBER_PC]
        mov     sp, x9
        mov     x29, x10
        mov     x0, x3
        mov     x1, x4
        mov     x2, x3
        mov     x3, x4
        br      x11
        .cfi_endproc
MARK(heddle_switch_end)
END(heddle_switch)

/* heddle_host_call: Tail (x2 = VMThread, x3 = C++ function, x4..x7 = a0..a3) -> x2 = value. The function returns {x0, x1}. */
ROUTINE(heddle_host_call)
        .cfi_startproc
        NOTE_EXIT
        stp     x29, x30, [sp, #-16]!
        .cfi_def_cfa_offset 16
        .cfi_offset x29, -16
        .cfi_offset x30, -8
        mov     x29, sp
        .cfi_def_cfa_register x29
        ldr     x10, [x2, #THREAD_HOST_SP]
        mov     sp, x10
        mov     x9, x3
        mov     x0, x2
        mov     x1, x4
        mov     x2, x5
        mov     x3, x6
        mov     x4, x7
        blr     x9
        cbnz    x1, 1f
        mov     sp, x29
        .cfi_remember_state
        .cfi_def_cfa_register sp
        ldp     x29, x30, [sp], #16
        .cfi_def_cfa_offset 0
        .cfi_restore x29
        .cfi_restore x30
        mov     x2, x0
        ret
1:      .cfi_restore_state
        GO_ON_UNWOUND
        .cfi_endproc
MARK(heddle_host_call_end)
END(heddle_host_call)

/* heddle_lazy: Tail of any type (x2 = VMInstance, w17 = function number); x16 carries no argument either. */
ROUTINE(heddle_lazy)
        .cfi_startproc
        ldr     x16, [x2]
        ldr     x16, [x16, #(THREAD_LIBCALLS + 8 * LIBCALL_FIRST_CALL)]
        br      x16
        .cfi_endproc
MARK(heddle_lazy_end)
END(heddle_lazy)

/*
 * heddle_first_call: calls make_function(thread, instance, number), which gives the function's code. x0 and x1 are kept as well: what an indirect call
 * leaves there is its own affair.
 *
 *   sp+216 x30   +208 x29   +192 x8   +128 .. +191 x0..x7   +0 .. +127 q0..q7
 */
        .macro  ARGUMENTS op
        \op     q0, q1, [sp, #0]
        \op     q2, q3, [sp, #32]
        \op     q4, q5, [sp, #64]
        \op     q6, q7, [sp, #96]
        \op     x0, x1, [sp, #128]
        \op     x2, x3, [sp, #144]
        \op     x4, x5, [sp, #160]
        \op     x6, x7, [sp, #176]
        .endm
ROUTINE(heddle_first_call)
        .cfi_startproc
        ldr     x9, [x2]
        str     x29, [x9, #THREAD_EXIT_FP]
        str     x30, [x9, #THREAD_EXIT_PC]
        sub     sp, sp, #224
        .cfi_def_cfa_offset 224
        stp     x29, x30, [sp, #208]
        .cfi_offset x29, -16
        .cfi_offset x30, -8
        add     x29, sp, #208
        .cfi_def_cfa x29, 16
        ARGUMENTS stp
        str     x8, [sp, #192]
        mov     x10, sp
        str     x10, [x9, #THREAD_EXIT_SP]
        mov     x0, x9
        mov     x1, x2
        mov     w2, w17
        ldr     x10, [x9, #THREAD_HOST_SP]
        mov     sp, x10
        ldr     x10, [x9, #(THREAD_LIBCALLS + 8 * LIBCALL_MAKE_FUNCTION)]
        blr     x10
        cbnz    x1, 1f
        .cfi_remember_state
        mov     x16, x0
        sub     sp, x29, #208
        ARGUMENTS ldp
        ldr     x8, [sp, #192]
        ldp     x29, x30, [sp, #208]
        add     sp, sp, #224
        .cfi_def_cfa sp, 0
        .cfi_restore x29
        .cfi_restore x30
        br      x16
1:      .cfi_restore_state
        GO_ON_UNWOUND
        .cfi_endproc
END(heddle_first_call)

/* heddle_enter: C (x0 = VMThread, x1 = VMFiber, x2 = payload) -> {x0 = kind, x1 = payload}. */
ROUTINE(heddle_enter)
        .cfi_startproc
        stp     x29, x30, [sp, #-176]!
        .cfi_def_cfa_offset 176
        .cfi_offset x29, -176
        .cfi_offset x30, -168
        mov     x29, sp
        CALLEE_SAVED stp, sp
        NOTE_CALLEE_SAVED 176
        ldr     x9, [x0, #THREAD_HOST_SP]
        stp     x9, x0, [sp, #160]
        mov     x9, sp
        str     x9, [x0, #THREAD_HOST_SP]
        ldp     x10, x11, [x1, #FIBER_SP]
        ldr     x12, [x1, #FIBER_PC]
        stp     x9, x29, [x1, #FIBER_SP]
        adr     x13, .Lentered
        str     x13, [x1, #FIBER_PC]
        mov     x0, x2
        mov     x1, xzr
        mov     x3, xzr
        mov     sp, x10
        mov     x29, x11
        br      x12
.Lentered:                              /* by a switch: sp = host_sp, x2 = payload, x3 = kind */
        mov     x0, x3
        mov     x1, x2
.Lback:
        ldp     x9, x10, [sp, #160]
        str     x9, [x10, #THREAD_HOST_SP]
        CALLEE_SAVED ldp, sp
        ldp     x29, x30, [sp], #176
        .cfi_def_cfa_offset 0
        ret
        .cfi_endproc

/* heddle_leave: x0 = VMThread. */
ENTRY(heddle_leave)
        .cfi_startproc
        .cfi_undefined x30
        ldr     x9, [x0, #THREAD_HOST_SP]
        mov     sp, x9
        mov     w0, #ENTER_LEFT
        mov     x1, xzr
        b       .Lback
        .cfi_endproc
END(heddle_enter)

/* heddle_fiber_start: sp = the VMFiber. Calls Tail start_enter(x2 = start_context, x3 = start_code, x4 = fiber). */
ROUTINE(heddle_fiber_start)
        .cfi_startproc
        CALLED_BY_RESUMER
        ldr     x1, [sp, #FIBER_START_ENTER]
        ldp     x2, x3, [sp, #FIBER_START_CONTEXT]
        mov     x4, sp
        mov     x29, xzr
        adr     x30, 2f
        br      x1
2:      mov     x9, sp
.Lover:
        ldr     x10, [x9, #FIBER_THREAD]
        ldr     x11, [x9, #FIBER_PARENT]
        str     x11, [x10, #THREAD_CURRENT]
        cbz     x11, 1f
        ldr     x11, [x11, #FIBER_LIMIT]
        str     x11, [x10, #THREAD_STACK_LIMIT]
1:      ldr     x2, [x9, #FIBER_RECORD]
        mov     w3, #SWITCH_RETURNED
        ldr     x11, [x9, #FIBER_PC]
        .cfi_undefined x30
        str     xzr, [x9, #FIBER_PC]
        ldp     x12, x29, [x9, #FIBER_SP]
        mov     sp, x12
        br      x11
        .cfi_endproc

/* heddle_fiber_end: Tail (x2 = the fiber), gone to at the end of start_enter: see x86_64_sysv.S. */
ENTRY(heddle_fiber_end)
        .cfi_startproc
        mov     x9, x2
        b       .Lover
        .cfi_endproc
END(heddle_fiber_start)

/* heddle_resume_copied, heddle_return_copied: x29 = the FrameLink; x16 and x17 carry no results. See x86_64_sysv.S. */
ROUTINE(heddle_resume_copied)
        .cfi_startproc
        .cfi_signal_frame
        ldur    x11, [sp, #-24]
        ldur    w9, [sp, #-16]
        ldur    x10, [sp, #-8]
        .cfi_register x30, x10
        br      x11
.Lexpected:
        br      x10
        .p2align COPIED_PIECE_LOG2
ENTRY(heddle_expect_return)
        .irp    piece, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
        .p2align COPIED_PIECE_LOG2
1:      subs    w9, w9, #1
        b.mi    .Lexpected
        .cfi_remember_state
        .if     \piece == COPIED_PIECES
        bl      1b
        .elseif \piece == COPIED_PIECES - 1
        bl      heddle_expect_return
        .else
        bl      1f
        .endif
        .if     \piece == 0
ENTRY(heddle_return_copied)
        .endif
        .cfi_escape DW_CFA_EXPRESSION, DW_X29, 2, DW_OP_BREG_X29, 0
        .cfi_escape DW_CFA_EXPRESSION, DW_X30, 2, DW_OP_BREG_X29, 8
        ldp     x29, x16, [x29]
        .cfi_same_value x29
        .cfi_register x30, x16
        br      x16
        .cfi_restore_state
        .endr
        .cfi_endproc
END(heddle_resume_copied)

/*
 * heddle_interrupt: sp[0] = VMThread, sp[8] = the pc to go on at. An indirect jump needs a register, so x17 is not kept: it is
 * dead at a function's beginning and at a poll load (Cranelift uses x16 and x17 only inside one instruction's expansion).
 *
 *   sp+792 pc   +784 thread   +272 .. +783 q0..q31   +256 fpsr   +248 nzcv   +240 x30   +0 .. +239 x0..x29
 */
        .macro  GENERAL op
        \op     x0, x1, [sp, #0]
        \op     x2, x3, [sp, #16]
        \op     x4, x5, [sp, #32]
        \op     x6, x7, [sp, #48]
        \op     x8, x9, [sp, #64]
        \op     x10, x11, [sp, #80]
        \op     x12, x13, [sp, #96]
        \op     x14, x15, [sp, #112]
        \op     x16, x17, [sp, #128]
        \op     x18, x19, [sp, #144]
        \op     x20, x21, [sp, #160]
        \op     x22, x23, [sp, #176]
        \op     x24, x25, [sp, #192]
        \op     x26, x27, [sp, #208]
        \op     x28, x29, [sp, #224]
        .endm
        .macro  VECTORS op
        \op     q0, q1, [sp, #272]
        \op     q2, q3, [sp, #304]
        \op     q4, q5, [sp, #336]
        \op     q6, q7, [sp, #368]
        \op     q8, q9, [sp, #400]
        \op     q10, q11, [sp, #432]
        \op     q12, q13, [sp, #464]
        \op     q14, q15, [sp, #496]
        \op     q16, q17, [sp, #528]
        \op     q18, q19, [sp, #560]
        \op     q20, q21, [sp, #592]
        \op     q22, q23, [sp, #624]
        \op     q24, q25, [sp, #656]
        \op     q26, q27, [sp, #688]
        \op     q28, q29, [sp, #720]
        \op     q30, q31, [sp, #752]
        .endm
ROUTINE(heddle_interrupt)
        .cfi_startproc
        .cfi_signal_frame
        .cfi_undefined x30
        sub     sp, sp, #784
        GENERAL stp
        mrs     x1, nzcv
        mrs     x2, fpsr
        stp     x30, x1, [sp, #240]
        str     x2, [sp, #256]
        VECTORS stp
        ldr     x0, [sp, #784]
        mov     x19, sp
        ldr     x9, [x0, #THREAD_HOST_SP]
        mov     sp, x9
        bl      heddle_on_interrupt
        mov     sp, x19
        cbnz    x0, 1f
        VECTORS ldp
        ldp     x30, x1, [sp, #240]
        ldr     x2, [sp, #256]
        msr     nzcv, x1
        msr     fpsr, x2
        GENERAL ldp
        ldr     x17, [sp, #792]
        add     sp, sp, #800
        br      x17
1:      ldr     x0, [sp, #784]
        b       heddle_leave
        .cfi_endproc
END(heddle_interrupt)

/* heddle_fiber_switch: C (x0 = VMFiber, x1 = payload, x2 = kind) -> {x0 = kind, x1 = payload}. */
ROUTINE(heddle_fiber_switch)
        .cfi_startproc
        stp     x29, x30, [sp, #-160]!
        .cfi_def_cfa_offset 160
        .cfi_offset x29, -160
        .cfi_offset x30, -152
        CALLEE_SAVED stp, sp
        NOTE_CALLEE_SAVED 160
        mov     x9, sp
        ldp     x10, x11, [x0, #FIBER_SP]
        ldr     x12, [x0, #FIBER_PC]
        stp     x9, x29, [x0, #FIBER_SP]
        adr     x13, 1f
        str     x13, [x0, #FIBER_PC]
        mov     x3, x2
        mov     x2, x1
        mov     sp, x10
        mov     x29, x11
        br      x12
1:      mov     x0, x3
        mov     x1, x2
        CALLEE_SAVED ldp, sp
        ldp     x29, x30, [sp], #160
        .cfi_def_cfa_offset 0
        br      x30
        .cfi_endproc
END(heddle_fiber_switch)

/* heddle_park: sp, x29 and the callee-saved registers are those of host_call's caller, x0 = VMFiber, x1 = the return address. */
ROUTINE(heddle_park)
        .cfi_startproc
        mov     x30, x1
        mov     x1, xzr
        mov     w2, #SWITCH_PARKED
        b       heddle_fiber_switch
        .cfi_endproc
END(heddle_park)

/*
 * heddle_wait: Tail, in a trampoline's place: x2 = VMThread, x3 = C++ function, x4 = a0, x30 = the return address of the import's caller. The result is in
 * x2 and d0, that of WAIT_RETURNED as well. While it waits, sp = fp = the frame record, with x19..x28 and d8..d15 above it.
 */
ROUTINE(heddle_wait)
        .cfi_startproc
        NOTE_EXIT
        stp     x29, x30, [sp, #-160]!
        .cfi_def_cfa_offset 160
        .cfi_offset x29, -160
        .cfi_offset x30, -152
        mov     x29, sp
        .cfi_def_cfa_register x29
        ldr     x10, [x2, #THREAD_HOST_SP]
        mov     sp, x10
        mov     x9, x3
        mov     x0, x2
        mov     x1, x4
        blr     x9
        cbnz    x1, 1f
        .cfi_remember_state
        CALLEE_SAVED stp, x29
        NOTE_CALLEE_SAVED 160
        ldp     x10, x11, [x0, #FIBER_SP]
        ldr     x12, [x0, #FIBER_PC]
        stp     x29, x29, [x0, #FIBER_SP]
        adr     x13, 2f
        str     x13, [x0, #FIBER_PC]
        mov     x2, xzr
        mov     w3, #SWITCH_PARKED
        mov     sp, x10
        mov     x29, x11
        br      x12
2:      fmov    d0, x2
        CALLEE_SAVED ldp, sp
        ldp     x29, x30, [sp], #160
        .cfi_def_cfa sp, 0
        br      x30
1:      .cfi_restore_state
        cmp     x1, #WAIT_RETURNED
        b.ne    3f
        mov     x2, x0
        fmov    d0, x0
        mov     sp, x29
        .cfi_remember_state
        .cfi_def_cfa_register sp
        ldp     x29, x30, [sp], #160
        .cfi_def_cfa_offset 0
        .cfi_restore x29
        .cfi_restore x30
        ret
3:      .cfi_restore_state
        GO_ON_UNWOUND
        .cfi_endproc
END(heddle_wait)

/* The personality of heddle_function_start: see x86_64_sysv.S. */
refuse_exception:
        .cfi_startproc
        mov     w0, #URC_FATAL_PHASE1_ERROR
        ret
        .cfi_endproc

/* heddle_function_start: sp = the VMFiber, x2 = payload. Calls C start_code(x0 = start_context, x1 = payload) -> x0. */
ROUTINE(heddle_function_start)
        .cfi_startproc
        .cfi_personality DW_EH_PE_PCREL_SDATA4, refuse_exception
        CALLED_BY_RESUMER
        ldp     x0, x9, [sp, #FIBER_START_CONTEXT]
        mov     x1, x2
        add     x29, sp, #FIBER_FP
        mov     x30, xzr
        blr     x9
        mov     x2, x0
        mov     w3, #SWITCH_RETURNED
        mov     x9, sp
        ldr     x11, [x9, #FIBER_PC]
        .cfi_undefined x30
        str     xzr, [x9, #FIBER_PC]
        ldp     x12, x29, [x9, #FIBER_SP]
        mov     sp, x12
        br      x11
        .cfi_endproc
END(heddle_function_start)

        NO_EXECUTABLE_STACK

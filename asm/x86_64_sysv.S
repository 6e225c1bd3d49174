/*
 * The stack routines for x86-64, System V.
 *
 * Operations
 *   heddle_switch         stub: generated code, fiber <-> fiber (or fiber -> its resumer), swapping in place
 *   heddle_host_call      stub: generated code on a fiber -> C++ on the host stack -> back, or on to a handler
 *   heddle_lazy           stub: called in the stead of a function that is not made yet, goes to heddle_first_call
 *   heddle_first_call     has C++ on the host stack make the function that was called, then goes on in it
 *   heddle_enter          C++ on the host stack -> a fiber, until it returns or is left
 *   heddle_wait           in the place of the trampoline of an import that waits for a promise: sets its caller aside
 *   heddle_park           where host_call goes on instead of returning when an import waits whose values heddle_wait cannot pass
 *   heddle_leave          give up all fibers of the innermost entry: heddle_enter returns kind ENTER_LEFT
 *   heddle_fiber_start    where a fiber begins: calls its first function and returns to the resumer
 *   heddle_fiber_end      where that function's trampoline goes instead of returning
 *   heddle_resume_copied  where a chain that was put back from a copy goes on: has the predictor expect the returns of its frames
 *   heddle_return_copied  where these frames return to: goes on in their callers
 *   heddle_interrupt      where a signal handler sends generated code that must be looked at: all registers kept
 *   heddle_fiber_switch   C++ <-> C++, keeping the callee-saved registers (fiber/switch.h does the same in line)
 *   heddle_function_start where a fiber of native/fiber begins
 *
 * heddle_switch, heddle_host_call and heddle_lazy are position independent: the loader copies the bytes up to *_end in front of each
 * module's code (STUBS in contract/abi.ts), so that generated code reaches them by a direct call.
 *
 * What no routine saves: mxcsr and the x87 control word (neither generated code nor C++ of ours changes them, so they are
 * the thread's), the signal mask, the shadow stack of CET (Node is not built with it).
 *
 * Why pop and an indirect jump where a `ret` would do: a return to another stack is always mispredicted, and also
 * spoils the predictor for the returns that follow (26 ns a pair against 5). heddle_wait and heddle_park do the opposite, for the
 * same reason: a call was made that does not return, which would leave the predictor one return ahead for all frames of the
 * host. A `ret` in place of their jump takes that one away.
 *
 * A fiber's stack, tops drawn at example addresses (native/stacks chooses them; the limits are drawn in stacks/stack.h):
 *
 *   fresh                          suspended                          running
 *   0x8000 top                     0x8000 top                         0x8000 top
 *   0x7f80 VMFiber                 0x7f80 VMFiber                     0x7f80 VMFiber
 *            sp = 0x7f80                    sp = 0x7e50 (own)                  sp, fp, pc = those of the
 *            fp = 0                         fp = 0x7ed0 (own)                  resumer, where a suspend
 *            pc = heddle_fiber_start        pc = after the call                or the end goes on
 *            parent = 0                     parent = 0                         parent = the resumer's VMFiber
 *                                  0x7f78 return into fiber_start     0x7f78 return into fiber_start
 *                                  0x7f70 saved rbp = 0 (the base)    0x7f70 saved rbp = 0
 *                                         frames ...                         frames ...
 *                                  0x7e50 frame of the suspend               rsp somewhere below
 *
 * The host stack inside heddle_enter (H = thread->host_sp, 16-aligned):
 *
 *   H+72 return address     H+64 rbp     H+56 rbx   H+48 r12   H+40 r13   H+32 r14   H+24 r15
 *   H+16 the outer host_sp  H+8 thread   H+0 padding
 *   below H: C++ called from fibers; it may enter again.
 */
#include "layout.inc"
#include "macros.inc"

/*
 * The unwinding rule where a fiber begins: its caller is who resumed it, whose sp, fp and pc stand in the control block, at rsp, while the
 * fiber runs. As the frame of a signal it may lie anywhere: gdb takes a caller with a lower stack for a corrupt one otherwise.
 */
#define DW_OP_BREG_RSP 0x77
#define DW_RBP 6
#define DW_RIP 16
        .macro  CALLED_BY_RESUMER
        .cfi_signal_frame
        .cfi_escape DW_CFA_DEF_CFA_EXPRESSION, 3, DW_OP_BREG_RSP, FIBER_SP, DW_OP_DEREF
        .cfi_escape DW_CFA_EXPRESSION, DW_RBP, 2, DW_OP_BREG_RSP, FIBER_FP
        .cfi_escape DW_CFA_EXPRESSION, DW_RIP, 2, DW_OP_BREG_RSP, FIBER_PC
        .endm

/* At the start of a routine, and at its end. */
        .macro  PUSH_CALLEE_SAVED
        push    %rbp
        .cfi_def_cfa_offset 16
        .cfi_offset %rbp, -16
        push    %rbx
        .cfi_adjust_cfa_offset 8
        .cfi_offset %rbx, -24
        push    %r12
        .cfi_adjust_cfa_offset 8
        .cfi_offset %r12, -32
        push    %r13
        .cfi_adjust_cfa_offset 8
        .cfi_offset %r13, -40
        push    %r14
        .cfi_adjust_cfa_offset 8
        .cfi_offset %r14, -48
        push    %r15
        .cfi_adjust_cfa_offset 8
        .cfi_offset %r15, -56
        .endm
        .macro  POP_CALLEE_SAVED
        pop     %r15
        .cfi_adjust_cfa_offset -8
        pop     %r14
        .cfi_adjust_cfa_offset -8
        pop     %r13
        .cfi_adjust_cfa_offset -8
        pop     %r12
        .cfi_adjust_cfa_offset -8
        pop     %rbx
        .cfi_adjust_cfa_offset -8
        pop     %rbp
        .cfi_adjust_cfa_offset -8
        .endm

/* rdi = VMThread: notes where its fiber is, makes a frame there, and goes to the host stack, to call C++. */
        .macro  ENTER_HOST_STACK
        mov     (%rsp), %rax
        mov     %rsp, THREAD_EXIT_SP(%rdi)
        mov     %rbp, THREAD_EXIT_FP(%rdi)
        mov     %rax, THREAD_EXIT_PC(%rdi)
        push    %rbp
        .cfi_def_cfa_offset 16
        .cfi_offset %rbp, -16
        mov     %rsp, %rbp
        .cfi_def_cfa_register %rbp
        mov     THREAD_HOST_SP(%rdi), %rsp
        .endm

/* rdx = VMThread: goes on where that C++ says. */
        .macro  GO_ON_UNWOUND
        mov     THREAD_UNWIND_SP(%rdx), %rsp
        mov     THREAD_UNWIND_FP(%rdx), %rbp
        mov     THREAD_UNWIND_P0(%rdx), %rax
        mov     THREAD_UNWIND_PC(%rdx), %r8
        mov     THREAD_UNWIND_P1(%rdx), %rdx
        jmp     *%r8
        .endm

/* Loads pc, fp and sp of who waits in a VMFiber to r8, r9 and r10, and puts in their place where this goes on, and its fp. */
        .macro  EXCHANGE fiber, back
        mov     FIBER_PC(\fiber), %r8
        mov     FIBER_FP(\fiber), %r9
        mov     FIBER_SP(\fiber), %r10
        lea     \back(%rip), %r11
        mov     %r11, FIBER_PC(\fiber)
        mov     %rbp, FIBER_FP(\fiber)
        .endm

/* Goes there with kind parked, by a ret and no jump: see the top. */
        .macro  SWITCH_PARKED_AWAY
        xor     %eax, %eax
        mov     $SWITCH_PARKED, %ecx
        mov     %r9, %rbp
        mov     %r10, %rsp
        push    %r8
        ret
        .endm

/* Returns by pop and jump: see the top. */
        .macro  RETURN_BY_JUMP
        pop     %r11
        .cfi_adjust_cfa_offset -8
        .cfi_register %rip, %r11
        jmp     *%r11
        .endm

        .text

/*
 * heddle_switch: Tail (rdi = VMFiber, rsi = payload, rdx = kind) -> (rax = payload, rcx = kind).
 * Exchanges sp, fp and pc with those in the control block. Kills every other register: callers use try_call. No code calls it: each such call has
 * become a jump to a copy of what follows the pop, with r11 = the return address (ts/compile/switches.ts, which has these instructions as bytes).
 * An exception handler (resume_throw sets pc to one) finds its payload words in rax and rdx.
 */
ROUTINE(heddle_switch)
        .cfi_startproc
        pop     %r11
        .cfi_adjust_cfa_offset -8
        .cfi_register %rip, %r11
        mov     %rsi, %rax
        mov     FIBER_PC(%rdi), %r8
        mov     %r11, FIBER_PC(%rdi)
        mov     FIBER_FP(%rdi), %r9
        mov     %rbp, FIBER_FP(%rdi)
        mov     FIBER_SP(%rdi), %r10
        mov     %rsp, FIBER_SP(%rdi)
        mov     %rdx, %rcx
        mov     %r9, %rbp
        mov     %r10, %rsp
        jmp     *%r8
        .cfi_endproc
MARK(heddle_switch_end)
END(heddle_switch)

/*
 * heddle_host_call: Tail (rdi = VMThread, rsi = C++ function, rdx, rcx, r8, r9 = a0..a3) -> rax = value.
 * Calls function(thread, a0, a1, a2, a3) on the host stack; it returns {rax = value, rdx = 0, or the thread to raise}.
 * Raising goes on at thread->unwind_pc with rsp, rbp, rax, rdx from thread->unwind_sp, _fp, _p0, _p1.
 * Keeps the callee-saved registers as any call does. The frame is an ordinary one, so frame-pointer walks cross it.
 */
ROUTINE(heddle_host_call)
        .cfi_startproc
        ENTER_HOST_STACK
        mov     %rsi, %rax
        mov     %rdx, %rsi
        mov     %rcx, %rdx
        mov     %r8, %rcx
        mov     %r9, %r8
        call    *%rax
        test    %rdx, %rdx              /* who raises may have given the fiber's stack back: it is not touched then */
        jnz     1f
        mov     %rbp, %rsp
        .cfi_remember_state
        .cfi_def_cfa_register %rsp
        pop     %rbp
        .cfi_adjust_cfa_offset -8
        ret
1:      .cfi_restore_state
        GO_ON_UNWOUND
        .cfi_endproc
MARK(heddle_host_call_end)
END(heddle_host_call)

/*
 * heddle_lazy: Tail of any type (rdi = VMInstance, eax = function number). The arguments are where the function expects them; rax, r10 and r11
 * carry none. The slot of a function that is not made yet comes here (native/code/slots.h).
 */
ROUTINE(heddle_lazy)
        .cfi_startproc
        mov     (%rdi), %r11
        jmp     *(THREAD_LIBCALLS + 8 * LIBCALL_FIRST_CALL)(%r11)
        .cfi_endproc
MARK(heddle_lazy_end)
END(heddle_lazy)

/*
 * heddle_first_call: from heddle_lazy, with r11 = VMThread besides. Calls make_function(thread, instance, number) on the host stack, which gives the
 * function's code; then that begins as if its caller had called it. Raises as heddle_host_call does. What the registers of arguments held lies on the fiber
 * from thread->exit_sp on meanwhile, where a collector looks; callee-saved registers are C++'s to keep.
 *
 *   the caller's frame above:  rbp+8 return address   +0 rbp   -16 r8   -8 r9   -32 rdx   -24 rcx   -48 rdi   -40 rsi   -176 .. -49 xmm0..xmm7
 */
ROUTINE(heddle_first_call)
        .cfi_startproc
        mov     (%rsp), %r10
        mov     %rbp, THREAD_EXIT_FP(%r11)
        mov     %r10, THREAD_EXIT_PC(%r11)
        push    %rbp
        .cfi_def_cfa_offset 16
        .cfi_offset %rbp, -16
        mov     %rsp, %rbp
        .cfi_def_cfa_register %rbp
        lea     -176(%rsp), %rsp
        mov     %rsp, THREAD_EXIT_SP(%r11)
        .irp    i, 0, 1, 2, 3, 4, 5, 6, 7
        movups  %xmm\i, 16 * \i(%rsp)
        .endr
        mov     %rdi, 128(%rsp)
        mov     %rsi, 136(%rsp)
        mov     %rdx, 144(%rsp)
        mov     %rcx, 152(%rsp)
        mov     %r8, 160(%rsp)
        mov     %r9, 168(%rsp)
        mov     %rdi, %rsi
        mov     %eax, %edx
        mov     %r11, %rdi
        mov     THREAD_HOST_SP(%r11), %rsp
        call    *(THREAD_LIBCALLS + 8 * LIBCALL_MAKE_FUNCTION)(%r11)
        test    %rdx, %rdx
        jnz     1f
        .cfi_remember_state
        mov     %rax, %r11
        lea     -176(%rbp), %rsp
        .irp    i, 0, 1, 2, 3, 4, 5, 6, 7
        movups  16 * \i(%rsp), %xmm\i
        .endr
        mov     128(%rsp), %rdi
        mov     136(%rsp), %rsi
        mov     144(%rsp), %rdx
        mov     152(%rsp), %rcx
        mov     160(%rsp), %r8
        mov     168(%rsp), %r9
        mov     %rbp, %rsp
        .cfi_def_cfa_register %rsp
        pop     %rbp
        .cfi_adjust_cfa_offset -8
        jmp     *%r11
1:      .cfi_restore_state
        GO_ON_UNWOUND
        .cfi_endproc
END(heddle_first_call)

/*
 * heddle_enter: C (rdi = VMThread, rsi = VMFiber, rdx = payload) -> {rax = kind, rdx = payload}.
 * Runs the fiber until something switches back through its control block (kind of the switch), or heddle_leave
 * (kind ENTER_LEFT). Pushes what the caller needs above the new host_sp: see the picture at the top.
 */
ROUTINE(heddle_enter)
        .cfi_startproc
        PUSH_CALLEE_SAVED
        push    THREAD_HOST_SP(%rdi)
        .cfi_adjust_cfa_offset 8
        push    %rdi
        .cfi_adjust_cfa_offset 8
        sub     $8, %rsp
        .cfi_adjust_cfa_offset 8
        mov     %rsp, THREAD_HOST_SP(%rdi)
        mov     FIBER_PC(%rsi), %r8
        mov     FIBER_FP(%rsi), %r9
        mov     FIBER_SP(%rsi), %r10
        lea     .Lentered(%rip), %r11
        mov     %r11, FIBER_PC(%rsi)
        mov     %rbp, FIBER_FP(%rsi)
        mov     %rsp, FIBER_SP(%rsi)
        mov     %rdx, %rax
        xor     %ecx, %ecx
        mov     %r9, %rbp
        mov     %r10, %rsp
        jmp     *%r8
.Lentered:                              /* by a switch: rsp = host_sp, rax = payload, rcx = kind */
        mov     %rax, %rdx
        mov     %rcx, %rax
.Lback:
        add     $8, %rsp
        .cfi_adjust_cfa_offset -8
        pop     %rdi
        .cfi_adjust_cfa_offset -8
        pop     THREAD_HOST_SP(%rdi)
        .cfi_adjust_cfa_offset -8
        POP_CALLEE_SAVED
        ret
        .cfi_endproc

/*
 * heddle_leave: jumped to from anywhere on a fiber or the host stack, rax = VMThread. Never returns there.
 * Frames of fibers stay as they are; the C++ behind heddle_enter walks them and takes the fibers back.
 */
ENTRY(heddle_leave)
        .cfi_startproc
        .cfi_undefined %rip
        mov     THREAD_HOST_SP(%rax), %rsp
        mov     $ENTER_LEFT, %eax
        xor     %edx, %edx
        jmp     .Lback
        .cfi_endproc
END(heddle_enter)

/*
 * heddle_fiber_start: switched to on a fiber's first resume, with rsp = its VMFiber.
 * Calls start_enter(rdi = start_context, rsi = start_code, rdx = fiber), which leaves results in the record's slots;
 * then the resumer is current again and goes on with (record, returned).
 */
ROUTINE(heddle_fiber_start)
        .cfi_startproc
        CALLED_BY_RESUMER
        mov     FIBER_START_CONTEXT(%rsp), %rdi
        mov     FIBER_START_CODE(%rsp), %rsi
        mov     %rsp, %rdx
        xor     %ebp, %ebp
        mov     FIBER_START_ENTER(%rsp), %rax
        lea     1f(%rip), %r11
        push    %r11
        jmp     *%rax
1:      mov     %rsp, %rdi
.Lover:
        mov     FIBER_THREAD(%rdi), %rsi
        mov     FIBER_PARENT(%rdi), %rdx
        mov     %rdx, THREAD_CURRENT(%rsi)
        test    %rdx, %rdx              /* an entry fiber has no parent: its C++ puts the limit back */
        jz      1f
        mov     FIBER_LIMIT(%rdx), %rdx
        mov     %rdx, THREAD_STACK_LIMIT(%rsi)
1:      mov     FIBER_RECORD(%rdi), %rax
        mov     $SWITCH_RETURNED, %ecx
        mov     FIBER_PC(%rdi), %r8
        .cfi_undefined %rip
        movq    $0, FIBER_PC(%rdi)
        mov     FIBER_FP(%rdi), %rbp
        mov     FIBER_SP(%rdi), %rsp
        jmp     *%r8
        .cfi_endproc

/*
 * heddle_fiber_end: Tail (rdi = the fiber), gone to at the end of start_enter, with its return address at rsp.
 * Because the predictor has no entry for a `ret` here: the trampoline was jumped to. One, and a `call` for it, would put the predictor out of step
 * where the fiber was suspended between.
 */
ENTRY(heddle_fiber_end)
        .cfi_startproc
        add     $8, %rsp
        .cfi_adjust_cfa_offset -8
        jmp     .Lover
        .cfi_endproc
END(heddle_fiber_start)

/*
 * heddle_resume_copied: switched to in the place of a suspended chain's own pc: rsp = the chain's, rsp[-8] = that pc, rsp[-16] = how many returns to
 * expect, rsp[-24] = the piece below with the first of them. Keeps what a switch hands over.
 *
 * The calls that made the chain's frames were made long ago, or on behalf of another version, so that each `ret` would be mispredicted (some 5 ns).
 * So the frames of a copy return to the pieces heddle_return_copied, whoever their callers are, and here the addresses of these are put into the predictor,
 * those of the outermost frames first, by calls that do not return. A jump goes on in the caller, which the predictor learns as it does any other: it
 * does so better where neighbours have pieces of their own. A chain that is deeper than the predictor has the last piece for all frames: then what is
 * overwritten in it is the same.
 *
 * heddle_return_copied: returned to by such a frame: rbp = its FrameLink (continuation/copy.h), in which the caller's rbp stands, and its pc. Every
 * register may hold a result but r11. To a walk along frame pointers a link is one frame more, which this address belongs to.
 */
#define DW_OP_BREG_RBP 0x76
ROUTINE(heddle_resume_copied)
        .cfi_startproc
        .cfi_signal_frame
        .cfi_def_cfa %rsp, 0
        .cfi_offset %rip, -8
        mov     -24(%rsp), %r11
        mov     -16(%rsp), %r9d
        mov     -8(%rsp), %r8
        .cfi_register %rip, %r8
        mov     %rsp, %r10
        .cfi_def_cfa_register %r10
        jmp     *%r11
.Lexpected:
        mov     %r10, %rsp
        jmp     *%r8
        .skip   128, 0xcc               /* so that the jumps back to .Lexpected are all of one length */
        .p2align COPIED_PIECE_LOG2
ENTRY(heddle_expect_return)
        .irp    piece, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
        .p2align COPIED_PIECE_LOG2
1:      sub     $1, %r9d
        js      .Lexpected
        .cfi_remember_state
        .if     \piece == COPIED_PIECES
        call    1b
        .elseif \piece == COPIED_PIECES - 1
        call    heddle_expect_return
        .else
        call    1f
        .endif
        .if     \piece == 0
ENTRY(heddle_return_copied)
        .endif
        .cfi_def_cfa %rsp, 0
        .cfi_escape DW_CFA_EXPRESSION, DW_RBP, 2, DW_OP_BREG_RBP, 0
        .cfi_escape DW_CFA_EXPRESSION, DW_RIP, 2, DW_OP_BREG_RBP, 8
        mov     8(%rbp), %r11
        .cfi_register %rip, %r11
        mov     (%rbp), %rbp
        .cfi_same_value %rbp
        jmp     *%r11
        .cfi_restore_state
        .endr
        .cfi_endproc
END(heddle_resume_copied)

/*
 * heddle_interrupt: "called" by a signal handler that changed the interrupted registers: rsp[0] = VMThread, rsp[8] = the
 * pc to go on at, and every other register as generated code had it. Calls heddle_on_interrupt(thread) on the host
 * stack; 0 puts everything back, otherwise the fibers are left.
 *
 *   rsp+392 pc   +384 thread   +376 flags   +256 .. +375 rax rcx rdx rbx rbp rsi rdi r8..r15   +0 .. +255 xmm0..xmm15
 */
        .macro  STORE register, at
        mov     %\register, \at(%rsp)
        .endm
        .macro  LOAD register, at
        mov     \at(%rsp), %\register
        .endm
        .macro  EACH_GENERAL do
        \do     rax, 256
        \do     rcx, 264
        \do     rdx, 272
        \do     rbx, 280
        \do     rbp, 288
        \do     rsi, 296
        \do     rdi, 304
        \do     r8, 312
        \do     r9, 320
        \do     r10, 328
        \do     r11, 336
        \do     r12, 344
        \do     r13, 352
        \do     r14, 360
        \do     r15, 368
        .endm
ROUTINE(heddle_interrupt)
        .cfi_startproc
        .cfi_signal_frame
        .cfi_def_cfa %rsp, 16
        .cfi_offset %rip, -8
        pushfq
        .cfi_adjust_cfa_offset 8
        lea     -376(%rsp), %rsp
        .cfi_adjust_cfa_offset 376
        EACH_GENERAL STORE
        .irp    i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        movups  %xmm\i, 16 * \i(%rsp)
        .endr
        mov     384(%rsp), %rdi
        mov     %rsp, %rbx
        .cfi_def_cfa_register %rbx
        mov     THREAD_HOST_SP(%rdi), %rsp
        cld
        call    heddle_on_interrupt
        mov     %rbx, %rsp
        .cfi_def_cfa_register %rsp
        test    %rax, %rax
        jnz     1f
        .irp    i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        movups  16 * \i(%rsp), %xmm\i
        .endr
        EACH_GENERAL LOAD
        lea     376(%rsp), %rsp
        .cfi_adjust_cfa_offset -376
        popfq
        .cfi_adjust_cfa_offset -8
        lea     8(%rsp), %rsp
        .cfi_adjust_cfa_offset -8
        ret
1:      mov     384(%rsp), %rax
        .cfi_undefined %rip
        jmp     heddle_leave
        .cfi_endproc
END(heddle_interrupt)

/*
 * heddle_fiber_switch: C (rdi = VMFiber, rsi = payload, rdx = kind) -> {rax = kind, rdx = payload}.
 * The same exchange for C++ on both sides: callee-saved registers are pushed around it.
 */
ROUTINE(heddle_fiber_switch)
        .cfi_startproc
        PUSH_CALLEE_SAVED
        EXCHANGE %rdi, 1f
        mov     %rsp, FIBER_SP(%rdi)
        mov     %rsi, %rax
        mov     %rdx, %rcx
        mov     %r9, %rbp
        mov     %r10, %rsp
        jmp     *%r8
1:      mov     %rax, %rdx
        mov     %rcx, %rax
        POP_CALLEE_SAVED
        RETURN_BY_JUMP
        .cfi_endproc
END(heddle_fiber_switch)

/*
 * heddle_park: gone to by heddle_host_call, which was asked to raise: rsp, rbp and the callee-saved registers are those of host_call's
 * caller, rsp at its return address, rax = VMFiber. Switches with kind parked; switched to, it returns in host_call's stead.
 */
ROUTINE(heddle_park)
        .cfi_startproc
        PUSH_CALLEE_SAVED
        EXCHANGE %rax, 1f
        mov     %rsp, FIBER_SP(%rax)
        SWITCH_PARKED_AWAY
1:      POP_CALLEE_SAVED
        RETURN_BY_JUMP
        .cfi_endproc
END(heddle_park)

/*
 * heddle_wait: Tail, gone to by the trampoline of an import that may wait, in its place: rdi = VMThread, rsi = C++ function, rdx = a0, rsp at the
 * return address of the import's caller. Calls function(thread, a0) on the host stack as heddle_host_call does. Where that does not raise it gives
 * the VMFiber to switch through, with kind parked; switched to with a payload, this returns it to the import's caller, as a result of either kind. Or
 * it "raises" WAIT_RETURNED and gives that payload at once.
 *
 * The trampoline leaves no frame and no return, so that a wait costs one mispredicted return: the ret below, which takes the call of the import off
 * the predictor. By heddle_host_call and heddle_park there are three (5 ns each): the trampoline's own, made on the other side of the switch, and
 * two that take away its call and the stub's.
 *
 *   waiting, caller's frame above:  rsp+48 return address   +40 rbp (fp points here)   +32 rbx   +24 r12   +16 r13   +8 r14   +0 r15
 */
ROUTINE(heddle_wait)
        .cfi_startproc
        ENTER_HOST_STACK
        mov     %rsi, %rax
        mov     %rdx, %rsi
        call    *%rax
        test    %rdx, %rdx
        jnz     1f
        .cfi_remember_state
        mov     %rbx, -8(%rbp)
        .cfi_offset %rbx, -24
        mov     %r12, -16(%rbp)
        .cfi_offset %r12, -32
        mov     %r13, -24(%rbp)
        .cfi_offset %r13, -40
        mov     %r14, -32(%rbp)
        .cfi_offset %r14, -48
        mov     %r15, -40(%rbp)
        .cfi_offset %r15, -56
        EXCHANGE %rax, 2f
        lea     -40(%rbp), %r11
        mov     %r11, FIBER_SP(%rax)
        SWITCH_PARKED_AWAY
2:      pop     %r15
        pop     %r14
        pop     %r13
        pop     %r12
        pop     %rbx
        .cfi_restore %rbx
        .cfi_restore %r12
        .cfi_restore %r13
        .cfi_restore %r14
        .cfi_restore %r15
        pop     %rbp
        .cfi_def_cfa %rsp, 8
        movq    %rax, %xmm0
        RETURN_BY_JUMP
1:      .cfi_restore_state
        cmp     $WAIT_RETURNED, %rdx
        jne     3f
        mov     %rbp, %rsp
        .cfi_remember_state
        .cfi_def_cfa_register %rsp
        pop     %rbp
        .cfi_adjust_cfa_offset -8
        movq    %rax, %xmm0
        ret
3:      .cfi_restore_state
        GO_ON_UNWOUND
        .cfi_endproc
END(heddle_wait)

/*
 * What C++ asks of heddle_function_start when an exception comes there: _URC_FATAL_PHASE1_ERROR, so that it ends the process as one does
 * that leaves a thread. Were the search to go on it would find the resumer's handlers, and leave the fiber running for ever.
 */
refuse_exception:
        .cfi_startproc
        mov     $URC_FATAL_PHASE1_ERROR, %eax
        ret
        .cfi_endproc

/*
 * heddle_function_start: a fiber of native/fiber on its first resume: rsp = its VMFiber, rax = payload.
 * Calls start_code(rdi = start_context, rsi = payload) and gives what it returns to the resumer with kind returned.
 * The first frame pointer is the address of fp and pc in the control block: they are laid out as a frame is, and while the fiber runs they
 * are its resumer's, so that a walk along frame pointers (perf) goes on there.
 */
ROUTINE(heddle_function_start)
        .cfi_startproc
        .cfi_personality DW_EH_PE_PCREL_SDATA4, refuse_exception
        CALLED_BY_RESUMER
        mov     FIBER_START_CONTEXT(%rsp), %rdi
        mov     %rax, %rsi
        lea     FIBER_FP(%rsp), %rbp
        call    *FIBER_START_CODE(%rsp)
        mov     $SWITCH_RETURNED, %ecx
        mov     FIBER_PC(%rsp), %r8
        .cfi_undefined %rip
        movq    $0, FIBER_PC(%rsp)
        mov     FIBER_FP(%rsp), %rbp
        mov     FIBER_SP(%rsp), %rsp
        jmp     *%r8
        .cfi_endproc
END(heddle_function_start)

        NO_EXECUTABLE_STACK

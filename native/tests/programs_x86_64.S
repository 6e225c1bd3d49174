/*
 * Programs for tests: Tail (rdi = context, rsi = argument) -> rax. Loaded as an artifact behind the stubs, so they are position independent
 * and reach the stubs at fixed offsets. The file's order is that of Programs in programs.h.
 */
#include "layout.inc"
#include "macros.inc"

#define STUB_SIZE 512
#define STUB_HOST_CALL 128

        .section .rodata
        .p2align 5
MARK(heddle_program_start)

/* enter: (context, code, fiber): argument from slot 0 of the fiber's record, result to it. */
MARK(heddle_program_enter)
        push    %rbp
        mov     %rsp, %rbp
        push    %rdx
        push    %rdx
        mov     %rsi, %rax
        mov     FIBER_RECORD(%rdx), %rdx
        mov     CONTINUATION_SLOTS(%rdx), %rdx
        mov     (%rdx), %rsi
        call    *%rax
        pop     %rdx
        pop     %rdx
        mov     FIBER_RECORD(%rdx), %rdx
        mov     CONTINUATION_SLOTS(%rdx), %rdx
        mov     %rax, (%rdx)
        pop     %rbp
        ret

MARK(heddle_program_unreachable)
        push    %rbp
        mov     %rsp, %rbp
MARK(heddle_program_unreachable_trap)
        ud2

/* load: the word at the argument */
MARK(heddle_program_load)
        push    %rbp
        mov     %rsp, %rbp
MARK(heddle_program_load_trap)
        mov     (%rsi), %rax
        pop     %rbp
        ret

/* divide: 1000 by the argument */
MARK(heddle_program_divide)
        push    %rbp
        mov     %rsp, %rbp
        mov     $1000, %eax
        xor     %edx, %edx
MARK(heddle_program_divide_trap)
        divq    %rsi
        pop     %rbp
        ret

/* fibonacci: recursion whose prologue checks the limit as Cranelift's does */
MARK(heddle_program_fibonacci)
        push    %rbp
        mov     %rsp, %rbp
        mov     (%rdi), %r10
        mov     THREAD_STACK_LIMIT(%r10), %r10
        add     $48, %r10
        cmp     %rsp, %r10
        ja      heddle_program_fibonacci_trap
        push    %rbx
        push    %r12
        push    %r13
        push    %r14
        mov     %rdi, %r12
        mov     %rsi, %rbx
        mov     %rsi, %rax
        cmp     $2, %rsi
        jb      1f
        dec     %rsi
        call    heddle_program_fibonacci
        mov     %rax, %r13
        lea     -2(%rbx), %rsi
        mov     %r12, %rdi
        call    heddle_program_fibonacci
        add     %r13, %rax
1:      pop     %r14
        pop     %r13
        pop     %r12
        pop     %rbx
        pop     %rbp
        ret
MARK(heddle_program_fibonacci_trap)
        ud2

/* recurse: for ever */
MARK(heddle_program_recurse)
        push    %rbp
        mov     %rsp, %rbp
        mov     (%rdi), %r10
        mov     THREAD_STACK_LIMIT(%r10), %r10
        cmp     %rsp, %r10
        ja      heddle_program_recurse_trap
        call    heddle_program_recurse
        pop     %rbp
        ret
MARK(heddle_program_recurse_trap)
        ud2

/* spin: polls as often as the argument says with a pattern in every register and the carry flag; 1 when all are still there */
MARK(heddle_program_spin)
        push    %rbp
        mov     %rsp, %rbp
        push    %rbx
        push    %r12
        push    %r13
        push    %r14
        push    %r15
        sub     $8, %rsp
        mov     (%rdi), %rdi
        mov     THREAD_POLL_PAGE(%rdi), %rdi
        .irp    i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        mov     $(0x1234567800 + \i), %rax
        movq    %rax, %xmm\i
        pshufd  $0x44, %xmm\i, %xmm\i
        .endr
        .irp    r, rbx, rcx, rdx, r8, r9, r10, r11, r12, r13, r14, r15
        lea     1000(%rdi), %\r
        .endr
1:      stc
        mov     (%rdi), %rax
        jnc     3f
        dec     %rsi
        jnz     1b
        .irp    r, rbx, rcx, rdx, r8, r9, r10, r11, r12, r13, r14, r15
        lea     1000(%rdi), %rax
        cmp     %rax, %\r
        jne     3f
        .endr
        .irp    i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        mov     $(0x1234567800 + \i), %rax
        movq    %xmm\i, %rcx
        cmp     %rax, %rcx
        jne     3f
        psrldq  $8, %xmm\i
        movq    %xmm\i, %rcx
        cmp     %rax, %rcx
        jne     3f
        .endr
        mov     $1, %eax
        jmp     4f
3:      xor     %eax, %eax
4:      add     $8, %rsp
        pop     %r15
        pop     %r14
        pop     %r13
        pop     %r12
        pop     %rbx
        pop     %rbp
        ret

/* host: library call number 0 with the argument, by the stub in front of this code */
MARK(heddle_program_host)
        push    %rbp
        mov     %rsp, %rbp
        mov     %rsi, %rdx
        mov     (%rdi), %rdi
        mov     THREAD_LIBCALLS(%rdi), %rsi
        call    heddle_program_start - STUB_SIZE + STUB_HOST_CALL
MARK(heddle_program_host_return)
MARK(heddle_program_host_handler)       /* its first payload word is where a result is */
        pop     %rbp
        ret

/* pass: calls the code at the argument with a pattern in each register that may carry an argument, and in those that a callee keeps; what it
   returns, or 0 when one of these is not there any more */
MARK(heddle_program_pass)
        push    %rbp
        mov     %rsp, %rbp
        push    %rbx
        push    %r12
        push    %r13
        push    %r14
        push    %r15
        sub     $8, %rsp
        mov     %rsi, %r10
        .irp    i, 0, 1, 2, 3, 4, 5, 6, 7
        mov     $(0x1234567800 + \i), %rax
        movq    %rax, %xmm\i
        pshufd  $0x44, %xmm\i, %xmm\i
        .endr
        .irp    r, rsi, rdx, rcx, r8, r9, rbx, r12, r13, r14, r15
        lea     1000(%rdi), %\r
        .endr
        mov     %rdi, (%rsp)
        call    *%r10
        mov     (%rsp), %rdi
        lea     1000(%rdi), %rcx
        .irp    r, rbx, r12, r13, r14, r15
        cmp     %rcx, %\r
        jne     1f
        .endr
        jmp     2f
1:      xor     %eax, %eax
2:      add     $8, %rsp
        pop     %r15
        pop     %r14
        pop     %r13
        pop     %r12
        pop     %rbx
        pop     %rbp
        ret

/* passed: whether the pattern is in each register that may carry an argument */
MARK(heddle_program_passed)
        push    %rbp
        mov     %rsp, %rbp
        lea     1000(%rdi), %rax
        .irp    r, rsi, rdx, rcx, r8, r9
        cmp     %rax, %\r
        jne     1f
        .endr
        .irp    i, 0, 1, 2, 3, 4, 5, 6, 7
        mov     $(0x1234567800 + \i), %rax
        movq    %xmm\i, %rcx
        cmp     %rax, %rcx
        jne     1f
        psrldq  $8, %xmm\i
        movq    %xmm\i, %rcx
        cmp     %rax, %rcx
        jne     1f
        .endr
        mov     $1, %eax
        pop     %rbp
        ret
1:      xor     %eax, %eax
        pop     %rbp
        ret
MARK(heddle_program_end)

        NO_EXECUTABLE_STACK

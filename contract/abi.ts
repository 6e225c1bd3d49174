/**
 * The one table of what generated code, assembly, C++ and TypeScript must agree on in memory:
 * struct layouts, trap codes, library calls and the stubs in front of each module's code.
 * `npm run generate` writes native/base/layout.h, asm/layout.inc and ts/generated/abi.ts from it.
 * All offsets are bytes; every struct is little-endian, naturally aligned, and only ever grows at its end.
 */

/** A field's C type; `ptr` is an address of the struct named in the doc text. */
export type FieldType = 'u64' | 'u32' | 'ptr' | 'u64[]';

/** One field: name (snake_case), type, what it is, and for arrays the element count. */
export type Field = readonly [name: string, type: FieldType, doc: string, count?: number];

/** One struct. `size` is asserted: the fields, padded to 16 bytes, must fill it exactly. */
export interface Struct {
  readonly name: string;
  readonly doc: string;
  readonly size: number;
  readonly fields: readonly Field[];
}

/** Library calls: C++ functions that generated code reaches through the `host_call` stub, in table order. */
export const LIBCALLS = [
  ['call_import', '(VMHostFunction*, slots*): call an imported JavaScript function; results replace the arguments in the slots'],
  ['cont_new', '(VMFunction* or 0) -> handle: a fresh continuation; traps on null and when records run out'],
  ['cont_allocate', '(VMContinuation*): give a fresh continuation its stack before the first resume; traps when stacks run out'],
  ['cont_release', '(VMContinuation*): take back record and stack of a continuation that returned'],
  ['cont_reserve', '(VMContinuation*, slots): make the payload buffer hold that many slots in all'],
  ['cont_invalid', '(handle): trap: null, or already consumed'],
  ['cont_renew', '(VMContinuation*) -> VMContinuation*: the generation is spent: move the fiber to a fresh record'],
  [
    'find_handler',
    '(VMTag*) -> VMFiber*: the outermost fiber of the chain to suspend; scratch0 is the handler index; traps when nobody handles',
  ],
  ['memory_size', '(VMMemory*) -> pages, asked of V8'],
  ['memory_grow', '(VMMemory*, delta pages) -> old pages or -1'],
  ['memory_refresh', '(VMMemory*) -> bytes: the length now, where a check against the cached one failed'],
  ['memory_copy', '(VMMemory* destination, d, s, n), scratch0 = VMMemory* source'],
  ['memory_fill', '(VMMemory*, d, byte, n)'],
  ['memory_init', '(VMMemory*, d, s, n), scratch0 = VMInstance*, scratch1 = segment'],
  ['data_drop', '(VMInstance*, segment)'],
  ['table_grow', '(VMTable*, delta, value) -> old length or -1'],
  ['table_fill', '(VMTable*, i, value, n)'],
  ['table_copy', '(VMTable* destination, d, s, n), scratch0 = VMTable* source'],
  ['table_init', '(VMTable*, d, s, n), scratch0 = VMInstance*, scratch1 = segment'],
  ['elem_drop', '(VMInstance*, segment)'],
  ['is_subtype', '(actual type id, expected type id) -> 0 or 1'],
  ['trap', '(trap code): raise that trap at the call'],
  ['exception_new', '(VMTag*, slots) -> VMException*: an exception whose slots the code then fills'],
  ['throw_ref', '(VMException* or 0): throw it from the call; traps on null'],
  [
    'atomic_wait',
    '(VMMemory*, address in it, expected, timeout in ns, negative for none) -> 0 woken, 1 not equal, 2 timed out; scratch0 = bytes; traps where the memory is not shared',
  ],
  ['atomic_notify', '(VMMemory*, address in it, count) -> how many were woken'],
  ['exception_release', '(VMException*): its values are loaded; free it unless something holds it'],
  [
    'cont_throw',
    '(VMContinuation*, VMException*): aim a consumed continuation at its handler; without one give it up and throw from the call',
  ],
  ['tag_new', '(VMFunction*) -> VMFunction*: a function like it whose context is a new VMNamedTag'],
  ['shadow_overflow', "(cell of a stack pointer's global): trap: the pointer would leave the area that the call has in the shadow stack"],
  ['fiber_new', '(VMInstance*, VMFunction*) -> fiber: one that has not begun'],
  ['fiber_enter', '(VMInstance*, fiber) -> VMContinuation*: consumed, with a stack, to be switched into; traps where it cannot go on'],
  ['fiber_leave', '(VMInstance*, fiber, handle): it has yielded; with handle 0 it has returned'],
  ['fiber_free', '(VMInstance*, fiber): drop it'],
  ['fiber_status', '(VMInstance*, fiber) -> a fiber_… of LIMITS'],
  [
    'cont_new_on',
    '(VMFunction*, size, strategy | guard << stack_guard_shift) -> handle: as cont_new, with a choice of stack; 0 chooses what is usual',
  ],
  ['wait', "the asm routine heddle_wait, which an import's caller goes to: see there"],
  [
    'wait_import',
    '(VMHostFunction*) -> VMFiber*: sets the caller of an import aside, whose arguments are in the mailbox; not by host_call, but by heddle_wait',
  ],
  [
    'shadow_enter',
    "(VMContinuation*): an instruction is about to go on with it: the shadow stacks' pointers become its own; traps where they cannot",
  ],
  ['shadow_leave', '(VMContinuation*, 1 where it has returned): it came back, and the pointers are those of whoever went on with it again'],
] as const;

export const STRUCTS: readonly Struct[] = [
  {
    name: 'VMThread',
    doc: 'What generated code knows of its thread; one for each Node environment. A VMInstance and a VMHostFunction begin with its address.',
    size: 704,
    fields: [
      ['self', 'ptr', 'VMThread: itself, so that a thread can stand where a context is wanted'],
      ['stack_limit', 'u64', 'lowest address sp may have in a prologue on the running fiber; an interrupt raises it to 2^62 for a moment'],
      ['current', 'ptr', 'VMFiber: the running fiber, 0 while JavaScript runs'],
      ['host_sp', 'u64', 'stack pointer of the host stack at the innermost enter: C++ called from a fiber runs below it'],
      ['continuations', 'ptr', "VMContinuation: base of the reserved range of records; a handle's index counts from here"],
      ['poll_page', 'u64', 'address of a page that loop headers read; it is made unreadable to interrupt the thread'],
      ['exit_sp', 'u64', 'sp of the last host_call, at its return address (x86-64) or as on entry (aarch64)'],
      ['exit_fp', 'u64', "frame pointer of the last host_call's caller"],
      ['exit_pc', 'u64', 'return address of the last host_call'],
      ['switches', 'u64', 'resumes executed; each is a pair of stack switches'],
      ['unwind_sp', 'u64', 'where a host_call that raised goes on: stack pointer'],
      ['unwind_fp', 'u64', 'frame pointer'],
      ['unwind_pc', 'u64', 'program counter'],
      ['unwind_p0', 'u64', 'first exception payload word'],
      ['unwind_p1', 'u64', 'second exception payload word'],
      ['scratch0', 'u64', 'further arguments or results of library calls'],
      ['scratch1', 'u64', 'see scratch0'],
      ['scratch2', 'u64', 'see scratch0'],
      ['trap_code', 'u32', 'TRAPS value of the trap being delivered, 0 when none'],
      ['in_wasm', 'u32', '1 while a fiber may run: what the watchdog looks at'],
      ['trap_pc', 'u64', 'program counter of the trap'],
      ['trap_fp', 'u64', 'frame pointer at the trap'],
      ['trap_sp', 'u64', 'stack pointer at the trap'],
      ['entry', 'ptr', 'the innermost entry (C++ Entry), 0 while none is active'],
      ['runtime', 'ptr', 'the C++ object that owns this struct'],
      ['trap_detail', 'u64', "a number that goes with the trap, such as a tag's id; all ones when there is none"],
      ['fiber_tag', 'ptr', 'VMTag: what fiber_yield suspends to'],
      ['fiber_handlers', 'ptr', 'VMHandlers of fiber_resume'],
      ['mailbox', 'ptr', 'the words that TypeScript and the addon share (mailbox_… of LIMITS)'],
      ['spare', 'u64[]', 'kept for later, zero', 4],
      ['libcalls', 'u64[]', 'addresses of the library calls by LIBCALLS number', 56],
    ],
  },
  {
    name: 'VMInstance',
    doc: "The fixed head of an instance's context; ts/lower/module/layout.ts lays the module's own part behind it.",
    size: 64,
    fields: [
      ['thread', 'ptr', 'VMThread'],
      ['memory_base', 'u64', 'address of memory 0, constant for the instance where the memory has guards'],
      ['memory0', 'ptr', 'VMMemory of memory 0'],
      ['code', 'ptr', 'the C++ code object'],
      ['data', 'ptr', 'the C++ instance object: segments and what keeps them'],
      ['id', 'u64', 'number of the instance on this thread, for backtraces'],
      ['fibers', 'ptr', 'the C++ FiberTable; 0 before the first fiber_new'],
      ['shadow', 'ptr', 'the C++ ShadowStack; 0 where it has none that is moved'],
    ],
  },
  {
    name: 'VMFunction',
    doc: 'What a function reference points to.',
    size: 48,
    fields: [
      ['code', 'u64', 'machine code, Tail convention, first argument the context'],
      ['context', 'ptr', 'VMInstance or VMHostFunction that the code gets'],
      ['type', 'u32', 'canonical type id'],
      ['index', 'u32', 'function index in its module'],
      ['enter', 'u64', "trampoline (context, code, VMFiber*): arguments and results in the fiber's payload slots"],
      ['slots', 'u32', 'payload slots that the trampoline needs: max(params, results)'],
      ['flags', 'u32', 'bit 0: an imported JavaScript function; bit 1: a tag made at run time'],
      ['spare', 'u64', 'zero'],
    ],
  },
  {
    name: 'VMTable',
    doc: "A table; elements are 8 bytes: a function's address, an externref index, a continuation handle; 0 is null.",
    size: 48,
    fields: [
      ['base', 'u64', 'address of element 0; moves when the table grows'],
      ['length', 'u64', 'elements'],
      ['maximum', 'u64', 'elements, all ones when unbounded'],
      ['capacity', 'u64', 'elements allocated'],
      ['object', 'ptr', 'the C++ object'],
      ['spare', 'u64', 'zero'],
    ],
  },
  {
    name: 'VMMemory',
    doc: "A linear memory, backed by V8's own WebAssembly.Memory or by a mapping of ours.",
    size: 48,
    fields: [
      ['base', 'u64', 'address of byte 0'],
      ['bytes', 'u64', 'length when last asked: a lower bound, for a memory only grows'],
      ['object', 'ptr', 'the C++ object'],
      ['guarded', 'u32', '1 when [base, base + 8 GiB) is one reservation that faults beyond the length'],
      ['flags', 'u32', 'bit 0 shared, bit 1 64-bit addresses'],
      ['maximum', 'u64', 'pages'],
      ['spare', 'u64', 'zero'],
    ],
  },
  {
    name: 'VMTag',
    doc: 'A tag: its address is its identity.',
    size: 16,
    fields: [
      ['type', 'u32', 'canonical id of its function type'],
      ['id', 'u32', 'number on this thread, for messages'],
      ['spare', 'u64', 'zero'],
    ],
  },
  {
    name: 'VMNamedTag',
    doc: 'A tag made at run time: the context of the function that stands for it.',
    size: 32,
    fields: [
      ['thread', 'ptr', 'VMThread'],
      ['tag', 'ptr', 'its VMTag'],
      ['handlers', 'ptr', 'VMHandlers with a label clause for the tag alone'],
      ['spare', 'u64', 'zero'],
    ],
  },
  {
    name: 'VMException',
    doc: 'An exception; its payload slots follow, 16 bytes each. The value of an exnref is its address.',
    size: 32,
    fields: [
      ['tag', 'ptr', 'VMTag'],
      ['slots', 'u32', 'payload slots'],
      ['held', 'u32', 'held_by_… bits (LIMITS): who else may name it, 0 when nobody'],
      ['next', 'ptr', "VMException: the thread's list of all"],
      ['previous', 'ptr', 'VMException: see next'],
    ],
  },
  {
    name: 'VMFiber',
    doc: 'The control block at the top of every fiber stack. sp, fp and pc are swapped in place: while the fiber is suspended they are its own, while it runs they are those of its parent.',
    size: 128,
    fields: [
      ['sp', 'u64', 'saved stack pointer'],
      ['fp', 'u64', 'saved frame pointer'],
      ['pc', 'u64', 'saved program counter; 0 once the fiber has returned'],
      ['parent', 'ptr', 'VMFiber that resumed this one; 0 for an entry fiber and while suspended'],
      ['limit', 'u64', 'lowest address sp may have in a prologue'],
      ['record', 'ptr', 'VMContinuation whose payload slots this fiber uses'],
      ['handlers', 'ptr', 'VMHandlers of the resume that runs this fiber; never 0 while running'],
      ['thread', 'ptr', 'VMThread'],
      ['start_enter', 'u64', 'the first function: trampoline'],
      ['start_context', 'u64', 'the first function: context'],
      ['start_code', 'u64', 'the first function: code'],
      ['stack', 'ptr', 'C++ stack that this block is the top of'],
      ['entry', 'ptr', 'C++ Entry for an entry fiber, else 0'],
      ['id', 'u64', 'number of the fiber on this thread, for people'],
      ['shadow', 'ptr', 'C++ ShadowUse: its parts in shadow stacks, a list; 0 when it has none'],
      ['shadow_entered', 'u64', '1 while it runs by a resumption that moves shadow stacks'],
    ],
  },
  {
    name: 'VMContinuation',
    doc: "A continuation's record. A handle is generation << 24 | index; it is valid while the generation here is its own. Record 0 is never valid, so handle 0 is null.",
    size: 128,
    fields: [
      ['generation', 'u64', 'counts consumptions, at most 2^40 - 1'],
      ['state', 'u32', 'STATES value'],
      ['count', 'u32', 'payload slots already bound'],
      ['fiber', 'ptr', 'VMFiber of the outermost fiber of the chain; 0 before the first resume, and while it hibernates'],
      [
        'leaf',
        'ptr',
        'VMFiber where a resume goes on; while fresh, the C++ Stacks that its stack is to come from, 0 for the usual; while the chain hibernates, its C++ copy',
      ],
      ['slots', 'u64', 'address of the payload slots, 16 bytes each'],
      ['capacity', 'u32', 'slots'],
      ['index', 'u32', "this record's number"],
      ['function', 'ptr', 'VMFunction that a fresh continuation starts with'],
      ['next_free', 'u64', 'free list'],
      ['inline_slots', 'u64[]', 'the slots of a continuation that needs no more than four', 8],
    ],
  },
  {
    name: 'VMHandlers',
    doc: 'The handlers of one resume instruction in one instance; VMTag addresses follow: labels first, then switches, then a zero.',
    size: 16,
    fields: [
      ['labels', 'u32', 'number of (on tag label) clauses'],
      ['switches', 'u32', 'number of (on tag switch) clauses'],
      ['first_tag', 'ptr', 'VMTag of the first label clause, 0 when there is none; barrier_tag in a list that no suspension crosses'],
    ],
  },
  {
    name: 'VMHostFunction',
    doc: 'The context of an imported JavaScript function.',
    size: 32,
    fields: [
      ['thread', 'ptr', 'VMThread'],
      ['object', 'ptr', 'the C++ object: reference to the function, its type'],
      ['type', 'u32', 'canonical type id'],
      ['id', 'u32', 'number of the import on this thread, for messages'],
      ['spare', 'u64', 'zero'],
    ],
  },
];

/** States of a continuation's record. */
export const STATES = [
  ['free', 'in the free list'],
  ['fresh', 'made, perhaps with arguments bound, never resumed'],
  ['suspended', 'waits for a resume'],
  ['running', 'resumed: it, or a fiber it resumed, runs'],
  ['retired', 'its generations are spent; never used again'],
  ['parked', 'inside an import that may wait for a promise: only the host resumes it'],
  ['aside', 'of an inner fiber of a chain that hibernates: it wakes, or goes, with that chain'],
] as const;

/** Trap codes: number, name, message. Messages up to the bar are the specification's texts. 251 to 255 are Cranelift's own. */
export const TRAPS = [
  [1, 'unreachable', 'unreachable'],
  [2, 'undefined_element', 'undefined element'],
  [3, 'indirect_call_type', 'indirect call type mismatch'],
  [4, 'uninitialized_element', 'uninitialized element'],
  [5, 'null_function', 'null function reference'],
  [6, 'null_reference', 'null reference'],
  [7, 'table_bounds', 'out of bounds table access'],
  [8, 'deadline', 'the deadline of the call has passed'],
  [9, 'null_continuation', 'null continuation reference'],
  [10, 'continuation_consumed', 'continuation already consumed'],
  [11, 'unhandled_tag', 'unhandled tag'],
  [12, 'too_many_stacks', 'too many stacks'],
  [13, 'terminated', 'execution terminated'],
  [14, 'cast_failure', 'cast failure'],
  [15, 'null_exception', 'null exception reference'],
  [16, 'array_bounds', 'out of bounds array access'],
  [17, 'barrier', 'suspension would cross a barrier'],
  [18, 'unaligned_atomic', 'unaligned atomic'],
  [19, 'expected_shared', 'expected shared memory'],
  [20, 'out_of_memory', 'out of memory'],
  [21, 'store_bounds', 'internal error: a value would be stored beyond its buffer'],
  [30, 'cancelled', 'the call was cancelled'],
  [31, 'shadow_overflow', 'shadow stack overflow'],
  [32, 'shadow_stack', 'a second call of the instance cannot begin while one waits'],
  [33, 'fiber_unknown', 'unknown fiber'],
  [34, 'fiber_running', 'the fiber is running'],
  [35, 'fiber_done', 'the fiber has returned'],
  [36, 'fiber_outside', 'fiber_yield outside of a fiber'],
  [251, 'stack_overflow', 'call stack exhausted'],
  [252, 'integer_overflow', 'integer overflow'],
  [253, 'memory_bounds', 'out of bounds memory access'],
  [254, 'division_by_zero', 'integer divide by zero'],
  [255, 'bad_conversion', 'invalid conversion to integer'],
] as const;

/** What the second result of the switch stub says: a handler index (0 and up), or one of these (as unsigned 32-bit numbers). */
export const SWITCH_KINDS = [
  ['resumed', 0, 'into a suspended fiber: resumed; the payload is the VMContinuation whose slots hold the values'],
  ['returned', 0xffffffff, "into a resumer: the fiber's function returned; the payload is its VMContinuation"],
  ['parked', 0xfffffffd, 'into the host: an import that may wait for a promise is to be called; the payload is nothing'],
] as const;

/** Offsets of the position-independent stubs that the loader copies in front of every module's code. */
export const STUBS = [
  ['switch', 0, 'Tail (VMFiber*, payload, kind) -> (payload, kind)'],
  ['host_call', 128, 'Tail (VMThread*, C++ function, a0, a1, a2, a3) -> value'],
  ['size', 512, 'bytes that the stubs take: where functions begin'],
] as const;

/** Numbers that several languages need. */
export const LIMITS = [
  ['handle_index_bits', 24, "bits of a continuation handle that are the record's index"],
  ['record_size_log2', 7, 'a record is 1 << this bytes'],
  ['slot_size', 16, 'bytes of one payload slot'],
  [
    'unchecked_frame',
    16,
    'most bytes of a frame made without a check of the stack limit: frame pointer and return address, which the caller has counted',
  ],
  ['inline_slots', 4, 'payload slots inside the record'],
  ['held_by_reference', 1, 'bit of VMException.held: it became an exnref'],
  ['function_is_tag', 2, 'bit of VMFunction.flags: its context is a VMNamedTag'],
  ['barrier_tag', 1, 'VMHandlers.first_tag of a barrier: no tag lies there'],
  ['held_by_object', 2, 'bit of VMException.held: a JavaScript object stands for it'],
  ['refused_maximum', 1, 'why there was no stack, the detail of trap too_many_stacks: as many live as the setting allows'],
  ['refused_memory', 2, 'the live ones may commit as much memory as the setting allows'],
  ['refused_system', 3, 'the kernel gives no more memory, or no more memory maps'],
  ['refused_depth', 4, 'too many fibers wait for each other'],
  ['refused_records', 5, "the thread's range of continuation records is used up"],
  [
    'extern_generation_bits',
    28,
    "bits of an externref's generation: the handle of a JavaScript value is 1 << 52 | generation << handle_index_bits | index",
  ],
  [
    'mailbox_size',
    1008,
    'words of 8 bytes of the mailbox, by which the addon and TypeScript tell each other what comes with a resumption; a number is in the lower half of its word',
  ],
  ['host_values', 0, 'an imported function takes and gives JavaScript values'],
  ['host_numbers', 1, 'it takes its arguments from the mailbox and leaves its result there'],
  ['host_suspending', 2, 'its caller is set aside, and the host calls it'],
  ['mailbox_ending', 0, 'mailbox: how the last resumption, making or binding ended, an ending_…'],
  ['mailbox_index', 1, 'mailbox: index of the continuation, both ways'],
  ['mailbox_generation', 2, 'mailbox: its generation, both ways'],
  ['mailbox_tag', 3, 'mailbox: address of the VMTag of the suspension'],
  ['mailbox_import', 4, 'mailbox: number of the import that is to be called'],
  ['mailbox_takes', 5, 'mailbox, to the addon: what the resumption takes, takes_… bits'],
  ['mailbox_count', 6, 'mailbox, to the addon: number of values'],
  ['mailbox_values', 8, 'mailbox: values, 8 bytes each as in memory, both ways'],
  ['ending_returned', 0, 'the function returned'],
  ['ending_suspended', 1, 'it waits to be resumed: suspended with a tag that nothing inside handles, or made or bound'],
  ['ending_parked', 2, 'an import that may wait for a promise is to be called'],
  [
    'shadow_below',
    4,
    "byte of a stack pointer's global cell (u32): the least value that code may set it to, less 1; 0 with a shadow_beyond of 0 for any",
  ],
  ['shadow_beyond', 8, 'byte of that cell (u32): how many values above the least are not allowed; those next to it are'],
  ['shadow_ambiguous', 1, 'the detail of trap shadow_stack: several globals may be the stack pointer'],
  ['shadow_unsized', 2, 'the size of the shadow stack is not known, and no allocator was named'],
  [
    'shadow_failed',
    0xffffff00,
    'the detail of trap shadow_overflow where the allocator did not return: this, and the trap that ended it, 0 for none. No stack has so many bytes',
  ],
  ['host_stack', 1, 'the detail of trap stack_overflow: the stack of the thread is used up, and not that of a fiber'],
  ['fiber_suspended', 0, 'a fiber that has not begun, or has yielded'],
  ['fiber_running', 1, 'it, or one that it resumed, runs'],
  ['fiber_done', 2, 'it has returned, or an exception has left it'],
  ['fiber_unknown', 3, 'no fiber: it was freed, or never made'],
  ['stack_pool', 1, 'strategy of a chosen stack, by docs/stacks.md'],
  ['stack_mmap', 2, 'see stack_pool'],
  ['stack_malloc', 3, 'see stack_pool'],
  ['stack_hibernate', 4, 'see stack_pool: the pool, with no budget'],
  ['stack_guard_auto', 1, 'guard of a chosen stack'],
  ['stack_guard_kernel', 2, 'see stack_guard_auto'],
  ['stack_guard_software', 3, 'see stack_guard_auto'],
  ['stack_guard_shift', 8, 'library call cont_new_on: bits of the strategy, below the guard'],
  ['stack_least', 16384, 'least size of a stack, in bytes'],
  ['takes_suspensions', 1, 'bit of what a resumption takes: suspensions that nothing inside handles'],
  ['takes_promises', 2, 'bit of what a resumption takes: imports that may wait for promises'],
  ['takes_cancellation', 4, 'bit of what a resumption takes: it only unwinds, so that a suspension or a wait ends it'],
] as const;

/**
 * What the addon offers to TypeScript. Addresses are numbers (user space has 47 bits); the addon is per thread:
 * every function works on the engine of the Node environment that loaded it.
 */
import type { WebAssembly } from '../base/v8_types.js';
import type { NativeOptions } from './native_options.js';

/** One frame of a backtrace, innermost first: artifact number, function number in it, location (a byte offset in the module, -1 unknown, or as in lower/locations.ts). */
export interface NativeFrame {
  readonly code: number;
  readonly function: number;
  readonly offset: number;
}

/** What the addon calls back. All run on the host stack. */
export interface NativeHooks {
  /** Makes the error of a trap; `detail` is a number the trap carries (tag id, import number) or -1. The addon throws what this returns. */
  trap(code: number, frames: Float64Array, detail: number): Error;
  /** ToWebAssemblyValue for arguments that are not already of the right kind: `kind` is a value type byte. May throw. Returns a number or bigint. */
  coerce(kind: number, value: unknown): number | bigint;
  /** Called from time to time in a long stretch of WebAssembly. What makes it fail is a termination, so it must not throw. */
  poll(): void;
  /** What an exception that no handler takes is to JavaScript; the addon throws it. The argument is the VMException's address. */
  thrown(exception: number): unknown;
  /** Keeps a value that JavaScript threw, or what the exception at an address is to it; false where WebAssembly must not catch the value. */
  keepThrown(thrown: unknown, isException: boolean): boolean;
  /** Throws what was kept. */
  throwKept(): void;
  /** The VMException of a value that JavaScript threw, where WebAssembly may catch it; 0 where it must not see it. */
  caught(value: unknown): number;
  /** After a collection: numbers of the tags, of the code, of the imports that may wait and of those of numbers that were freed. Values whose mark is 0 (shareExterns) are to be dropped. */
  collected(tags: readonly number[], codes: readonly number[], imports: readonly number[], calls: readonly number[]): void;
  /** Before `collected`, for each cache that {@link Native.noteCache} was given: it is to let go of all that it has. */
  uncache(cache: object): void;
  /**
   * The error of an import that may not wait: numbers of that import and of the one that is in the way, -1 where none is.
   */
  suspendError(fn: number, way: number): Error;
  /** An error has come from JavaScript to WebAssembly: {@link Native.callFrames} are those of its caller. */
  passed(error: Error): void;
  /**
   * `memory.atomic.wait`: address in the shared memory, milliseconds (Infinity for ever); a bigint waits on 64 bits. 0 woken, 1 not equal, 2 timed out.
   */
  wait(memory: WebAssembly.Memory, address: number, expected: number | bigint, timeout: number): number;
  /** `memory.atomic.notify`: how many were woken. */
  notify(memory: WebAssembly.Memory, address: number, count: number): number;
  /**
   * A function of code that grows is called and not made yet: this makes it ({@link Native.addCode}), or throws what its caller is to get. `ran` says whether other JavaScript may have run since it
   * was called last.
   */
  makeFunction(code: number, fn: number, ran: boolean): void;
}

/** Counters; see docs of the CLI's --stats. */
export interface NativeStatistics {
  /** Switches from one stack of WebAssembly to another. */
  readonly switches: number;
  /** Continuations that there have been. */
  readonly continuationsMade: number;
  /** Records of continuations that are never used again, for each of their uses is spent (2^40). */
  readonly recordsRetired: number;
  /** Continuations that are not over. */
  readonly continuationsLive: number;
  /** Those that JavaScript holds: parked calls, and continuations in its hands. */
  readonly continuationsHeld: number;
  /** Exceptions that something refers to, or that no collection has freed yet. */
  readonly exceptionsLive: number;
  /** Stacks of continuations in use. Those of calls from JavaScript are not among them. */
  readonly stacksLive: number;
  /** Chains of fibers whose stacks are empty while a copy keeps what was on them. */
  readonly continuationsHibernated: number;
  /** Bytes of the copies. */
  readonly hibernatedBytes: number;
  /** Clones that were made, ever. */
  readonly continuationsCloned: number;
  /** Copies of suspended chains that there are now, of which several may go on. */
  readonly continuationCopies: number;
  /** How often chains were put aside. */
  readonly hibernations: number;
  /** How often they were woken. */
  readonly wakes: number;
  /** Live stacks that are empty because what was on them hibernates. */
  readonly stacksHibernated: number;
  /** Unused stacks that are kept for reuse. */
  readonly stacksPooled: number;
  /** The most stacks that were in use at a time. */
  readonly stacksPeak: number;
  /** Bytes of address space that stacks have; memory is what {@link StackUsage} has. */
  readonly stackBytesReserved: number;
  /** Bytes of machine code. */
  readonly codeBytes: number;
  /** Pieces of machine code: a module has one for each of its variants that is used. */
  readonly codes: number;
  /** Instances that there are. */
  readonly instances: number;
  /** Tables that there are. */
  readonly tables: number;
  /** Globals that were made by themselves: those inside instances are not counted. */
  readonly globals: number;
  /** Tags that there are. */
  readonly tags: number;
  /** Memories that WebAssembly refers to. */
  readonly memories: number;
  /** JavaScript functions that were imported. */
  readonly hostFunctions: number;
  /** Bytes of all objects of the heap. */
  readonly heapBytes: number;
  /** JavaScript objects that keep objects of the heap. */
  readonly holders: number;
  /** Collections of the heap that there have been. */
  readonly collections: number;
  /** Continuations that collections have freed. */
  readonly continuationsCollected: number;
  /** Objects of any kind that collections have freed. */
  readonly objectsCollected: number;
  /** How long the last collection took. */
  readonly lastPauseNanoseconds: number;
  /** How long the longest collection took. */
  readonly longestPauseNanoseconds: number;
  /** How long all collections took. */
  readonly totalPauseNanoseconds: number;
  /** Collections after which HEDDLE_DEBUG_SNAPSHOT=1 looked for addresses inside suspended frames. */
  readonly snapshotChecks: number;
  /** Words in frames of other fibers that these found, which may be registers that nobody reads again. */
  readonly snapshotDoubts: number;
  /** Calls from JavaScript that have begun on a stack. */
  readonly entries: number;
}

/** What stacks take of memory, in bytes. */
export interface StackUsage {
  /** Continuations that wait to be resumed, or for a promise. */
  readonly continuationsSuspended: number;
  /** Pages of stacks that are in memory: those of live ones, and those that unused ones keep. */
  readonly stackBytesResident: number;
  /** The deepest that a continuation's stack has been since its pages were last given back, in whole pages. */
  readonly stackBytesHighWater: number;
  /** The same of stacks on which calls from JavaScript run. */
  readonly entryStackBytesHighWater: number;
}

/**
 * - fresh: made, nothing has run yet; it has no stack
 * - suspended: waits to be resumed
 * - resuming: has resumed another fiber, and waits until that returns or suspends to it
 * - calling: waits for JavaScript that it called
 * - parked: waits in an import for a promise
 * - running: looked at in the middle of its own code, by an interrupt or where it trapped
 */
export type FiberState = 'fresh' | 'suspended' | 'resuming' | 'calling' | 'parked' | 'running';

/** One fiber (native/trap/inspect.h). */
export interface NativeFiber {
  readonly id: number;
  readonly continuation: number;
  readonly state: FiberState;
  readonly parent: number;
  readonly entered: boolean;
  readonly hibernated: boolean;
  readonly versions: number;
  readonly copyOf: number;
  /** Where its program has suspended it by asyncify: the buffer; else -1. */
  readonly buffer: number;
  /** The function that it began with: artifact and function number in it, -1 where unknown; and where it is an import, that one's number, else -1. */
  readonly code: number;
  readonly function: number;
  readonly importedStart: number;
  /** Number of the import that it is in, -1 for none. */
  readonly import: number;
  readonly stackSize: number;
  readonly stackUsed: number;
  readonly stackHighWater: number;
  readonly stackResident: number;
  /** As {@link NativeHooks.trap} has them. */
  readonly frames: Float64Array;
}

/** What {@link Native.inspect} gives. */
export interface NativeFiberTree {
  readonly fibers: readonly NativeFiber[];
  readonly total: number;
}

/** What `heddle doctor` prints of the system. */
export interface NativeReport {
  readonly cpu: string;
  readonly features: readonly string[];
  readonly kernel: string;
  readonly guard: 'kernel' | 'software';
  readonly guardReason: string;
  readonly pageSize: number;
  readonly minimumSignalStack: number;
  readonly maximumMaps: number;
  readonly memoryLimit: number;
}

/** Where and how to load or store a raw value. `ref` and `u64` are numbers (addresses, indices), `i64` a bigint. */
export type RawKind = 'i32' | 'i64' | 'f32' | 'f64' | 'u32' | 'u64' | 'ref';

/** @internal */
export interface Native {
  readonly arch: 'x64' | 'arm64';
  /** Hash of contract/abi.ts as compiled in: must equal the TypeScript side's. */
  readonly contract: string;
  /** What the C library has freed and keeps goes back to the system, where it can. */
  releaseMemory(): void;
  /** Gives the whole pages of a memory that nobody uses any more back to the system: what is in it is lost. */
  discard(bytes: Uint8Array): void;
  /** 32 random bytes, the same for all threads of this process that use this addon. */
  secret(): Uint8Array;
  /** Cranelift ISA settings of this CPU, such as `has_sse41`. */
  cpuFeatures(): string[];
  report(): NativeReport;
  /** `mailbox`: LIMIT.mailboxSize doubles that both sides read and write (LIMIT.mailbox…); the first one given stays. */
  hooks(hooks: NativeHooks, mailbox: Float64Array): void;
  configure(options: NativeOptions): void;
  statistics(): NativeStatistics;
  /** Asks the kernel about every stack: about two microseconds each. */
  stackUsage(): StackUsage;
  /** The fibers of now, at most `limit` of them. */
  inspect(limit: number): NativeFiberTree;
  /** From now on the fibers of each trap are kept, as they were before they were given back. */
  keepTrapFibers(): void;
  /** Those of the last trap. */
  trapFibers(): NativeFiberTree | undefined;
  /** In a hook: the frames of WebAssembly that called, as those of a trap. */
  callFrames(): Float64Array;
  /** From now on the signal of this number is noted, whoever else handles it. Once a process. */
  noteSignal(signal: number): void;
  /** Whether it came since this was last asked. */
  takeSignal(): boolean;

  /** Bits by type id: each collection clears them and sets those of the types that something on the heap names, before the hook `collected`. */
  shareTypes(marks: Uint32Array): void;
  /** Tells the addon types (contract/formats.md, section 8). */
  defineTypes(words: Uint32Array): void;
  /** Types that are no more. */
  forgetTypes(ids: Uint32Array): void;
  /** An object of the heap that names types: its address. No collection comes before. */
  createTypes(ids: Uint32Array): number;
  /** Makes V8 collect, and then collects: what is garbage only by what V8 frees goes, too. */
  reclaim(): void;
  /**
   * Maps an artifact. `code` (bytes, those of a file in memory where they begin there at a page and nothing but zeros follows in their last page, or the path of a file that holds nothing else) begins with room for the stubs (STUB.size bytes); the tables are those of contract/formats.md, section 6, relative to it,
   * sorted by offset; `traps` may lie in a file that is named as well: the offset, a multiple of the page size, of a row of their number, which they follow; code ends there. `types` is what createTypes gave for the module's types. Returns its number and base address.
   */
  loadCode(
    code: Uint8Array | string,
    functions: Int32Array,
    traps: Int32Array | number,
    sources: Int32Array,
    calls: Int32Array,
    inlined: Int32Array,
    scopes: Int32Array,
    types: number,
  ): { id: number; base: number };
  /**
   * Room for code that grows: a slot for each of `count` functions from number `first` on, and so many bytes behind them. A slot is called in the stead of its function, and has it made by hook
   * `makeFunction` where it is not. `slots` and `next` are offsets: of the first slot, and of the first piece. Undefined where the system does not give such room.
   */
  reserveCode(
    first: number,
    count: number,
    room: number,
    types: number,
  ): { readonly id: number; readonly base: number; readonly slots: number; readonly slotSize: number; readonly next: number } | undefined;
  /**
   * Puts a piece of code where `next` said, with tables whose offsets are relative to its own beginning, and from then on slots of the functions in it lead there. Locations are those of the whole code:
   * rows of `inlined` count on from the pieces before. `stubs` is 1 where the piece is a whole artifact, with room for stubs of its own in front. Returns the next `next`; throws a RangeError without memory.
   */
  addCode(
    code: number,
    bytes: Uint8Array,
    functions: Int32Array,
    traps: Int32Array,
    sources: Int32Array,
    calls: Int32Array,
    inlined: Int32Array,
    scopes: Int32Array,
    stubs: number,
  ): number;
  /** SHA-256 of up to 8 byte ranges, one after another; undefined where this Node gives addons no OpenSSL. */
  sha256(...parts: Uint8Array[]): ArrayBuffer | undefined;
  /** Random bytes of the system's, at most 256. */
  random(size: number): ArrayBuffer | undefined;
  /** The first bytes of an open file, mapped, only to be read; undefined where it cannot be, or its file system is not this machine's own. The file may be closed then. */
  mapFile(file: number, size: number): ArrayBuffer | undefined;
  /** 64 bytes that depend on each byte of a part of an open file (native/base/sum.h); undefined where it cannot be read. */
  sumFile(file: number, start: number, end: number): ArrayBuffer | undefined;
  /**
   * The payload of a key's entry in a folder of the cache, looked at as ts/compile/cache.ts does; undefined where there is none that can be trusted, false where that file must find out: the entry has
   * more than `most` bytes, is of another format, or its time is to be renewed.
   */
  readEntry(folder: string, key: Uint8Array, most: number): Uint8Array | undefined | false;
  /** A file of ASCII as a string that V8 neither copies nor moves; undefined where it cannot be read, or this Node has no such strings. */
  readText(path: string): string | undefined;
  /**
   * Allocates a zeroed context of `size` bytes with thread and code set; its first `traced` bytes may refer to other objects. Before it does, it may
   * collect: everything the instance is made of must be held by then.
   */
  createInstance(code: number, size: number, traced: number): { address: number; id: number };
  /** Copies bytes into memory that the addon owns (instance contexts). */
  write(address: number, bytes: Uint8Array): void;
  /**
   * Writes the VMFunctions of defined functions, from the address `blocks` in an instance's context on. `first` is the index of the first one; `base` and `offsets` say where code lies, by function
   * index; `functions` has each one's type index, and `types` `[type id, offset of the enter trampoline, slots]` by that.
   */
  writeFunctions(blocks: number, first: number, base: number, offsets: Int32Array, functions: Uint32Array, types: Int32Array): void;
  load(address: number, kind: RawKind): number | bigint;
  store(address: number, kind: RawKind, value: number | bigint): void;
  /**
   * Copies ranges of `source` to `target`, whose first byte is at position `base`: those from number `from` to before `to` of [position, start in the source, length]*. All
   * of them fit.
   */
  copyParts(target: Uint8Array, base: number, source: Uint8Array, ranges: Float64Array, from: number, to: number): void;
  /** Passive and active segments that memory.init, table.init may use; data copies the bytes, elements are reference words. */
  setData(instance: number, segment: number, bytes: Uint8Array): void;
  setElements(instance: number, segment: number, words: Float64Array): void;

  /** Returns the VMTable's address. `type` is the id of its elements' type, 0 for none of a module's. */
  createTable(minimum: number, maximum: number, fill: number, type: number): number;
  /** Old length or -1. */
  tableGrow(table: number, delta: number, fill: number): number;
  tableCopyIn(table: number, at: number, words: Float64Array): boolean;
  /** An ArrayBuffer over the elements that a table has room for; undefined where there are none, or V8 makes none. Where the table moves on it shows what was there. */
  tableWindow(table: number): ArrayBuffer | undefined;
  /** Where the heap begins. */
  heapBase(): number;
  /** An ArrayBuffer over part `index` of the heap, of LIMIT.heapWindow bytes; undefined where V8 makes none. Only objects that are held may be read and written. */
  heapWindow(index: number): ArrayBuffer | undefined;
  /**
   * What the addon needs of JavaScript's built-in objects: the accessor `buffer` and the method `grow` of `WebAssembly.Memory`, `Uint8Array`, a function that makes an array of its arguments, and whether
   * ArrayBuffers have `transfer`. Comes before all else that is about memories; the first ones given stay.
   */
  capture(
    buffer: () => unknown,
    grow: (delta: number) => unknown,
    bytes: typeof Uint8Array,
    list: (...values: unknown[]) => unknown[],
    transfers: boolean,
  ): void;
  /** Returns the VMMemory's address. Throws a TypeError for what is none of V8's memories; keeps a reference to the object, which stays V8's own. `wide` is 1 where it has 64-bit addresses. */
  createMemory(memory: WebAssembly.Memory, wide: number): { address: number; base: number; guarded: boolean };
  /** From now on the VMMemory's length is right whenever WebAssembly runs, unless other threads grow the memory. */
  watchMemory(memory: number): void;
  /** A memory that V8 cannot make: address of its VMMemory, 0 without memory. Lengths in bytes; `pageShift` is the binary logarithm of a page. */
  createMappedMemory(bytes: number, maximum: number, pageShift: number): number;
  /** The ArrayBuffer over such a memory: the same one until it grows. */
  mappedMemoryBuffer(memory: number): ArrayBuffer;
  /** Grows such a memory by pages: old pages or -1. */
  mappedMemoryGrow(memory: number, delta: number): number;
  /** Address of a zeroed 16-byte cell for a value of the type with this id, 0 for none of a module's. */
  createGlobal(type: number): number;
  /**
   * A structure whose fields, or an array whose elements, are these bytes, those of an array repeated as often as they fit, or zeros where there are none: its address. `length` is of an array. No collection comes before. Throws a RangeError without memory.
   */
  createObject(type: number, length: number, contents: Uint8Array): number;
  /** The string of the UTF-16 code units at an address. */
  loadText(address: number, length: number): string;
  /** Writes a string's code units to an address that has room for them. */
  storeText(address: number, text: string): void;
  createTag(type: number, id: number): number;
  /** Address of a VMException with zeroed slots; `held` are LIMIT.heldBy… bits. */
  createException(tag: number, slots: number, held: number): number;

  /** Collects now. What only JavaScript objects keep that V8 has not freed yet stays. */
  collect(): void;
  /** Everything suspended hibernates: how many stacks became empty. */
  hibernate(): number;
  /** The next safepoint collects. */
  requestCollection(): void;
  /**
   * From now on a JavaScript object stands for what a word refers to (an address, a code's base, a handle): the collector keeps that for as long as V8 keeps the
   * object. A word has one such object at a time.
   */
  hold(word: number | bigint, object: object): void;
  /** The object that stands for a word, undefined when there is none. */
  holder(word: number | bigint): object | undefined;
  /** From now on each collection has hook `uncache` called for this object, for as long as V8 keeps it. */
  noteCache(cache: object): void;
  /** A VMMemory is about to be used by a new instance. */
  useMemory(memory: number): void;
  /**
   * The table of JavaScript values (ts/instance/functions/externs.ts), by index: the generation of its handle, and where the collector puts 1 when it finds that. The arrays
   * are used until others are given.
   */
  shareExterns(generations: Uint32Array, marks: Uint8Array): void;
  /** Lets go of the JavaScript function behind a VMFunction; calls of it fail. Returns the number of the import; of one of numbers -1 - its number `call`. */
  disposeHostFunction(fn: number): number;

  /**
   * A function that WebAssembly can call: address of its VMFunction. `code` is an import trampoline, `enter` the type's enter trampoline, `id` a number
   * for messages, `kind` a LIMIT.host…. A suspending one is not called: its caller's fibers are set aside until `settle`. One of numbers has a waiting
   * trampoline as well, and is called from here by its number `call` where a call of `createNumberExport`'s is left for it.
   */
  createHostFunction(
    fn: (...args: never[]) => unknown,
    type: number,
    code: number,
    enter: number,
    id: number,
    kind: number,
    call: number,
  ): number;
  /**
   * From now on the import calls the element of the table that its first argument names, where its type's id is `callee`, by `code`; `stack` is the address of the stack pointer's cell. JavaScript is called
   * where that is not so, or throws.
   */
  callInvoked(fn: number, table: number, stack: number, callee: number, code: number): void;
  /** The JavaScript function of a VMFunction; references cross as numbers. */
  createExport(fn: number, name: string): (...args: unknown[]) => unknown;
  /**
   * One that takes its arguments from the mailbox and leaves its results there. Where it calls imports of numbers it may be left for each: then the mailbox says
   * which is to be called (LIMIT.mailboxOutside), and `goOn` or `goOnThrown` follows.
   */
  createNumberExport(fn: number): () => void;
  /** The import that the innermost call was left for has returned, with its result in the mailbox. What comes of it is there as for the call itself. */
  goOn(): void;
  /** That import has thrown. */
  goOnThrown(value: unknown): void;
  /** Gives up so many of the innermost calls that were left, whose imports were terminated; where `over` is 1 only those that are surely no more on the stack. */
  abandon(count: number, over: number): void;
  /** Calls with a deadline in milliseconds (0: none). */
  invoke(fn: number, args: readonly unknown[], deadline: number): unknown;
  /**
   * Calls with raw values: arguments in 16-byte slots (i32 and f32 in the low 4 bytes, i64, f64 and references in 8, v128 in 16), at least
   * VMFunction.slots of them; results replace them.
   */
  invokeRaw(fn: number, slots: Uint8Array, deadline: number): void;

  /**
   * A function that calls the VMFunction so that it may be set aside. This and the functions below find in the mailbox what goes with the call: the continuation
   * (index, generation), what the resumption takes, values. They leave in it how that ended, the continuation that there is then, and results or the values of a
   * suspension.
   */
  createStarter(fn: number): () => void;
  /** Goes on with a parked continuation: the values are the results of its import. */
  settle(): void;
  /** Goes on with a parked continuation: its import throws. */
  settleThrow(reason: unknown): void;
  /**
   * Calls `run` as a turn with that number, and returns what it does. What it enters has a deadline that many milliseconds from now, 0 for none, beside those there are.
   */
  turn<T>(id: number, milliseconds: number, run: () => T): T;
  /**
   * The turn of that number that is under way is to end: once the import that runs has returned to it, a cancellation is thrown there; what imports inside have entered traps. False where there
   * is none. `between` is 1 where it is TypeScript that calls an import of it: then all that runs is what imports have entered.
   */
  endTurn(id: number, between: number): boolean;
  /** The same for the call that the event loop has gone on with, where that is part of no turn. */
  endRunning(): boolean;
  /** The tag of cancellations, which is there for ever. */
  cancelWith(tag: number): void;
  /** Whether the import that the addon is calling could wait for a promise; undefined where it is calling none. */
  canSuspend(): boolean | undefined;
  /** A fresh continuation of a function. */
  contNew(fn: number): void;
  /** A second continuation in the state of the one that the mailbox names; the mailbox names it then. */
  contClone(): void;
  /** Binds the values. Traps where the handle is stale, as the functions below. */
  contBind(): void;
  /** Resumes with the values. */
  contResume(): void;
  /** Throws a VMException into a continuation, parked or not. */
  contThrow(exception: number): void;
  /**
   * The cell's global is the pointer of the instance's shadow stack, which reaches from its value now down to `low`. Calls besides the first get slices of `size`
   * bytes of it. Both are multiples of 16.
   */
  sliceShadow(instance: number, cell: number, low: number, size: number, wide: number): void;
  /** The same, where they get blocks that two functions of the instance allocate and free. */
  allocateShadow(instance: number, cell: number, size: number, allocate: number, free: number, wide: number): void;
  /**
   * The same where it is not known how far the stack reaches: when an area is needed first, the VMFunction `end` is asked, unless it is 0, and else blocks come from the others, unless they are
   * 0. A `size` of 0 is that which is usual.
   */
  deferShadow(instance: number, cell: number, size: number, end: number, allocate: number, free: number, wide: number): void;
  /** The cell's global is the pointer of the instance's shadow stack; what a call has on it is moved away while it waits, and back when it goes on. */
  moveShadow(instance: number, cell: number, wide: number): void;
  /** These globals' cells hold the ends of the instance's stack, for checks of its own: they are told those of the area in use. */
  limitShadow(instance: number, base: number, end: number): void;
  /** Too little is known of the instance's shadow stack, LIMIT.shadow…: only one of its calls may wait at a time. */
  refuseShadow(instance: number, reason: number): void;
  /** Gives a continuation up, parked or not; false where its handle is stale. */
  contDrop(): boolean;
}

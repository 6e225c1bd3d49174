/**
 * The options of a thread's engine: what callers may say, and reading it.
 */
import { LIMIT } from '../generated/abi.js';
import { amount, atLeast, nested, oneOf, optionsOf } from '../source/options.js';

/** Where stacks come from (docs/stacks.md). */
export const STRATEGIES = ['pool', 'mmap', 'malloc', 'deferred', 'hibernate'] as const;
/** What lies below a stack. */
export const GUARDS = ['auto', 'kernel', 'software'] as const;

/** How stacks are made. Sizes in bytes. */
export interface StackOptions {
  /** `pool` unless said otherwise; `deferred` is another name of it, for every strategy waits for the first resume, and `hibernate` is the pool with no budget. */
  readonly strategy?: (typeof STRATEGIES)[number];
  /**
   * What a continuation's frames may take, at least 16 KiB. Unless said otherwise 1 MiB for the first 256 stacks, 256 KiB for 16,384 more and 64 KiB for those that live beyond: a
   * million large ones do not fit the address space.
   */
  readonly size?: number;
  /** `kernel`: a page that faults, without a memory map of its own (an error where the kernel cannot); `software`: the limit check of every function alone; `auto`: what there is. */
  readonly guard?: (typeof GUARDS)[number];
  /** Continuations that have stacks at a time, at least 1; 1,048,576. */
  readonly maximum?: number;
  /** Bytes that they may commit; half of what the process may use. */
  readonly memory?: number;
  /** Bytes that unused stacks may keep for reuse. */
  readonly warm?: number;
  /** Bytes that live stacks may commit before the suspended ones hibernate, the oldest first; half of `memory`. Infinity: none ever does by itself. */
  readonly budget?: number;
}

/** What objects may take: structures, arrays, exceptions, and what modules are made of. */
export interface HeapOptions {
  /** Bytes, at least 1 MiB; an eighth of what the process may use, which is the most. Where they are used up after a collection there is a trap. */
  readonly memory?: number;
}

/** Options of the thread's engine; set once, before the first instance. Sizes in bytes. */
export interface NativeOptions {
  /** How the stacks of continuations are made. */
  readonly stack?: StackOptions;
  /** What the frames of a call from JavaScript may take, at least 16 KiB; 1 MiB. */
  readonly entryStackSize?: number;
  /** How large the heap may become. */
  readonly heap?: HeapOptions;
  /** `always`: collect wherever that is possible, to test that nothing in use is freed. */
  readonly collect?: 'automatic' | 'always';
}

const HEAP_LEAST = 1 << 20;

/** What they are, by name. @internal */
export const nativeTable = {
  stack: nested({
    strategy: oneOf(STRATEGIES),
    size: atLeast(LIMIT.stackLeast),
    guard: oneOf(GUARDS),
    maximum: atLeast(1),
    memory: atLeast(LIMIT.stackLeast),
    warm: amount,
    budget: amount,
  }),
  entryStackSize: atLeast(LIMIT.stackLeast),
  heap: nested({ memory: atLeast(HEAP_LEAST) }),
  collect: oneOf(['automatic', 'always']),
};

/** Reads them. @internal */
export const nativeOptions = optionsOf('configure', nativeTable);

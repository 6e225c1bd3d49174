/**
 * Waiting and notifying, on the lists of JavaScript's `Atomics`: V8's modules, JavaScript and Heddle's modules wake each other.
 */

import { atomicNotify, atomicWait, Integers, Longs } from '../base/intrinsics.js';
import type { WebAssembly } from '../base/v8_types.js';
import { memoryBuffer } from '../errors/v8.js';

const OUTCOMES = { ok: 0, 'not-equal': 1, 'timed-out': 2 } as const;

/** Hook: waits at an address of a shared memory, for a value of 32 bits (a number) or 64 (a bigint). See `NativeHooks`. */
export function wait(memory: WebAssembly.Memory, address: number, expected: number | bigint, timeout: number): number {
  // Views of one element: a view of all of a large memory cannot be made everywhere.
  const outcome =
    typeof expected === 'bigint'
      ? atomicWait(new Longs(memoryBuffer(memory), address, 1), 0, expected, timeout)
      : atomicWait(new Integers(memoryBuffer(memory), address, 1), 0, expected, timeout);
  return OUTCOMES[outcome];
}

/** Hook: wakes who waits at an address. */
export function notify(memory: WebAssembly.Memory, address: number, count: number): number {
  return atomicNotify(new Integers(memoryBuffer(memory), address, 1), 0, count);
}

/**
 * Memories that V8's constructor does not make on every Node.
 */
import type { WebAssembly } from '../base/v8_types.js';
import { outOfRange, wrongArgument } from '../errors/catalog.js';
import { theEngine } from '../instance/engine.js';
import type { MappedMemory } from '../instance/mapped_memory.js';
import { newMemory, PAGE_SHIFT } from '../instance/memories.js';
import { anything, flag, oneOf, optionsOf, type Reader, shown } from '../source/options.js';
import { addressLimit, descriptorOf } from './value_types.js';

/** What {@link createMemory} takes. */
export interface MemoryDescriptor {
  /** Pages; a bigint where addresses have 64 bits. */
  readonly initial: number | bigint;
  /** Pages. */
  readonly maximum?: number | bigint;
  /** Whether other threads may have it as well. It needs a maximum then. */
  readonly shared?: boolean;
  /** The type of addresses; `i32` unless said otherwise. */
  readonly address?: 'i32' | 'i64';
  /** Bytes of a page: 65,536, or 1. */
  readonly pageSize?: number;
}

const pageSizeOption: Reader<1 | 65_536> = (value, name) => {
  if (value === 1 || value === 65_536) return value;
  throw wrongArgument(`the option ${name} must be 1 or 65536, not ${shown(value)}`);
};

const memoryOptions = optionsOf('createMemory', {
  // Whether these are bigints depends on the type of addresses.
  initial: anything,
  maximum: anything,
  shared: flag,
  address: oneOf(['i32', 'i64']),
  pageSize: pageSizeOption,
});

/**
 * Makes a memory, also with 64-bit addresses where V8 has none, and with pages of one byte. V8's own wherever V8 can make it; otherwise shaped like that.
 * Throws a TypeError for a wrong descriptor, a RangeError where maximum is below initial, a LinkError where there is no room.
 *
 * @example
 * ```js
 * import { createMemory } from 'heddle';
 *
 * const memory = createMemory({ initial: 1n, maximum: 4n, address: 'i64' });
 * console.log(memory.buffer.byteLength, memory.grow(1n)); // 65536 1n
 * ```
 */
export function createMemory(descriptor: MemoryDescriptor): WebAssembly.Memory | MappedMemory {
  const { initial, maximum, shared = false, address, pageSize = 65_536 } = memoryOptions(descriptorOf(descriptor));
  const memory64 = address === 'i64';
  const minimum = addressLimit(initial, memory64, 'initial');
  const bound = maximum === undefined ? null : addressLimit(maximum, memory64, 'maximum');
  if (bound !== null && bound < minimum) throw outOfRange('maximum is below initial');
  if (shared && bound === null) throw wrongArgument('a shared memory needs a maximum');
  const pageSizeLog2 = pageSize === 1 ? 0 : PAGE_SHIFT;
  return newMemory(theEngine(), { minimum, maximum: bound, shared, memory64, pageSizeLog2 }).memory;
}

/**
 * Memories that V8 cannot make: with 64-bit addresses before Node 24, or with pages of one byte.
 */

import { BigIntValue, bufferLength, NumberValue, trunc, uncurried } from '../base/intrinsics.js';
import type { WebAssembly } from '../base/v8_types.js';
import { outOfRange, wrongArgument } from '../errors/catalog.js';
import { memoryBuffer, V8 } from '../errors/v8.js';
import type { Native } from '../link/native.js';

/** How a mapped memory was declared. @internal */
export interface MappedMemoryType {
  readonly memory64: boolean;
  /** Binary logarithm of the page size. */
  readonly pageSizeLog2: number;
  /** In pages, null without bound. */
  readonly maximum: number | null;
}

/** What a value is where it is a mapped memory, and not only has its prototype; undefined for others. @internal */
export let aboutMapped: (value: unknown) => { readonly address: number; readonly type: MappedMemoryType } | undefined;

/**
 * Shaped like `WebAssembly.Memory`, and an instance of it by its prototype chain. `grow` takes and returns bigints where addresses have 64 bits, as the JS API
 * has it. What needs V8's own (`postMessage`, an instance of V8's, `node:wasi`) does not take it.
 */
export class MappedMemory {
  readonly #native: Native;
  /** Address of its VMMemory. */
  readonly #address: number;
  readonly #type: MappedMemoryType;
  /** The last that the addon gave. */
  #buffer: ArrayBuffer | undefined;

  /** @internal */
  constructor(native: Native, address: number, type: MappedMemoryType) {
    this.#native = native;
    this.#address = address;
    this.#type = type;
  }

  static {
    aboutMapped = (value) =>
      typeof value === 'object' && value !== null && #type in value ? { address: value.#address, type: value.#type } : undefined;
  }

  /** The bytes. Growing detaches it. */
  get buffer(): ArrayBuffer {
    // One that was detached has no bytes.
    if (this.#buffer === undefined || bufferLength(this.#buffer) === 0) this.#buffer = this.#native.mappedMemoryBuffer(this.#address);
    return this.#buffer;
  }

  /** Adds pages; returns how many there were. Throws a RangeError where it cannot. */
  grow(delta: number | bigint): number | bigint {
    const { memory64 } = this.#type;
    if (memory64 !== (typeof delta === 'bigint')) throw wrongArgument(`a ${memory64 ? 'bigint' : 'number'} is needed for delta`);
    const pages = NumberValue(delta);
    if (!(pages >= 0)) throw wrongArgument('delta must not be negative');
    const old = this.#native.mappedMemoryGrow(this.#address, trunc(pages));
    if (old < 0) throw outOfRange(`the memory cannot grow by ${delta} pages`);
    return memory64 ? BigIntValue(old) : old;
  }

  /** `WebAssembly.Memory`, as V8's own memories have it. */
  get [Symbol.toStringTag](): string {
    return 'WebAssembly.Memory';
  }
}

Object.setPrototypeOf(MappedMemory.prototype, V8.Memory.prototype);

/** @internal */
export const isMappedMemory = (value: unknown): value is MappedMemory => aboutMapped(value) !== undefined;
const mappedBytes = uncurried(Object.getOwnPropertyDescriptor(MappedMemory.prototype, 'buffer')?.get as () => ArrayBuffer);

/** The bytes of a memory of either kind, whatever stands on the object or its prototypes. @internal */
export function bufferOf(memory: WebAssembly.Memory | MappedMemory): ArrayBuffer | SharedArrayBuffer {
  return aboutMapped(memory) === undefined ? memoryBuffer(memory as WebAssembly.Memory) : (mappedBytes(memory) as ArrayBuffer);
}

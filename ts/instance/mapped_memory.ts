/**
 * Memories that V8 cannot make: with 64-bit addresses before Node 24, or with pages of one byte.
 */
import { outOfRange, wrongArgument } from '../errors/catalog.js';
import { V8 } from '../errors/v8.js';
import type { Native } from '../link/native.js';

/** How a mapped memory was declared. */
export interface MappedMemoryType {
  readonly memory64: boolean;
  /** Binary logarithm of the page size. */
  readonly pageSizeLog2: number;
  /** In pages, null without bound. */
  readonly maximum: number | null;
}

/**
 * Shaped like `WebAssembly.Memory`, and an instance of it by its prototype chain. `grow` takes and returns bigints where addresses have 64 bits, as the JS API
 * has it. What needs V8's own (`postMessage`, an instance of V8's, `node:wasi`) does not take it.
 */
export class MappedMemory {
  readonly #native: Native;
  /** Address of its VMMemory. @internal */
  readonly address: number;
  /** @internal */
  readonly type: MappedMemoryType;

  /** @internal */
  constructor(native: Native, address: number, type: MappedMemoryType) {
    this.#native = native;
    this.address = address;
    this.type = type;
    for (const name of ['address', 'type']) Object.defineProperty(this, name, { enumerable: false });
  }

  /** The bytes. Growing detaches it. */
  get buffer(): ArrayBuffer {
    return this.#native.mappedMemoryBuffer(this.address);
  }

  /** Adds pages; returns how many there were. Throws a RangeError where it cannot. */
  grow(delta: number | bigint): number | bigint {
    const { memory64 } = this.type;
    if (memory64 !== (typeof delta === 'bigint')) throw wrongArgument(`a ${memory64 ? 'bigint' : 'number'} is needed for delta`);
    const pages = Number(delta);
    if (!(pages >= 0)) throw wrongArgument('delta must not be negative');
    const old = this.#native.mappedMemoryGrow(this.address, Math.trunc(pages));
    if (old < 0) throw outOfRange(`the memory cannot grow by ${delta} pages`);
    return memory64 ? BigInt(old) : old;
  }

  get [Symbol.toStringTag](): string {
    return 'WebAssembly.Memory';
  }
}

Object.setPrototypeOf(MappedMemory.prototype, V8.Memory.prototype);

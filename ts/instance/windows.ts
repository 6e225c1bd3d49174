/**
 * The heap of WebAssembly's objects as TypeScript sees it: typed arrays over it, so that a global is read and written without a call of the addon's (decision 0024).
 * They reach everything in their part of the heap, so nothing here may come into the hands of users.
 */
import { Dictionary, Doubles, floor, Integers, Longs, mapGet, mapSet, Singles } from '../base/intrinsics.js';
import { LIMIT } from '../generated/abi.js';
import type { Native } from '../link/native.js';

/** A part of the heap. */
export class HeapWindow {
  readonly integers: Int32Array;
  readonly singles: Float32Array;
  readonly doubles: Float64Array;
  readonly longs: BigInt64Array;

  constructor(buffer: ArrayBuffer) {
    this.integers = new Integers(buffer);
    this.singles = new Singles(buffer);
    this.doubles = new Doubles(buffer);
    this.longs = new Longs(buffer);
  }
}

/** One thread's windows, made when first looked through. */
export class HeapWindows {
  readonly #native: Native;
  readonly #base: number;
  readonly #known = new Dictionary<number, HeapWindow>();
  /** V8 may make no ArrayBuffers over memory that is not its own. */
  #possible = true;

  constructor(native: Native) {
    this.#native = native;
    this.#base = native.heapBase();
  }

  /** The window in which an object of the heap begins; undefined where there are none. */
  at(address: number): HeapWindow | undefined {
    const index = floor((address - this.#base) / LIMIT.heapWindow);
    const known = mapGet(this.#known, index);
    if (known !== undefined || !this.#possible) return known;
    const buffer = this.#native.heapWindow(index);
    if (buffer === undefined) {
      this.#possible = false;
      return undefined;
    }
    const made = new HeapWindow(buffer);
    mapSet(this.#known, index, made);
    return made;
  }

  /** Where in its window an address lies, in bytes. */
  offset(address: number): number {
    return (address - this.#base) % LIMIT.heapWindow;
  }
}

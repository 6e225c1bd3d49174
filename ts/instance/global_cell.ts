/**
 * A global's value as JavaScript sees it, read and written through a window of the heap where there is one.
 */
import { cellOf, cellValue, loadCell, storeCell } from './cells.js';
import type { Engine } from './engine.js';
import { FunctionCache } from './functions/function_cache.js';
import type { GlobalObject } from './objects.js';
import type { HeapWindow } from './windows.js';

const I32 = 0x7f;
const I64 = 0x7e;
const F32 = 0x7d;
const F64 = 0x7c;
const WORD = 0x1_0000_0000;

/** The cell of one global, for as long as the object that stands for it is there. */
export class GlobalCell {
  readonly #engine: Engine;
  readonly #object: GlobalObject;
  readonly #offset: number;
  #window: HeapWindow | undefined;
  #cache: FunctionCache | undefined;

  constructor(engine: Engine, object: GlobalObject) {
    this.#engine = engine;
    this.#object = object;
    this.#offset = engine.windows.offset(object.address);
  }

  get value(): unknown {
    const window = this.#window ?? this.#open();
    if (window === undefined) return this.#fromAddon();
    const at = this.#offset;
    switch (this.#object.type) {
      case I32:
        return window.integers[at >> 2];
      case I64:
        return window.longs[at >> 3];
      case F32:
        return window.singles[at >> 2];
      case F64:
        return window.doubles[at >> 3];
      default:
        return this.#fromHalves(window.integers[at >> 2] as number, window.integers[(at >> 2) + 1] as number);
    }
  }

  /** Throws a TypeError for a value that does not fit. */
  set value(value: unknown) {
    const { type } = this.#object;
    const raw = this.#engine.convert.toWasm(type, value);
    // The value may be an object whose conversion ran code of users', but that frees no cell that an object here stands for.
    const window = this.#window ?? this.#open();
    if (window === undefined) {
      this.#toAddon(raw);
      return;
    }
    const at = this.#offset;
    switch (type) {
      // A stack pointer's cell has its bounds behind the value.
      case I32:
        window.integers[at >> 2] = raw as number;
        break;
      case I64:
        window.longs[at >> 3] = raw as bigint;
        break;
      case F32:
        window.singles[at >> 2] = raw as number;
        break;
      case F64:
        window.doubles[at >> 3] = raw as number;
        break;
      default:
        window.integers[at >> 2] = raw as number;
        window.integers[(at >> 2) + 1] = (raw as number) / WORD;
    }
  }

  #open(): HeapWindow | undefined {
    this.#window = this.#engine.windows.at(this.#object.address);
    return this.#window;
  }

  #fromHalves(low: number, high: number): unknown {
    const { convert, native } = this.#engine;
    const known = this.#cache?.get(0, low, high);
    if (known !== undefined) return known;
    // A vector is refused.
    const value = convert.fromWasm(this.#object.type, (low >>> 0) + (high >>> 0) * WORD);
    if (typeof value === 'function' && convert.isFunction(this.#object.type)) {
      this.#cache ??= new FunctionCache(native);
      this.#cache.put(0, low, high, value as () => unknown, 1);
    }
    return value;
  }

  #fromAddon(): unknown {
    const { address, type } = this.#object;
    const { convert, native } = this.#engine;
    return convert.fromWasm(type, cellValue(type, loadCell(native, address)));
  }

  #toAddon(raw: number | bigint): void {
    const { address, type } = this.#object;
    const { native } = this.#engine;
    const cell = cellOf(type, raw);
    if (type === I32) native.store(address, 'u32', cell[0]);
    else storeCell(native, address, cell);
  }
}

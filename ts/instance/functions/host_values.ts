/**
 * Values under `any` and `extern`, which are the same words (docs/decisions/0040): 0 is null, an i31 is odd, a JavaScript value is a handle, and all else is the address
 * of a structure or array. To JavaScript an i31 is a number, and a structure or array an object without properties, the same one for as long as JavaScript has it.
 */
import { createObject, freeze, isSame, NumberValue, ProxyObject, WeakDictionary, weakGet, weakSet } from '../../base/intrinsics.js';
import { wrongArgument } from '../../errors/catalog.js';
import { VMObject } from '../../generated/abi.js';
import type { Native } from '../../link/native.js';
import { HEAP } from '../../validate/registry.js';
import { EXTERN_MARK, type ExternTable } from './externs.js';

const I31_LIMIT = 2 ** 30;
/** Abstract heap types under `any` whose values may be i31. */
export const WITH_I31: ReadonlySet<number> = new Set([HEAP.any, HEAP.eq, HEAP.i31]);

const refused = (): never => {
  throw wrongArgument('a structure or array of WebAssembly has no properties, and none can be made or deleted');
};
const never = (): boolean => false;

/** What an object of WebAssembly has: nothing, and nothing can be added. One is enough for all. */
const NOTHING = freeze(createObject(null));
/** What differs from a frozen object without properties: the JS API has an object that throws where such a one does nothing. */
const HANDLER: ProxyHandler<object> = freeze({
  __proto__: null,
  set: refused,
  deleteProperty: refused,
  defineProperty: never,
  preventExtensions: never,
});

/** The word of a value that is an i31 to WebAssembly: an integer of 31 bits, and not -0. Undefined for others. */
export function i31Word(value: unknown): number | undefined {
  if (typeof value !== 'number' || (value | 0) !== value || value < -I31_LIMIT || value >= I31_LIMIT || isSame(value, -0)) return undefined;
  return ((value << 1) | 1) >>> 0;
}

/** One thread's values. */
export class HostValues {
  readonly #native: Native;
  readonly #externs: ExternTable;
  readonly #addresses = new WeakDictionary<object, number>();
  /** Whether JavaScript has ever had an object: programs without such pay for no search. */
  #any = false;

  constructor(native: Native, externs: ExternTable) {
    this.#native = native;
    this.#externs = externs;
  }

  /** The word of any value. Throws a RangeError where WebAssembly refers to too many. */
  word(value: unknown): number {
    if (value === null) return 0;
    return i31Word(value) ?? this.addressOf(value) ?? this.#externs.handle(value);
  }

  /** The value of a word that some WebAssembly has. */
  value(word: number): unknown {
    if (word >= EXTERN_MARK) return this.#externs.value(word);
    if (word === 0) return null;
    return word % 2 === 1 ? (word | 0) >> 1 : this.#objectAt(word);
  }

  /** The address of the structure or array that an object stands for; undefined for other values. */
  addressOf(value: unknown): number | undefined {
    return this.#any && typeof value === 'object' && value !== null ? weakGet(this.#addresses, value) : undefined;
  }

  /** Canonical type id of a structure or array. */
  typeOf(address: number): number {
    return NumberValue(this.#native.load(address + VMObject.type, 'u32'));
  }

  #objectAt(address: number): object {
    const known = this.#native.holder(address);
    if (known !== undefined) return known as object;
    const made = new ProxyObject(NOTHING, HANDLER);
    this.#any = true;
    weakSet(this.#addresses, made, address);
    this.#native.hold(address, made);
    return made;
  }
}

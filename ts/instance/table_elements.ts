/**
 * A table's elements as JavaScript sees them. They are read and written through a window over the table, and functions found in a cache, so that no call of the addon's is needed (decision 0024).
 */
import { bufferLength, Integers, NumberValue } from '../base/intrinsics.js';
import { outOfRange } from '../errors/catalog.js';
import { VMTable } from '../generated/abi.js';
import { concreteId, isNullable } from '../validate/registry.js';
import type { Engine } from './engine.js';
import type { ExportedFunction } from './functions/callable.js';
import { EXTERN_MARK } from './functions/externs.js';
import { FunctionCache } from './functions/function_cache.js';
import type { TableObject } from './objects.js';

const WORD = 0x1_0000_0000;
/** Bit of the upper half of a word that is the handle of a JavaScript value. */
const VALUE_BIT = EXTERN_MARK / WORD;
/** Accesses before a window is made, which costs as much as a dozen. */
const FIRST = 8;
const NOTHING = new Integers(0);

/** The elements of one table, for as long as the object that stands for it is there. */
export class TableElements {
  readonly #engine: Engine;
  readonly #object: TableObject;
  readonly #functions: boolean;
  readonly #externs: boolean;
  /** Mailbox.tables when length and base were asked for. */
  #epoch = -1;
  #length = 0;
  #base = 0;
  /** Two halves for each element; as many elements as `#viewed` says. */
  #words = NOTHING;
  #viewed = 0;
  #accesses = 0;
  /** V8 may make no ArrayBuffers over memory that is not its own. */
  #possible = true;
  #cache: FunctionCache | undefined;

  constructor(engine: Engine, object: TableObject) {
    this.#engine = engine;
    this.#object = object;
    this.#functions = engine.convert.isFunction(object.type);
    this.#externs = engine.convert.isExtern(object.type);
  }

  /** Elements now. */
  get length(): number {
    if (this.#epoch !== this.#engine.mailbox.tables) this.#renew();
    return this.#length;
  }

  /** The element at an index, an integer from 0. Throws a RangeError beyond the end. */
  get(index: number): unknown {
    this.#check(index);
    let low: number;
    let high: number;
    if (index < this.#viewed || this.#view(index)) {
      low = this.#words[2 * index] as number;
      high = this.#words[2 * index + 1] as number;
    } else {
      const word = NumberValue(this.#engine.native.load(this.#base + 8 * index, 'u64'));
      low = word | 0;
      high = (word / WORD) | 0;
    }
    if (this.#functions) {
      // Function first: a word that is 0 is in no cache.
      const known = this.#cache?.get(index, low, high);
      if (known !== undefined) return known;
    } else if (this.#externs) {
      if ((low | high) === 0) return null;
      if ((high & VALUE_BIT) !== 0) return this.#engine.externs.valueOfHalf(low);
    }
    return this.#other(index, low, high);
  }

  /** Whether an index is beyond the end is asked before a value is converted. Throws a RangeError where it is. */
  check(index: number): void {
    this.#check(index);
  }

  /** Sets the element at an index that was checked, or throws a TypeError for a value that does not fit. */
  set(index: number, value: unknown): void {
    const { type } = this.#object;
    const { convert, exports } = this.#engine;
    let word: number;
    if (value === null && isNullable(type) && (this.#functions || this.#externs)) word = 0;
    else if (this.#functions && concreteId(type) === 0) word = exports.addressOf(value) ?? convert.referenceToWasm(type, value);
    else word = convert.referenceToWasm(type, value);
    this.#store(index, word);
    // What was there may be in the cache, which would keep it.
    if (this.#functions && word !== 0) this.#note(index, word | 0, (word / WORD) | 0, value as ExportedFunction);
  }

  /** Sets the element at an index that was checked to the default of a type that has one. */
  setDefault(index: number): void {
    this.#store(index, this.#externs ? this.#engine.externs.handle(undefined) : 0);
  }

  #check(index: number): void {
    if (this.#epoch !== this.#engine.mailbox.tables) this.#renew();
    if (index >= this.#length) throw outOfRange(`index ${index} is beyond the table's ${this.#length} elements`);
  }

  #store(index: number, word: number): void {
    // To convert a value may run anything, which may have made the table longer: then it lies elsewhere.
    if (this.#epoch !== this.#engine.mailbox.tables) this.#renew();
    if (index < this.#viewed || this.#view(index)) {
      this.#words[2 * index] = word;
      this.#words[2 * index + 1] = word / WORD;
    } else {
      this.#engine.native.store(this.#base + 8 * index, 'u64', word);
    }
  }

  /** Null, what is in no cache, and types whose values do not cross. */
  #other(index: number, low: number, high: number): unknown {
    const value = this.#engine.convert.fromWasm(this.#object.type, (low >>> 0) + (high >>> 0) * WORD);
    if (this.#functions && value !== null) this.#note(index, low, high, value as ExportedFunction);
    return value;
  }

  #note(index: number, low: number, high: number, fn: ExportedFunction): void {
    // A table that is seldom looked at needs none.
    if (this.#cache === undefined && this.#possible && this.#accesses < FIRST) return;
    this.#cache ??= new FunctionCache(this.#engine.native);
    this.#cache.put(index, low, high, fn, this.#length);
  }

  /** A table has become longer or moved: perhaps this one. */
  #renew(): void {
    const { native, mailbox } = this.#engine;
    const { address } = this.#object;
    const base = NumberValue(native.load(address + VMTable.base, 'u64'));
    if (base !== this.#base) {
      this.#words = NOTHING;
      this.#viewed = 0;
    }
    this.#base = base;
    this.#length = NumberValue(native.load(address + VMTable.length, 'u64'));
    this.#epoch = mailbox.tables;
  }

  /** Makes a window that shows the element, where it is time and V8 makes one. */
  #view(index: number): boolean {
    if (!this.#possible || ++this.#accesses < FIRST) return false;
    const buffer = this.#engine.native.tableWindow(this.#object.address);
    if (buffer === undefined) {
      this.#possible = false;
      return false;
    }
    this.#words = new Integers(buffer);
    this.#viewed = bufferLength(buffer) / 8;
    return index < this.#viewed;
  }
}

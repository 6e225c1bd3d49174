/**
 * Functions that JavaScript has got lately, by the words that stand for them in a table or global: to ask the addon for one costs ten times as much. A function that is here keeps its
 * VMFunction, so its word means nothing else. All are let go of at each collection: what only a cache keeps, because WebAssembly has overwritten it since, goes then.
 */
import { append, Integers, min, setItem } from '../../base/intrinsics.js';
import type { Native } from '../../link/native.js';
import type { ExportedFunction } from './callable.js';

/** Functions that are kept at most. */
const MOST = 4096;
const NO_KEYS = new Integers(2);

/** The functions of one table, or of one global. */
export class FunctionCache {
  /** Two halves of a word for each place. */
  #keys = NO_KEYS;
  #functions: (ExportedFunction | undefined)[] = [undefined];
  /** Places less 1: one bit less than a power of two. */
  #mask = 0;

  constructor(native: Native) {
    native.noteCache(this);
  }

  /** The function of a word, given in halves as integers; undefined where it is not at the place of this index. */
  get(index: number, low: number, high: number): ExportedFunction | undefined {
    const place = index & this.#mask;
    return this.#keys[2 * place] === low && this.#keys[2 * place + 1] === high ? this.#functions[place] : undefined;
  }

  /** Notes a function of a list that has so many elements now. The word is not 0. */
  put(index: number, low: number, high: number, fn: ExportedFunction, length: number): void {
    if (this.#keys === NO_KEYS || (this.#mask < MOST - 1 && this.#mask < length - 1)) this.#enlarge(length);
    const place = index & this.#mask;
    this.#keys[2 * place] = low;
    this.#keys[2 * place + 1] = high;
    setItem(this.#functions, place, fn);
  }

  /** Lets go of all. */
  empty(): void {
    this.#keys = NO_KEYS;
    this.#functions = [undefined];
    this.#mask = 0;
  }

  #enlarge(length: number): void {
    let places = 1;
    while (places < min(length, MOST)) places *= 2;
    this.#keys = new Integers(2 * places);
    const functions: (ExportedFunction | undefined)[] = [];
    // Own elements, all of them: a setter on Array.prototype is not asked when they are written to.
    for (let place = 0; place < places; place++) append(functions, undefined);
    this.#functions = functions;
    this.#mask = places - 1;
  }
}

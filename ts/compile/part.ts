/**
 * Machine code of some functions with its tables, and how such parts become one: an `Assembly` places functions one after another, 32-byte aligned,
 * whatever the order of compilation was, so that the result does not depend on how many threads compiled.
 */
import { INLINED_ROW, moveLocation } from '../lower/function/locations.js';
import { moveScopes } from '../lower/function/scopes.js';
import type { Tables } from '../lower/lower.js';

/** Machine code and where it names functions. */
export interface MachineCode {
  readonly code: Uint8Array;
  /** [offset, kind, function number, addend]* */
  readonly relocations: Int32Array;
}

/** What a compile returns (contract/formats.md, section 6). All offsets are relative to `code`. */
export interface CompiledCode extends MachineCode {
  /** [number, offset, size]*, by offset */
  readonly functions: Int32Array;
  /** [offset, trap code]*, by offset */
  readonly traps: Int32Array;
  /** [offset, location]*: start of each range, by offset. Locations as in lower/locations.ts. */
  readonly sources: Int32Array;
  /** [return offset, frame offset or -1, context SP offset or -1, n, (scope, handler offset)*n]*, by return offset */
  readonly calls: Int32Array;
  /** [return offset, frame span, n, SP offsets…]*, by return offset */
  readonly stackMaps: Int32Array;
}

/** Compiled functions with everything that belongs to them: what a worker thread sends. */
export interface Part extends CompiledCode, Tables {}

/** Functions begin at multiples of this. */
export const FUNCTION_ALIGNMENT = 32;

/** An Int32Array that grows. */
export class Words {
  #words: Int32Array;
  #length = 0;

  /** With room for so many words. */
  constructor(expected = 256) {
    this.#words = new Int32Array(expected);
  }

  get length(): number {
    return this.#length;
  }

  /** Room for `count` more words; returns where they begin. */
  reserve(count: number): number {
    const start = this.#length;
    if (start + count > this.#words.length) {
      const grown = new Int32Array(Math.max(start + count, this.#words.length * 2));
      grown.set(this.#words.subarray(0, start));
      this.#words = grown;
    }
    this.#length = start + count;
    return start;
  }

  push(a: number, b: number): void {
    const at = this.reserve(2);
    this.#words[at] = a;
    this.#words[at + 1] = b;
  }

  /** Appends rows of `width` words; `base` is added to the words of `columns`. */
  rows(source: Int32Array, width: number, columns: readonly number[], base: number): void {
    const at = this.reserve(source.length);
    this.#words.set(source, at);
    for (const column of columns) {
      for (let i = at + column; i < this.#length; i += width) this.#words[i] = word(this.#words, i) + base;
    }
  }

  /** The words so far; the array changes when more are added. */
  view(): Int32Array {
    return this.#words.subarray(0, this.#length);
  }

  /** The words, in an array of their own; then there are none here, but mostly room for as many. */
  take(): Int32Array {
    const isFull = this.#length === this.#words.length;
    const taken = isFull ? this.#words : this.#words.slice(0, this.#length);
    if (isFull) this.#words = new Int32Array(0);
    this.#length = 0;
    return taken;
  }
}

/** Element `i` of a typed array that is known to have it. */
export function word(words: Int32Array | Uint32Array | Uint8Array, i: number): number {
  const value = words[i];
  if (value === undefined) throw new RangeError(`no word ${i} of ${words.length}`);
  return value;
}

/** Places parts behind each other; `start` bytes in front stay free. */
export class Assembly {
  readonly #start: number;
  #code: Uint8Array;
  #size: number;
  readonly #functions: Words;
  readonly #relocations: Words;
  readonly #traps: Words;
  readonly #sources: Words;
  readonly #calls: Words;
  readonly #stackMaps: Words;
  readonly #inlined: Words;
  readonly #scopes: Words;

  /** With room for so many bytes of code, and the tables of these parts. */
  constructor(start = 0, expected = 65_536, parts?: readonly Part[]) {
    const words = (table: (part: Part) => Int32Array): Words =>
      parts === undefined ? new Words() : new Words(parts.reduce((sum, part) => sum + table(part).length, 0));
    this.#start = start;
    this.#size = start;
    this.#code = new Uint8Array(start + expected);
    this.#functions = words((part) => part.functions);
    this.#relocations = words((part) => part.relocations);
    this.#traps = words((part) => part.traps);
    this.#sources = words((part) => part.sources);
    this.#calls = words((part) => part.calls);
    this.#stackMaps = words((part) => part.stackMaps);
    this.#inlined = words((part) => part.inlined);
    this.#scopes = words((part) => part.scopes);
  }

  /** Adds code and tables behind what is there; `tables` are what the code names by number. */
  add(part: CompiledCode, { inlined, scopes }: Tables): void {
    const end = this.#size;
    const base = align(end);
    this.#size = base + part.code.length;
    if (this.#size > this.#code.length) {
      const grown = new Uint8Array(Math.max(this.#size, this.#code.length * 2));
      grown.set(this.#code);
      this.#code = grown;
    }
    // Another part may have had code there.
    this.#code.fill(0, end, base);
    this.#code.set(part.code, base);
    this.#functions.rows(part.functions, 3, [1], base);
    this.#relocations.rows(part.relocations, 4, [0], base);
    this.#traps.rows(part.traps, 2, [0], base);
    this.#addLocations(part.sources, inlined, base);
    this.#addCalls(part.calls, scopes, base);
    this.#addStackMaps(part.stackMaps, base);
  }

  /** Everything as one part. What comes then is another part: that needs no new memory until it is larger. */
  finish(): Part {
    const isFull = this.#size === this.#code.length;
    const code = isFull ? this.#code : this.#code.slice(0, this.#size);
    if (isFull) this.#code = new Uint8Array(this.#start);
    this.#size = this.#start;
    return {
      code,
      functions: this.#functions.take(),
      relocations: this.#relocations.take(),
      traps: this.#traps.take(),
      sources: this.#sources.take(),
      calls: this.#calls.take(),
      stackMaps: this.#stackMaps.take(),
      inlined: this.#inlined.take(),
      scopes: this.#scopes.take(),
    };
  }

  #addLocations(sources: Int32Array, inlined: Int32Array, base: number): void {
    const before = this.#inlined.length / INLINED_ROW;
    this.#sources.rows(sources, 2, [0], base);
    this.#inlined.rows(inlined, INLINED_ROW, [], 0);
    if (inlined.length === 0) return;
    moveLocations(this.#sources.view().subarray(-sources.length), 2, 1, before);
    moveLocations(this.#inlined.view().subarray(-inlined.length), INLINED_ROW, 2, before);
  }

  #addCalls(calls: Int32Array, scopes: Int32Array, base: number): void {
    const before = this.#scopes.length;
    this.#scopes.rows(scopes, 1, [], 0);
    moveScopes(this.#scopes.view().subarray(before), before);
    const at = this.#calls.reserve(calls.length);
    const words = this.#calls.view();
    words.set(calls, at);
    for (let i = at; i < words.length; ) {
      words[i] = word(words, i) + base;
      const handlers = word(words, i + 3);
      i += 4;
      for (let h = 0; h < handlers; h++, i += 2) {
        words[i] = word(words, i) + before;
        words[i + 1] = word(words, i + 1) + base;
      }
    }
  }

  #addStackMaps(maps: Int32Array, base: number): void {
    const at = this.#stackMaps.reserve(maps.length);
    const words = this.#stackMaps.view();
    words.set(maps, at);
    for (let i = at; i < words.length; i += 3 + word(words, i + 2)) words[i] = word(words, i) + base;
  }
}

/** All parts as one, behind `start` free bytes. Takes them out of the list: no more of them is in memory than has to be. */
export function assemble(start: number, parts: Part[]): Part {
  const end = parts.reduce((size, part) => align(size) + part.code.length, start);
  const assembly = new Assembly(start, end - start, parts);
  for (let part = parts.shift(); part !== undefined; part = parts.shift()) assembly.add(part, part);
  return assembly.finish();
}

/** Moves locations of a part, and its rows of inlined ones, behind `before` other rows. */
export function moveInlined(sources: Int32Array, inlined: Int32Array, before: number): void {
  if (before === 0 || inlined.length === 0) return;
  moveLocations(sources, 2, 1, before);
  moveLocations(inlined, INLINED_ROW, 2, before);
}

/** Moves the locations in a column of rows behind `before` rows of inlined locations. */
function moveLocations(rows: Int32Array, width: number, column: number, before: number): void {
  for (let i = column; i < rows.length; i += width) rows[i] = moveLocation(word(rows, i), before);
}

/** The next function's offset. */
function align(offset: number): number {
  return Math.ceil(offset / FUNCTION_ALIGNMENT) * FUNCTION_ALIGNMENT;
}

/** Buffers to transfer with a part that is sent to another thread. */
export function transferList(part: Part): ArrayBuffer[] {
  return [part.code, part.functions, part.relocations, part.traps, part.sources, part.calls, part.stackMaps, part.inlined, part.scopes].map(
    (a) => a.buffer as ArrayBuffer,
  );
}

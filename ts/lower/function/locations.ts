/**
 * Locations of inlined operators. The location of an operator of the function itself is its byte offset in the module; one of a callee that was inlined needs
 * the place of the call as well. It is a number below -1 that names a row of a table: `-2 - row`.
 */
import { append, Dictionary, each, integersOf, mapGet, mapSet } from '../../base/intrinsics.js';

/** Words of a row: function index of the callee, byte offset of the operator in the module, location of the call. */
export const INLINED_ROW = 3;
const FIRST = -2;

/** The row that a location names; undefined for a byte offset, and for -1, which is no location. */
export function inlinedRow(location: number): number | undefined {
  return location <= FIRST ? FIRST - location : undefined;
}

/** The same location where `rows` rows stand in front of the table. */
export function moveLocation(location: number, rows: number): number {
  return location <= FIRST ? location - rows : location;
}

/** The table of a program's functions, while they are lowered. */
export class InlinedLocations {
  readonly #words: number[] = [];
  readonly #known = new Dictionary<string, number>();

  /** The location of the operator at `offset` of `callee`, which the call at location `call` was replaced with. */
  number(callee: number, offset: number, call: number): number {
    const key = `${callee},${offset},${call}`;
    const known = mapGet(this.#known, key);
    if (known !== undefined) return known;
    const location = FIRST - this.#words.length / INLINED_ROW;
    each([callee, offset, call], (word) => append(this.#words, word));
    mapSet(this.#known, key, location);
    return location;
  }

  /** The table. */
  table(): Int32Array {
    return integersOf(this.#words);
  }
}

/** Value types that are told apart where values are text. */

import type { CellWords } from '../../instance/cells.js';
import { typeName } from '../../instance/messages/type_text.js';
import type { ValueType } from '../../validate/description.js';

export const I32 = 0x7f;
export const I64 = 0x7e;
export const F32 = 0x7d;
export const F64 = 0x7c;
export const V128 = 0x7b;

/** A type with its article: `an i32`, `a v128`. */
export function aType(type: ValueType): string {
  const name = typeName(type);
  return `${/^([aeiou]|f\d)/.test(name) ? 'an' : 'a'} ${name}`;
}

/** What a vector may be written as: how many lanes, and of which type each. */
export interface Shape {
  readonly lanes: number;
  /** Bits of a lane. */
  readonly bits: number;
  readonly float: boolean;
}

const shape = (lanes: number, float = false): Shape => ({ lanes, bits: 128 / lanes, float });

/** Shapes by the names that the text format has for them. */
export const SHAPES: Readonly<Record<string, Shape>> = {
  i8x16: shape(16),
  i16x8: shape(8),
  i32x4: shape(4),
  i64x2: shape(2),
  f32x4: shape(4, true),
  f64x2: shape(2, true),
};

/** A 128-bit number as four words. */
export function cellOfBits(bits: bigint): CellWords {
  const word = (i: number): number => Number((bits >> BigInt(32 * i)) & 0xffff_ffffn);
  return [word(0), word(1), word(2), word(3)];
}

/**
 * 16-byte cells: globals, and values of constant expressions, as four words.
 */
import { asIntN, asUintN, BigIntValue, each, floor, NumberValue } from '../base/intrinsics.js';
import type { Native } from '../link/native.js';
import type { ValueType } from '../validate/description.js';
import { isReference } from '../validate/registry.js';

/** A value of any type as four little-endian words. */
export type CellWords = readonly [number, number, number, number];

/** The zero of every type, and the null of every reference. */
export const ZERO_CELL: CellWords = [0, 0, 0, 0];

/** A 64-bit word from an address or index below 2^53. */
export function cellOfNumber(value: number): CellWords {
  return [value >>> 0, floor(value / 0x1_0000_0000), 0, 0];
}

/** The number in the low 64 bits; exact below 2^53. */
export function numberOfCell(cell: CellWords): number {
  return cell[0] + cell[1] * 0x1_0000_0000;
}

/** A 64-bit integer. */
export function cellOfBigInt(value: bigint): CellWords {
  return [NumberValue(value & 0xffff_ffffn), NumberValue((value >> 32n) & 0xffff_ffffn), 0, 0];
}

/** The low 64 bits, unsigned. */
export function bigIntOfCell(cell: CellWords): bigint {
  return BigIntValue(cell[0]) | (BigIntValue(cell[1]) << 32n);
}

/** Reads the cell at an address. */
export function loadCell(native: Native, address: number): CellWords {
  const word = (i: number): number => NumberValue(native.load(address + 4 * i, 'u32'));
  return [word(0), word(1), word(2), word(3)];
}

/** Writes the cell at an address. */
export function storeCell(native: Native, address: number, cell: CellWords): void {
  each(cell, (word, i) => native.store(address + 4 * i, 'u32', word));
}

// The same eight bytes. Both ISAs are little-endian.
const bits = new Uint32Array(2);
const single = new Float32Array(bits.buffer);
const double = new Float64Array(bits.buffer);

/** A JavaScript number, bigint or reference word as a cell of a type. */
export function cellOf(type: ValueType, value: number | bigint): CellWords {
  if (isReference(type)) return cellOfNumber(NumberValue(value));
  switch (type) {
    case 0x7e:
      return cellOfBigInt(asUintN(64, value as bigint));
    case 0x7d:
      single[0] = NumberValue(value);
      return [bits[0] as number, 0, 0, 0];
    case 0x7c:
      double[0] = NumberValue(value);
      return [bits[0] as number, bits[1] as number, 0, 0];
    default:
      return [NumberValue(value) >>> 0, 0, 0, 0];
  }
}

/** A cell's value as a JavaScript number, bigint or reference word. */
export function cellValue(type: ValueType, cell: CellWords): number | bigint {
  if (isReference(type)) return numberOfCell(cell);
  switch (type) {
    case 0x7e:
      return asIntN(64, bigIntOfCell(cell));
    case 0x7d:
      bits[0] = cell[0];
      return single[0] as number;
    case 0x7c:
      bits[0] = cell[0];
      bits[1] = cell[1];
      return double[0] as number;
    default:
      return cell[0] | 0;
  }
}

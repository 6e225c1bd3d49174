/**
 * 16-byte cells: globals, and values of constant expressions, as four words.
 */
import type { Native } from '../link/native.js';
import type { ValueType } from '../validate/description.js';
import { isReference } from '../validate/registry.js';

/** A value of any type as four little-endian words. */
export type CellWords = readonly [number, number, number, number];

/** The zero of every type, and the null of every reference. */
export const ZERO_CELL: CellWords = [0, 0, 0, 0];

/** A 64-bit word from an address or index below 2^53. */
export function cellOfNumber(value: number): CellWords {
  return [value >>> 0, Math.floor(value / 0x1_0000_0000), 0, 0];
}

/** The number in the low 64 bits; exact below 2^53. */
export function numberOfCell(cell: CellWords): number {
  return cell[0] + cell[1] * 0x1_0000_0000;
}

/** A 64-bit integer. */
export function cellOfBigInt(value: bigint): CellWords {
  return [Number(value & 0xffff_ffffn), Number((value >> 32n) & 0xffff_ffffn), 0, 0];
}

/** The low 64 bits, unsigned. */
export function bigIntOfCell(cell: CellWords): bigint {
  return BigInt(cell[0]) | (BigInt(cell[1]) << 32n);
}

/** Reads the cell at an address. */
export function loadCell(native: Native, address: number): CellWords {
  const word = (i: number): number => Number(native.load(address + 4 * i, 'u32'));
  return [word(0), word(1), word(2), word(3)];
}

/** Writes the cell at an address. */
export function storeCell(native: Native, address: number, cell: CellWords): void {
  cell.forEach((word, i) => native.store(address + 4 * i, 'u32', word));
}

const scratch = new DataView(new ArrayBuffer(8));

/** A JavaScript number, bigint or reference word as a cell of a type. */
export function cellOf(type: ValueType, value: number | bigint): CellWords {
  if (isReference(type)) return cellOfNumber(Number(value));
  switch (type) {
    case 0x7e:
      return cellOfBigInt(BigInt.asUintN(64, value as bigint));
    case 0x7d:
      scratch.setFloat32(0, Number(value), true);
      return [scratch.getUint32(0, true), 0, 0, 0];
    case 0x7c:
      scratch.setFloat64(0, Number(value), true);
      return [scratch.getUint32(0, true), scratch.getUint32(4, true), 0, 0];
    default:
      return [Number(value) >>> 0, 0, 0, 0];
  }
}

/** A cell's value as a JavaScript number, bigint or reference word. */
export function cellValue(type: ValueType, cell: CellWords): number | bigint {
  if (isReference(type)) return numberOfCell(cell);
  switch (type) {
    case 0x7e:
      return BigInt.asIntN(64, bigIntOfCell(cell));
    case 0x7d:
      scratch.setUint32(0, cell[0], true);
      return scratch.getFloat32(0, true);
    case 0x7c:
      scratch.setUint32(0, cell[0], true);
      scratch.setUint32(4, cell[1], true);
      return scratch.getFloat64(0, true);
    default:
      return cell[0] | 0;
  }
}

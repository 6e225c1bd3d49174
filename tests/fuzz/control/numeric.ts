/**
 * The numeric instructions, as functions of their operands in order.
 */
import { Trap } from './outcomes.js';
import type { NumericName } from './program.js';
import type { Value } from './values.js';

const i32 = (value: Value | undefined): number => value as number;
const i64 = (value: Value | undefined): bigint => value as bigint;
const lane = (value: Value | undefined, index: bigint): bigint => BigInt.asIntN(64, (value as bigint) >> (64n * index));

function divide(a: number, b: number): number {
  if (b === 0) throw new Trap('division by zero');
  if (a === -(2 ** 31) && b === -1) throw new Trap('integer overflow');
  return Math.trunc(a / b) | 0;
}

type Operation = readonly [operands: number, compute: (operands: readonly Value[]) => Value];

/** How many operands each takes, and what it makes of them. */
export const NUMERIC: Readonly<Record<NumericName, Operation>> = {
  'i32.eqz': [1, ([a]) => Number(i32(a) === 0)],
  'i32.lt_s': [2, ([a, b]) => Number(i32(a) < i32(b))],
  'i32.add': [2, ([a, b]) => (i32(a) + i32(b)) | 0],
  'i32.mul': [2, ([a, b]) => Math.imul(i32(a), i32(b))],
  'i32.and': [2, ([a, b]) => i32(a) & i32(b)],
  'i32.xor': [2, ([a, b]) => i32(a) ^ i32(b)],
  'i32.div_s': [2, ([a, b]) => divide(i32(a), i32(b))],
  'i64.add': [2, ([a, b]) => BigInt.asIntN(64, i64(a) + i64(b))],
  'i64.mul': [2, ([a, b]) => BigInt.asIntN(64, i64(a) * i64(b))],
  'i64.xor': [2, ([a, b]) => i64(a) ^ i64(b)],
  'i32.wrap_i64': [1, ([a]) => Number(BigInt.asIntN(32, i64(a)))],
  'i64.extend_i32_s': [1, ([a]) => BigInt(i32(a))],
  'f32.neg': [1, ([a]) => -i32(a)],
  'f64.neg': [1, ([a]) => -i32(a)],
  'i64x2.extract_lane 0': [1, ([a]) => lane(a, 0n)],
  'i64x2.extract_lane 1': [1, ([a]) => lane(a, 1n)],
  'v128.xor': [2, ([a, b]) => i64(a) ^ i64(b)],
};

/** Arguments of `--invoke`: text to values. */
import { wrongArgument } from '../../errors/catalog.js';
import { type CellWords, ZERO_CELL } from '../../instance/cells.js';
import { WITH_I31 } from '../../instance/functions/host_values.js';
import type { ValueType } from '../../validate/description.js';
import { abstractHeap } from '../../validate/registry.js';
import { floatBits } from './float.js';
import { aType, cellOfBits, F32, F64, I32, I64, SHAPES, V128 } from './types.js';

/** An argument of a type from the command line, as a cell. Throws a TypeError with code HEDDLE_ARGUMENT. */
export function parseValue(text: string, type: ValueType): CellWords {
  switch (type) {
    case I32:
      return cellOfBits(integer(text, 32, 'i32'));
    case I64:
      return cellOfBits(integer(text, 64, 'i64'));
    case F32:
      return cellOfBits(floatBits(text, 32));
    case F64:
      return cellOfBits(floatBits(text, 64));
    case V128:
      return vector(text);
    default:
      if (text === 'null') return ZERO_CELL;
      // A number is an i31 wherever one fits.
      if (WITH_I31.has(abstractHeap(type))) return cellOfBits((BigInt.asUintN(31, integer(text, 31, 'i31')) << 1n) | 1n);
      throw wrongArgument(`${JSON.stringify(text)} cannot be ${aType(type)}: only null can be given on the command line`);
  }
}

/** The bits of a decimal or hexadecimal integer, signed or unsigned, that fits. */
function integer(text: string, bits: number, type: string): bigint {
  const match = /^([+-]?)(0[xX][0-9a-fA-F]+(?:_[0-9a-fA-F]+)*|\d+(?:_\d+)*)$/.exec(text);
  if (match === null) throw wrongArgument(`${JSON.stringify(text)} is not an ${type}`);
  const value = BigInt((match[2] ?? '0').replaceAll('_', '')) * (match[1] === '-' ? -1n : 1n);
  if (value >= 1n << BigInt(bits) || value < -(1n << BigInt(bits - 1))) throw wrongArgument(`${text} does not fit an ${type}`);
  return BigInt.asUintN(bits, value);
}

/** `i32x4:1,2,3,4`, or as the text format has it: `v128.const i32x4 1 2 3 4`, with or without the first word. */
function vector(text: string): CellWords {
  const match = /^\s*(?:v128\.const\s+)?([if]\d+x\d+)\s*[:\s]\s*(.*?)\s*$/.exec(text);
  const [, name = '', list = ''] = match ?? [];
  const shape = Object.hasOwn(SHAPES, name) ? SHAPES[name] : undefined;
  if (shape === undefined) {
    throw wrongArgument(
      `${JSON.stringify(text)} is not a v128: it is written as i32x4:1,2,3,4; the shapes are ${Object.keys(SHAPES).join(', ')}`,
    );
  }
  const lanes = list.split(/\s*,\s*|\s+/).filter((lane) => lane !== '');
  if (lanes.length !== shape.lanes) throw wrongArgument(`${name} has ${shape.lanes} lanes, ${lanes.length} given`);
  const { bits, float } = shape;
  const one = (lane: string): bigint => (float ? floatBits(lane, bits === 32 ? 32 : 64) : integer(lane, bits, `i${bits}`));
  return cellOfBits(lanes.reduce((sum, lane, i) => sum | (one(lane) << BigInt(bits * i)), 0n));
}

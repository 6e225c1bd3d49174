/** Arguments and results of `--invoke`, as text. */

import { typeName } from '../api/value_types.js';
import { wrongArgument } from '../errors/catalog.js';
import type { ValueType } from '../validate/description.js';

const I32 = 0x7f;
const I64 = 0x7e;
const F32 = 0x7d;
const F64 = 0x7c;

/** An argument of a type from the command line. */
export function parseValue(text: string, type: ValueType): unknown {
  switch (type) {
    case I32:
      return Number(integer(text, 32, 'i32'));
    case I64:
      return integer(text, 64, 'i64');
    case F32:
      return Math.fround(float(text, 'f32'));
    case F64:
      return float(text, 'f64');
    default:
      if (text === 'null') return null;
      throw wrongArgument(`${JSON.stringify(text)} cannot be a ${typeName(type)}: only null can be given on the command line`);
  }
}

/** A decimal or hexadecimal integer, signed or unsigned, that fits. */
function integer(text: string, bits: number, type: string): bigint {
  const match = /^([+-]?)(\d+|0[xX][0-9a-fA-F]+)$/.exec(text);
  if (match === null) throw wrongArgument(`${JSON.stringify(text)} is not an ${type}`);
  const value = BigInt(match[2] ?? '0') * (match[1] === '-' ? -1n : 1n);
  if (value >= 1n << BigInt(bits) || value < -(1n << BigInt(bits - 1))) throw wrongArgument(`${text} does not fit an ${type}`);
  return BigInt.asIntN(bits, value);
}

function float(text: string, type: string): number {
  const special = /^([+-]?)(inf|infinity|nan)$/i.exec(text);
  if (special !== null) {
    const value = (special[2] ?? '').toLowerCase() === 'nan' ? Number.NaN : Number.POSITIVE_INFINITY;
    return special[1] === '-' ? -value : value;
  }
  const value = Number(text);
  if (text.trim() === '' || Number.isNaN(value)) throw wrongArgument(`${JSON.stringify(text)} is not an ${type}`);
  return value;
}

/** A result as text: one line. */
export function showValue(value: unknown): string {
  if (typeof value === 'number') {
    if (Object.is(value, -0)) return '-0';
    return Number.isFinite(value) || Number.isNaN(value) ? String(value).toLowerCase() : value > 0 ? 'inf' : '-inf';
  }
  if (typeof value === 'function') return 'funcref';
  if (typeof value === 'bigint') return String(value);
  return value === null ? 'null' : 'externref';
}

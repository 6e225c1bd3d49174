/** Arguments and results of `--invoke`, as text. */

import '../api/exception.js'; // What exceptions are to JavaScript.
import { wrongArgument } from '../errors/catalog.js';
import { type CellWords, cellValue, loadCell } from '../instance/cells.js';
import { theEngine } from '../instance/engine.js';
import { exceptionOf, exceptionSlot } from '../instance/exceptions.js';
import { typeName } from '../instance/messages/type_text.js';
import type { ValueType } from '../validate/description.js';
import { isReference } from '../validate/registry.js';

const I32 = 0x7f;
const I64 = 0x7e;
const F32 = 0x7d;
const F64 = 0x7c;
const V128 = 0x7b;

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

/** An exception of WebAssembly's, with its tag's name and its values; undefined for everything else. */
export function showException(value: unknown): string | undefined {
  const object = exceptionOf(value);
  if (object === undefined) return undefined;
  const { native, tags, types } = theEngine();
  const { params } = types.type(object.tag.type);
  const values = params.map((type, i) => showCell(type, loadCell(native, exceptionSlot(object.address, i))));
  return `uncaught exception ${tags.nameOf(object.tag.address)}(${values.join(', ')})`;
}

function showCell(type: ValueType, cell: CellWords): string {
  if (isReference(type)) return cellValue(type, cell) === 0 ? 'null' : typeName(type);
  if (type === V128) return cell.map((word) => `0x${word.toString(16).padStart(8, '0')}`).join(' ');
  return showValue(cellValue(type, cell));
}

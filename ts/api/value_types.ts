/**
 * Value types as the JS API spells them.
 */
import { asIntN, isFiniteNumber, mapGet, NumberValue, trunc } from '../base/intrinsics.js';
import { wrongArgument } from '../errors/catalog.js';
import type { ExportedFunction } from '../instance/functions/callable.js';
import { shown } from '../source/options.js';
import type { ValueType } from '../validate/description.js';

/** What JavaScript sees of the values of each type that a Global may be made of. */
export interface ValueTypeMap {
  /** 32-bit integers, from -2^31 to 2^31 - 1. */
  readonly i32: number;
  /** 64-bit integers, from -2^63 to 2^63 - 1. */
  readonly i64: bigint;
  /** Numbers of 32 bits. */
  readonly f32: number;
  /** Numbers of 64 bits. */
  readonly f64: number;
  /** Vectors do not cross to JavaScript. */
  readonly v128: never;
  /** Functions that WebAssembly exports. */
  readonly funcref: ExportedFunction | null;
  /** Another name of `funcref`. */
  readonly anyfunc: ExportedFunction | null;
  /** Any value of JavaScript. */
  // biome-ignore lint/suspicious/noExplicitAny: as in TypeScript's own declarations of the JS API
  readonly externref: any;
  /** Objects of WebAssembly's, which are opaque, integers of 31 bits, and any value of JavaScript. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  readonly anyref: any;
  /** What `ref.eq` compares: opaque objects, and integers of 31 bits. */
  readonly eqref: object | number | null;
  /** Integers of 31 bits, from -2^30 to 2^30 - 1. */
  readonly i31ref: number | null;
  /** Opaque objects that have fields. */
  readonly structref: object | null;
  /** Opaque objects that have elements. */
  readonly arrayref: object | null;
}

/** The names of value types. */
export type ValueTypeName = keyof ValueTypeMap;

const NULLABLE = 0xc000_0000;

const BY_NAME = new Map<string, ValueType>([
  ['i32', 0x7f],
  ['i64', 0x7e],
  ['f32', 0x7d],
  ['f64', 0x7c],
  ['v128', 0x7b],
  ['funcref', (NULLABLE | 0x70) >>> 0],
  ['anyfunc', (NULLABLE | 0x70) >>> 0],
  ['externref', (NULLABLE | 0x6f) >>> 0],
  // As V8 has them, though the JS API does not.
  ['anyref', (NULLABLE | 0x6e) >>> 0],
  ['eqref', (NULLABLE | 0x6d) >>> 0],
  ['i31ref', (NULLABLE | 0x6c) >>> 0],
  ['structref', (NULLABLE | 0x6b) >>> 0],
  ['arrayref', (NULLABLE | 0x6a) >>> 0],
]);

/** The type of a name; throws a TypeError for others. @internal */
export function typeByName(name: unknown, member: string): ValueType {
  const text = `${name as string}`; // Throws a TypeError for symbols.
  const type = mapGet(BY_NAME, text);
  if (type === undefined)
    throw wrongArgument(
      `${shown(text)} is not a value type: ${member} is i32, i64, f32, f64, v128, funcref, externref, anyref, eqref, i31ref, structref or arrayref`,
    );
  return type;
}

/** A limit of a descriptor: [EnforceRange] unsigned long. @internal */
export function limit(value: unknown, what: string): number {
  const number = trunc(+(value as number)); // Throws a TypeError for bigints and symbols.
  if (!isFiniteNumber(number) || number < 0 || number > 0xffff_ffff) throw wrongArgument(`${what} must be from 0 to 4294967295`);
  return number;
}

/** No bigint has more: so this many change none. */
const MOST_BITS = 2 ** 30;

/**
 * A limit of a descriptor, or an index, of a memory or table: what converts to a bigint where addresses have 64 bits (`wide`), which
 * numbers do not. Exact below 2^53.
 * @internal
 */
export function addressLimit(value: unknown, wide: boolean, what: string): number {
  if (!wide) return limit(value, what);
  const exact = asIntN(MOST_BITS, value as bigint); // ToBigInt: throws a TypeError for numbers, a SyntaxError for text that is none.
  if (exact < 0n || exact >= 1n << 64n) throw wrongArgument(`${what} must be a bigint from 0 to 2^64 - 1`);
  return NumberValue(exact);
}

/** Whether the name of an address type is that of 64 bits; throws a TypeError for others than i32 and i64. @internal */
export function isWide(address: unknown): boolean {
  const name = address === undefined ? 'i32' : `${address as string}`; // Throws a TypeError for symbols.
  if (name !== 'i32' && name !== 'i64') throw wrongArgument("address is 'i32' or 'i64'");
  return name === 'i64';
}

/** A descriptor, or a sequence in one: throws a TypeError for what is no object. @internal */
export function descriptorOf(value: unknown, wanted = 'an object'): object {
  if ((typeof value === 'object' || typeof value === 'function') && value !== null) return value;
  throw wrongArgument(`${wanted} is needed, not ${shown(value)}`);
}

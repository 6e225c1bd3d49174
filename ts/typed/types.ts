/**
 * Types of WebAssembly that a program declares, as TypeScript sees their values and as they are checked at run time.
 */
import { wrongValues } from '../errors/catalog.js';
import { theEngine } from '../instance/engine.js';
import type { ExportedFunction } from '../instance/functions/callable.js';
import { shown } from '../source/options.js';
import type { ValueType } from '../validate/description.js';
import { abstractHeap, HEAP, isReference } from '../validate/registry.js';

/** Names of types whose values JavaScript may have. */
export type TypeName = 'i32' | 'i64' | 'f32' | 'f64' | 'externref' | 'funcref';

/** What a value of a type is in TypeScript. */
export type ValueOf<Name> = Name extends 'i32' | 'f32' | 'f64'
  ? number
  : Name extends 'i64'
    ? bigint
    : Name extends 'funcref'
      ? ExportedFunction | null
      : unknown;

/** Values of a list of types: `readonly ['i32', 'i64']` is `readonly [number, bigint]`. */
export type Values<Names extends readonly TypeName[]> = { readonly [Place in keyof Names]: ValueOf<Names[Place]> };

/** The same as one value: undefined, the value, or the list of them. */
export type Single<List extends readonly unknown[]> = number extends List['length']
  ? unknown
  : List extends readonly []
    ? undefined
    : List extends readonly [infer Only]
      ? Only
      : List;

/** What is known of a type at run time; undefined for references that have no name here (any value may try). */
export type KnownType = TypeName | undefined;

const NUMBERS = new Map<ValueType, TypeName>([
  [0x7f, 'i32'],
  [0x7e, 'i64'],
  [0x7d, 'f32'],
  [0x7c, 'f64'],
]);
const NAMES: readonly string[] = [...NUMBERS.values(), 'externref', 'funcref'];

/** A word for a list of types, for messages. */
export const listed = (types: readonly KnownType[]): string => `[${types.map((type) => type ?? 'reference').join(', ')}]`;

/** The declared name of a type. All functions are `funcref`, whatever their type is, and all values of JavaScript's own `externref`. */
export function knownType(type: ValueType): KnownType {
  if (!isReference(type)) return NUMBERS.get(type);
  const heap = abstractHeap(type);
  if (heap === HEAP.extern || heap === HEAP.noextern) return 'externref';
  return heap === HEAP.func || heap === HEAP.nofunc || theEngine().convert.isFunction(type) ? 'funcref' : undefined;
}

/** Whether a declaration is a list of names. */
export function areNames(given: unknown): given is readonly TypeName[] {
  return Array.isArray(given) && given.every((name) => NAMES.includes(name as string));
}

export function areSame(declared: readonly TypeName[], types: readonly KnownType[]): boolean {
  return declared.length === types.length && declared.every((name, place) => name === types[place]);
}

/** Whether a value is one of the type: nothing is converted, and nothing is cut off but what f32 cannot have. */
function fits(type: KnownType, value: unknown): boolean {
  switch (type) {
    case 'i32':
      // Signed or not: WebAssembly does not tell.
      return typeof value === 'number' && Number.isInteger(value) && value >= -0x8000_0000 && value <= 0xffff_ffff;
    case 'i64':
      return typeof value === 'bigint' && value >= -(1n << 63n) && value < 1n << 64n;
    case 'f32':
    case 'f64':
      return typeof value === 'number';
    case 'funcref':
      return value === null || typeof value === 'function';
    default:
      return true;
  }
}

export const isThenable = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && typeof (value as PromiseLike<unknown>).then === 'function';

/** Throws a TypeError where values are not of these types. `what` they are for goes into the message. */
export function requireValues(types: readonly KnownType[], values: readonly unknown[], what: string): void {
  if (values.length !== types.length) throw wrongValues(`${what} takes ${types.length} values ${listed(types)}, not ${values.length}`);
  for (let place = 0; place < types.length; place++) {
    const type = types[place];
    const value = values[place];
    if (fits(type, value)) continue;
    const hint = isThenable(value) ? ' (what waits for promises is resumed by resumeAsync)' : '';
    throw wrongValues(`value ${place} of ${what} must be ${type}, not ${shown(value)}${hint}`);
  }
}

/** The values that one value is: what a generator's `next` or a handler was given for so many types. */
export function valuesOf(types: readonly KnownType[], given: unknown, what: string): readonly unknown[] {
  if (types.length === 0) return [];
  if (types.length === 1) return [given];
  if (!Array.isArray(given)) throw wrongValues(`${what} takes a list of ${types.length} values ${listed(types)}, not ${shown(given)}`);
  return given as readonly unknown[];
}

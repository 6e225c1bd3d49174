/**
 * Imports that a module gets without being given them: the functions of `wasm:js-string`, with the option `builtins`, and the strings that are named by what is imported from the module that
 * `importedStringConstants` says.
 */
import { charCodeAt, codePointAt, each, fromCharCode, fromCodePoint, mapGet, NumberValue, sliced } from '../base/intrinsics.js';
import { invalidImport, trap } from '../errors/catalog.js';
import { TRAP, VMObject } from '../generated/abi.js';
import type { FunctionImport, ImportDescription, ModuleDescription, ValueType } from '../validate/description.js';
import { concreteId, isReference } from '../validate/registry.js';
import { isSingleType, typeAt } from '../validate/type_words.js';
import type { ReadModuleOptions } from './compiling.js';
import type { ExportedFunction } from './functions/callable.js';
import type { Thread } from './thread.js';

const MODULE = 'wasm:js-string';

const I32 = 0x7f;
const EXTERNREF = 0xc000_006f;
const EXTERN = 0x8000_006f;
/** Stands for a nullable reference to an array of i16 that can be written. */
const CODE_UNITS = -1;
const I16 = 0x77;
const LARGEST_CODE_POINT = 0x10_ffff;

/** A function of Heddle's that stands for an import. */
interface Builtin {
  readonly params: readonly ValueType[];
  readonly result: ValueType;
  /** The function, on a thread. */
  readonly on: (thread: Thread) => ExportedFunction;
}

function stringOf(value: unknown): string {
  if (typeof value !== 'string') throw trap(TRAP.castFailure);
  return value;
}

/** A string, or null. */
function stringOrNull(value: unknown): string | null {
  return value === null ? null : stringOf(value);
}

/** An i32 without its sign. */
const unsigned = (value: unknown): number => (value as number) >>> 0;

/** An offset in a string. */
function offsetIn(text: string, value: unknown): number {
  const offset = unsigned(value);
  if (offset >= text.length) throw trap(TRAP.stringBounds);
  return offset;
}

function codePoint(value: unknown): number {
  const point = unsigned(value);
  if (point > LARGEST_CODE_POINT) throw trap(TRAP.codePoint, `${point}`);
  return point;
}

function part(value: unknown, from: unknown, to: unknown): string {
  const text = stringOf(value);
  const start = unsigned(from);
  const end = unsigned(to);
  return start > end || start > text.length ? '' : sliced(text, start, end);
}

function order(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** The address of an array of code units, as JavaScript has it. */
function arrayOf({ values }: Thread, array: unknown): number {
  const address = values.addressOf(array);
  // Its type is that of the import's param.
  if (address === undefined) throw trap(TRAP.nullArray);
  return address;
}

const lengthOf = ({ native }: Thread, array: number): number => NumberValue(native.load(array + VMObject.length, 'u32'));

/** The string of the code units from one index up to another. */
function fromArray(thread: Thread, array: unknown, from: unknown, to: unknown): string {
  const address = arrayOf(thread, array);
  const start = unsigned(from);
  const end = unsigned(to);
  if (start > end || end > lengthOf(thread, address)) throw trap(TRAP.arrayBounds);
  return thread.native.loadText(address + VMObject.$size + 2 * start, end - start);
}

/** Writes a string's code units from an index on. Returns how many they are. */
function intoArray(thread: Thread, value: unknown, array: unknown, from: unknown): number {
  const text = stringOf(value);
  const address = arrayOf(thread, array);
  const start = unsigned(from);
  if (start + text.length > lengthOf(thread, address)) throw trap(TRAP.arrayBounds);
  thread.native.storeText(address + VMObject.$size + 2 * start, text);
  return text.length;
}

const plain =
  (fn: ExportedFunction): Builtin['on'] =>
  () =>
    fn;

const BUILTINS = new Map<string, Builtin>();
for (const [name, params, result, on] of [
  ['cast', [EXTERNREF], EXTERN, plain((value) => stringOf(value))],
  ['test', [EXTERNREF], I32, plain((value) => (typeof value === 'string' ? 1 : 0))],
  ['fromCharCode', [I32], EXTERN, plain((unit) => fromCharCode(unsigned(unit)))],
  ['fromCodePoint', [I32], EXTERN, plain((point) => fromCodePoint(codePoint(point)))],
  ['charCodeAt', [EXTERNREF, I32], I32, plain((value, at) => ((text) => charCodeAt(text, offsetIn(text, at)))(stringOf(value)))],
  ['codePointAt', [EXTERNREF, I32], I32, plain((value, at) => ((text) => codePointAt(text, offsetIn(text, at)))(stringOf(value)))],
  ['length', [EXTERNREF], I32, plain((value) => stringOf(value).length)],
  ['concat', [EXTERNREF, EXTERNREF], EXTERN, plain((a, b) => stringOf(a) + stringOf(b))],
  ['substring', [EXTERNREF, I32, I32], EXTERN, plain(part)],
  ['equals', [EXTERNREF, EXTERNREF], I32, plain((a, b) => (stringOrNull(a) === stringOrNull(b) ? 1 : 0))],
  ['compare', [EXTERNREF, EXTERNREF], I32, plain((a, b) => order(stringOf(a), stringOf(b)))],
  ['fromCharCodeArray', [CODE_UNITS, I32, I32], EXTERN, (thread) => (array, from, to) => fromArray(thread, array, from, to)],
  ['intoCharCodeArray', [EXTERNREF, CODE_UNITS, I32], I32, (thread) => (value, array, from) => intoArray(thread, value, array, from)],
] satisfies [string, readonly ValueType[], ValueType, Builtin['on']][]) {
  BUILTINS.set(name, { params, result, on });
}

/** What a module gets for an import. */
export type Provided = { readonly kind: 'function'; readonly builtin: Builtin } | { readonly kind: 'string'; readonly value: string };

/** What a module with these options gets for an import; undefined where its importer is to give it. */
export function providedFor(entry: ImportDescription, { builtins, importedStringConstants }: ReadModuleOptions): Provided | undefined {
  if (typeof importedStringConstants === 'string' && entry.module === importedStringConstants) return { kind: 'string', value: entry.name };
  if (builtins !== true || entry.kind !== 'func' || entry.module !== MODULE) return undefined;
  const builtin = mapGet(BUILTINS, entry.name);
  return builtin === undefined ? undefined : { kind: 'function', builtin };
}

/** Throws a CompileError where a module imports such a function or string with another type. */
export function requireProvidable(description: ModuleDescription, options: ReadModuleOptions): void {
  if (options.builtins !== true && typeof options.importedStringConstants !== 'string') return;
  each(description.imports, (entry, i) => {
    const provided = providedFor(entry, options);
    if (provided?.kind === 'function' && !isOfType(description, entry as FunctionImport, provided.builtin))
      throw invalidImport(`Imported builtin function "${MODULE}" "${entry.name}" has incorrect signature`);
    if (provided?.kind === 'string' && !(entry.kind === 'global' && !entry.mutable && (entry.type === EXTERNREF || entry.type === EXTERN)))
      throw invalidImport(`String constant import #${i} "${entry.name}" must be an immutable global subtyping externref`);
  });
}

/** Whether an import is of the very type of a function: final, without a supertype, in a group of its own. */
function isOfType({ types }: ModuleDescription, { type }: FunctionImport, { params, result }: Builtin): boolean {
  const found = typeAt(types, type);
  if (found?.kind !== 'func' || !isPlain(types, type)) return false;
  if (found.params.length !== params.length || found.results.length !== 1 || found.results[0] !== result) return false;
  for (let i = 0; i < params.length; i++) {
    const given = found.params[i] as ValueType;
    if (params[i] === CODE_UNITS ? !isCodeUnits(types, given) : given !== params[i]) return false;
  }
  return true;
}

/** Whether a type is final, without a supertype, in a group of its own. */
function isPlain(types: Uint32Array, index: number): boolean {
  const found = typeAt(types, index);
  return found?.final === true && found.super === -1 && isSingleType(types, index);
}

/** Bits of a nullable reference to a concrete type, but for its index. */
const NULLABLE_CONCRETE = 0xe000_0000;

function isCodeUnits(types: Uint32Array, type: ValueType): boolean {
  const index = concreteId(type);
  if (!isReference(type) || (type & NULLABLE_CONCRETE) >>> 0 !== NULLABLE_CONCRETE) return false;
  const found = typeAt(types, index);
  if (found?.kind !== 'array' || !isPlain(types, index)) return false;
  const field = found.fields[0];
  return field !== undefined && field[0] === I16 && field[1];
}

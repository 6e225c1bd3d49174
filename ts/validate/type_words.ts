/**
 * The types of a module as the crate gives them: one array of words (contract/formats.md, section 2), because there may be a million of them.
 */
import { append } from '../base/intrinsics.js';
import type { TypeDescription, ValueType } from './description.js';

/** Kinds of types, by the low two bits of a head. */
export const TYPE_KINDS = ['func', 'cont', 'struct', 'array'] as const;
/** Those bits. */
export const KIND = 3;
export const KIND_FUNC = 0;
export const KIND_CONT = 1;
export const KIND_STRUCT = 2;
export const KIND_ARRAY = 3;
/** Bit of a head: no type may be declared below it. */
export const FINAL = 4;
/** Bit of a head: the first type of its recursion group. */
export const FIRST = 8;
/** Where there is no supertype. */
export const NO_SUPER = 0xffff_ffff;
/** Words before the offsets of the types. */
export const TYPES_HEAD = 2;

/** Number of types. */
export function typeCount(words: Uint32Array): number {
  return words[0] ?? 0;
}

/** Whether some type is of a kind, given by its number. */
export function hasKind(words: Uint32Array, kind: number): boolean {
  return ((words[1] ?? 0) & (1 << kind)) !== 0;
}

/** Where the words of a type begin; 0 where there is no such type. */
export function typeOffset(words: Uint32Array, index: number): number {
  return index >= 0 && index < typeCount(words) ? (words[TYPES_HEAD + index] ?? 0) : 0;
}

/** Whether a type is of a kind, given by its number. */
export function isOfKind(words: Uint32Array, index: number, kind: number): boolean {
  const at = typeOffset(words, index);
  return at !== 0 && ((words[at] ?? 0) & KIND) === kind;
}

/** Whether no type may be declared below a type. */
export function isFinal(words: Uint32Array, index: number): boolean {
  return ((words[typeOffset(words, index)] ?? 0) & FINAL) !== 0;
}

/** Whether a type is the only one of its recursion group. */
export function isSingleType(words: Uint32Array, index: number): boolean {
  const isFirst = (i: number): boolean => ((words[typeOffset(words, i)] ?? 0) & FIRST) !== 0;
  return isFirst(index) && (index + 1 === typeCount(words) || isFirst(index + 1));
}

/** Whether a type is [param] -> [result]. */
export function isFunctionOf(words: Uint32Array, index: number, param: ValueType, result: ValueType): boolean {
  const at = typeOffset(words, index);
  const counts = isOfKind(words, index, KIND_FUNC) && words[at + 2] === 1 && words[at + 3] === 1;
  return counts && words[at + 4] === param && words[at + 5] === result;
}

/** Whether `test` holds for a param or result of a type; other types than those of functions have none. */
export function someValue(words: Uint32Array, index: number, test: (type: ValueType) => boolean): boolean {
  if (!isOfKind(words, index, KIND_FUNC)) return false;
  const at = typeOffset(words, index);
  const count = (words[at + 2] ?? 0) + (words[at + 3] ?? 0);
  for (let i = 0; i < count; i++) if (test(words[at + 4 + i] ?? 0)) return true;
  return false;
}

/** A type; undefined where there is none of that index. */
export function typeAt(words: Uint32Array, index: number): TypeDescription | undefined {
  const at = typeOffset(words, index);
  if (at === 0) return undefined;
  const word = (i: number): number => words[at + i] ?? 0;
  const kind = TYPE_KINDS[word(0) & KIND] ?? 'func';
  const base = { final: (word(0) & FINAL) !== 0, super: word(1) === NO_SUPER ? -1 : word(1) };
  if (kind === 'cont') return { kind, ...base, cont: word(2) };
  if (kind === 'func') {
    const params: ValueType[] = [];
    const results: ValueType[] = [];
    for (let i = 0; i < word(2); i++) append(params, word(4 + i));
    for (let i = 0; i < word(3); i++) append(results, word(4 + word(2) + i));
    return { kind, ...base, params, results };
  }
  const fields: [number, boolean][] = [];
  for (let i = 0; i < word(2); i++) append(fields, [word(3 + 2 * i), word(4 + 2 * i) !== 0]);
  return { kind, ...base, fields };
}

/**
 * Payloads by class: lists of types, constants for them, and the operations that carry them.
 */
import { isRef, type ValueType } from './program.js';
import type { Random } from './random.js';

/** What is done with a continuation; a suspend is done with the running one. */
export const OPERATIONS = [
  'bind',
  'resume',
  'resume_throw',
  'resume_throw_ref',
  'switch',
  'suspend',
  'clone',
  'drop',
  'pass to JavaScript',
] as const;

export type Operation = (typeof OPERATIONS)[number];

export const CLASSES = ['none', 'one', 'many', 'about 1,000', 'references', 'v128'] as const;

export type PayloadClass = (typeof CLASSES)[number];

/** From how many values on a payload belongs to the class of about 1,000, which is the limit of both engines. */
const WIDE = 900;

/** The class of a list of types. */
export function classOf(types: readonly ValueType[]): PayloadClass {
  if (types.length >= WIDE) return 'about 1,000';
  if (types.includes('v128')) return 'v128';
  if (types.some((type) => isRef(type) || type === 'externref' || type === 'exnref')) return 'references';
  if (types.length === 0) return 'none';
  return types.length === 1 ? 'one' : 'many';
}

const NUMBERS = ['i32', 'i64', 'f32', 'f64'] as const;

/** Types of a class. `references` are the reference types to choose from. `most` is how many values there may be. */
export function shape(random: Random, kind: PayloadClass, references: readonly ValueType[], most = 996): ValueType[] {
  const numbers = (count: number): ValueType[] => Array.from({ length: count }, () => random.pick(NUMBERS));
  switch (kind) {
    case 'none':
      return [];
    case 'one':
      return numbers(1);
    case 'many':
      // 8 integers fit the registers of one instruction set, 6 those of the other, 4 slots lie within a record.
      return numbers(random.pick([2, 3, 4, 5, 6, 7, 8, 9, 12, 17]));
    case 'about 1,000':
      return [...numbers(random.below(4)), ...Array<ValueType>(most - 4).fill('i32')];
    case 'references':
      return insert(random, numbers(random.below(3)), random.pick(references));
    case 'v128':
      return insert(random, random.chance(30) ? insert(random, numbers(random.below(8)), 'v128') : [], 'v128');
  }
}

function insert(random: Random, types: readonly ValueType[], type: ValueType): ValueType[] {
  const at = random.below(types.length + 1);
  return [...types.slice(0, at), type, ...types.slice(at)];
}

/** How many of a continuation's parameters are bound at once: none, few, half, all but one, all. */
export function boundable(params: number): number[] {
  return [0, 1, 1, 2, 3, params >> 1, params - 1, params].filter((count) => count >= 0 && count <= params);
}

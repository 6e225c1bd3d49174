/**
 * WebAssembly's types as Cranelift sees them.
 */

import { item, max, PlainError } from '../../base/intrinsics.js';
import { TYPE } from '../../generated/clif.js';
import type { ModuleDescription, ValueType } from '../../validate/description.js';
import { hasKind, KIND_CONT, typeAt } from '../../validate/type_words.js';

const REFERENCE = 0x8000_0000;
const NULLABLE = 0x4000_0000;
const CONCRETE = 0x2000_0000;
const TYPE_INDEX = 0xf_ffff;

/** Integers and references that fit the result registers of the narrower instruction set. */
const INTEGER_RESULTS = 6;
/** Floats and vectors that do. */
const FLOAT_RESULTS = 8;

/** The CLIF type of values of a value type: every reference is an address or handle. */
export function clifType(type: ValueType): number {
  switch (type) {
    case 0x7f:
      return TYPE.I32;
    case 0x7e:
      return TYPE.I64;
    case 0x7d:
      return TYPE.F32;
    case 0x7c:
      return TYPE.F64;
    case 0x7b:
      return TYPE.I8X16;
    default:
      return TYPE.I64;
  }
}

/** Whether a value type is a reference. */
export function isReference(type: ValueType): boolean {
  return (type & REFERENCE) !== 0;
}

/** Whether null is a value of a reference type. */
export function isNullable(type: ValueType): boolean {
  return (type & NULLABLE) !== 0;
}

/** The type index of a reference to a concrete type, else -1. */
export function concreteType(type: ValueType): number {
  return (type & REFERENCE) !== 0 && (type & CONCRETE) !== 0 ? type & TYPE_INDEX : -1;
}

/** A function type as Cranelift sees it, without context and result pointer. Equal ones are one object within a module. */
export interface FunctionShape {
  /** Number in the signature table. */
  readonly signature: number;
  /** CLIF types. */
  readonly params: readonly number[];
  /** CLIF types. */
  readonly results: readonly number[];
  /** The results go through memory: the function takes the address of 16-byte slots before its params, and returns nothing. */
  readonly indirect: boolean;
}

/** Whether results of these CLIF types do not fit registers on every instruction set. */
export function needResultArea(results: readonly number[]): boolean {
  let integers = 0;
  let floats = 0;
  for (let i = 0; i < results.length; i++) {
    const type = item(results, i);
    if (type === TYPE.I32 || type === TYPE.I64) integers++;
    else floats++;
  }
  return integers > INTEGER_RESULTS || floats > FLOAT_RESULTS;
}

/** Payload slots that a call of the type needs. */
export function slotCount(shape: FunctionShape): number {
  return max(shape.params.length, shape.results.length);
}

/** Whether a module may have stack-switching instructions. */
export function hasContinuations({ types }: ModuleDescription): boolean {
  return hasKind(types, KIND_CONT);
}

/** The type index of the function type that a type index stands for: itself, or what a continuation type runs. */
export function functionTypeIndex(description: ModuleDescription, typeIndex: number): number {
  const type = typeAt(description.types, typeIndex);
  if (type?.kind === 'cont') return type.cont;
  if (type?.kind === 'func') return typeIndex;
  throw new PlainError(`type ${typeIndex} is neither a function nor a continuation type`);
}

/**
 * What a function's type is at run time: the one place that looks at it, for calls and casts.
 */
import { LIBCALL, VMFunction } from '../../generated/abi.js';
import { MEMORY, TYPE } from '../../generated/clif.js';
import { isFinal } from '../../validate/type_words.js';
import type { FunctionLowering } from '../function/function.js';
import type { Value } from '../program/program.js';

/** A function's type, and the one that it is compared with: canonical ids, I32. */
export interface Compared {
  readonly actual: Value;
  readonly expected: Value;
  /** Whether no type may be declared below the expected one: then only the same id fits. */
  readonly final: boolean;
}

/** Loads what is compared. The reference is not null. */
export function comparedTypes(f: FunctionLowering, reference: Value, typeIndex: number): Compared {
  const actual = f.program.load(TYPE.I32, MEMORY.trusted, reference, VMFunction.type);
  const expected = f.program.load(TYPE.I32, MEMORY.constant, f.instance, f.context.layout.types.at(typeIndex));
  return { actual, expected, final: isFinal(f.context.description.types, typeIndex) };
}

/** Whether the one is declared below the other, where they differ: an I64 of 0 or 1. */
export function isDeclaredBelow(f: FunctionLowering, { actual, expected }: Compared): Value {
  return f.hostCall(LIBCALL.isSubtype, [f.zeroExtend(actual), f.zeroExtend(expected)]);
}

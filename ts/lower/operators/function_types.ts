/**
 * What an object's or function's type is at run time: the one place that compares types, for calls and casts.
 */
import { LIBCALL, LIMIT, VMThread, VMType } from '../../generated/abi.js';
import { INTEGER, MEMORY, OPCODE, TYPE } from '../../generated/clif.js';
import { isFinal } from '../../validate/type_words.js';
import type { FunctionLowering } from '../function/function.js';
import type { Value } from '../program/program.js';

/** The type that something has, and the one that it is compared with: canonical ids, I32. */
export interface Compared {
  readonly actual: Value;
  readonly expected: Value;
  /** The index of the expected type. */
  readonly typeIndex: number;
  /** Whether no type may be declared below the expected one: then only the same id fits. */
  readonly final: boolean;
}

/** The canonical id of a type of the module: an I32. */
export function typeId(f: FunctionLowering, typeIndex: number): Value {
  return f.program.load(TYPE.I32, MEMORY.constant, f.instance, f.context.layout.types.at(typeIndex));
}

/** Loads what is compared. The reference is not null, and has the id of its type at `offset`. */
export function comparedTypes(f: FunctionLowering, reference: Value, offset: number, typeIndex: number): Compared {
  const actual = f.program.load(TYPE.I32, MEMORY.trusted, reference, offset);
  return { actual, expected: typeId(f, typeIndex), typeIndex, final: isFinal(f.context.description.types, typeIndex) };
}

/** The descriptor of a canonical id. */
export function typeDescriptor(f: FunctionLowering, id: Value): Value {
  const { program } = f;
  const offset = program.binary(OPCODE.ishl, f.zeroExtend(id), program.iconst(TYPE.I32, LIMIT.typeSizeLog2));
  return program.binary(OPCODE.iadd, f.threadPointer(VMThread.types), offset);
}

/** Whether the one is the other, or declared below it: an I8. */
export function isTypeBelow(f: FunctionLowering, { actual, expected, typeIndex, final }: Compared): Value {
  const { program } = f;
  if (final) return program.icmp(INTEGER.eq, actual, expected);
  const depth = f.context.objects.depth(typeIndex);
  if (depth >= LIMIT.typeDepths) {
    const found = f.hostCall(LIBCALL.isSubtype, [f.zeroExtend(actual), f.zeroExtend(expected)]);
    return program.icmp(INTEGER.ne, found, program.address(0));
  }
  // Where the one is less deep there is a 0, which is no type's.
  const above = program.load(TYPE.I32, MEMORY.trusted, typeDescriptor(f, actual), VMType.display + 4 * depth);
  return program.icmp(INTEGER.eq, above, expected);
}

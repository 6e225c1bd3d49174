/**
 * Tests and casts of references. Under `any` and `extern` a word says what it is (docs/decisions/0040): 0 is null, an i31 is odd, a JavaScript value has bit 52, and all
 * else is the address of a structure or array.
 */
import { LIMIT, TRAP, VMFunction, VMObject, VMType } from '../../generated/abi.js';
import { INTEGER, MEMORY, OPCODE, TYPE } from '../../generated/clif.js';
import type { ValueType } from '../../validate/description.js';
import { abstractHeap, HEAP } from '../../validate/registry.js';
import { isOfKind, KIND_CONT, KIND_FUNC } from '../../validate/type_words.js';
import type { FunctionLowering, Handlers } from '../function/function.js';
import { NONE, type Value } from '../program/program.js';
import { OP } from '../program/stream.js';
import { concreteType, isNullable } from '../program/types.js';
import { UnsupportedOperator } from '../program/unsupported.js';
import { branchIf, branchUnless } from './control.js';
import { comparedTypes, isTypeBelow, typeDescriptor } from './function_types.js';

/** Heap types that all references of their hierarchy are of, and those that none is of. */
const ALL = new Set<number>([HEAP.func, HEAP.extern, HEAP.exn, HEAP.cont, HEAP.any]);
const EMPTY = new Set<number>([HEAP.nofunc, HEAP.noextern, HEAP.noexn, HEAP.nocont, HEAP.none]);

/** Bit of the upper half of a word that only JavaScript values have. */
const VALUE_BIT = 2 ** (LIMIT.handleIndexBits + 1 + LIMIT.externGenerationBits - 32);
const VALUE_SHIFT = LIMIT.handleIndexBits + 1 + LIMIT.externGenerationBits;

/** A test of a reference that is not null: an I8. */
type Test = (f: FunctionLowering, reference: Value) => Value;

/** A function of the type of an index. */
const isFunctionOf =
  (index: number): Test =>
  (f, reference) => {
    const types = comparedTypes(f, reference, VMFunction.type, index);
    const same = f.program.icmp(INTEGER.eq, types.actual, types.expected);
    if (types.final) return same;
    const differs = f.program.icmp(INTEGER.ne, types.actual, types.expected);
    return f.unlikely(differs, [TYPE.I8], [same], () => [isTypeBelow(f, types)]);
  };

/** A structure or array of the type of an index. */
const isObjectOf =
  (index: number): Test =>
  (f, reference) =>
    isTypeBelow(f, comparedTypes(f, reference, VMObject.type, index));

/** Any structure, or any array. */
const isOfObjectKind =
  (kind: number): Test =>
  (f, reference) => {
    const { program } = f;
    const descriptor = typeDescriptor(f, program.load(TYPE.I32, MEMORY.trusted, reference, VMObject.type));
    return program.icmp(INTEGER.eq, program.load(TYPE.I32, MEMORY.trusted, descriptor, VMType.kind), program.iconst(TYPE.I32, kind));
  };

/** The same of a reference that may be of something else. `source` is the type that it is known to have. */
const onlyObjects =
  (test: Test, source: ValueType | undefined): Test =>
  (f, reference) => {
    if (source !== undefined && isObjectType(source)) return test(f, reference);
    const { program } = f;
    const other = program.binary(OPCODE.band, reference, program.iconst64(1, VALUE_BIT));
    const object = program.block(NONE);
    const next = program.block([TYPE.I8]);
    program.brif(other, next, [program.iconst(TYPE.I8, 0)], object, NONE);
    f.follow(object);
    program.jump(next, [f.aside(() => test(f, reference))]);
    return f.follow(next, 1);
  };

/** Whether all references of a type that are not null are addresses of structures or arrays. */
function isObjectType(type: ValueType): boolean {
  const heap = abstractHeap(type);
  return concreteType(type) >= 0 || heap === HEAP.struct || heap === HEAP.array || heap === HEAP.none;
}

const isI31: Test = (f, reference) => {
  const { program } = f;
  return program.unary(OPCODE.ireduce, TYPE.I8, program.binary(OPCODE.band, reference, program.address(1)));
};

const isEq: Test = (f, reference) => f.isZero(f.program.binary(OPCODE.ushr, reference, f.program.iconst(TYPE.I32, VALUE_SHIFT)));

/** What a reference that is not null must be to be of a type: anything, nothing, or what passes a test. */
type Question = 'all' | 'none' | Test;

function questionOf(f: FunctionLowering, opcode: number, target: ValueType, source: ValueType | undefined): Question {
  const heap = abstractHeap(target);
  if (ALL.has(heap)) return 'all';
  if (EMPTY.has(heap)) return 'none';
  switch (heap) {
    case HEAP.i31:
      return isI31;
    case HEAP.eq:
      return isEq;
    case HEAP.struct:
      return onlyObjects(isOfObjectKind(LIMIT.typeStruct), source);
    case HEAP.array:
      return onlyObjects(isOfObjectKind(LIMIT.typeArray), source);
  }
  const index = concreteType(target);
  const { types } = f.context.description;
  if (index < 0 || isOfKind(types, index, KIND_CONT)) throw new UnsupportedOperator(opcode, f.offset);
  return isOfKind(types, index, KIND_FUNC) ? isFunctionOf(index) : onlyObjects(isObjectOf(index), source);
}

/** Whether a reference is of a heap type, or is null where that fits: an I8. */
function isOf(f: FunctionLowering, opcode: number, reference: Value, target: ValueType, nullFits: boolean, source?: ValueType): Value {
  const { program } = f;
  const question = questionOf(f, opcode, target, source);
  if (question === 'all') return nullFits ? program.iconst(TYPE.I8, 1) : program.icmp(INTEGER.ne, reference, program.address(0));
  if (question === 'none') return nullFits ? f.isZero(reference) : program.iconst(TYPE.I8, 0);
  const there = program.block(NONE);
  const next = program.block([TYPE.I8]);
  program.brif(reference, there, NONE, next, [program.iconst(TYPE.I8, nullFits ? 1 : 0)]);
  f.follow(there);
  program.jump(next, [f.aside(() => question(f, reference))]);
  return f.follow(next, 1);
}

// The opcode says whether null fits; the immediate is a heap type alone.
const refTest =
  (opcode: number) =>
  (f: FunctionLowering): void => {
    const target = f.immediate();
    f.pushCondition(isOf(f, opcode, f.pop(), target, opcode === OP.refTestNull));
  };

const refCast =
  (opcode: number) =>
  (f: FunctionLowering): void => {
    const target = f.immediate();
    const reference = f.pop();
    const fits = isOf(f, opcode, reference, target, opcode === OP.refCastNull);
    f.locate();
    f.program.trapz(TRAP.castFailure, fits);
    f.push(reference);
  };

const brOnCast =
  (opcode: number, branch: typeof branchIf) =>
  (f: FunctionLowering): void => {
    const frame = f.frame(f.immediate());
    const source = f.immediate();
    const target = f.immediate();
    // The label takes the reference last, and it stays where the branch is not taken.
    const args = f.peek(frame.branch.length);
    const reference = f.pop();
    const fits = isOf(f, opcode, reference, target, isNullable(target), source);
    branch(f, fits, frame, args);
    f.push(reference);
  };

/** Operators of this group. */
export const CASTS: Handlers = [
  [OP.refTest, refTest(OP.refTest)],
  [OP.refTestNull, refTest(OP.refTestNull)],
  [OP.refCast, refCast(OP.refCast)],
  [OP.refCastNull, refCast(OP.refCastNull)],
  [OP.brOnCast, brOnCast(OP.brOnCast, branchIf)],
  [OP.brOnCastFail, brOnCast(OP.brOnCastFail, branchUnless)],
];

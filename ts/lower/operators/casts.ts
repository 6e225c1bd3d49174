/**
 * Tests and casts of references, of the hierarchies that have no garbage-collected objects: functions by their types, others as
 * far as they are only all and nothing.
 */
import { TRAP } from '../../generated/abi.js';
import { INTEGER, TYPE } from '../../generated/clif.js';
import type { ValueType } from '../../validate/description.js';
import { abstractHeap, HEAP } from '../../validate/registry.js';
import { isOfKind, KIND_FUNC } from '../../validate/type_words.js';
import type { FunctionLowering, Handlers } from '../function/function.js';
import { NONE, type Value } from '../program/program.js';
import { OP } from '../program/stream.js';
import { concreteType, isNullable } from '../program/types.js';
import { UnsupportedOperator } from '../program/unsupported.js';
import { branchIf, branchUnless } from './control.js';
import { comparedTypes, isDeclaredBelow } from './function_types.js';

/** Heap types that all references of their hierarchy are of, and those that none is of. */
const ALL = new Set<number>([HEAP.func, HEAP.extern, HEAP.exn, HEAP.cont, HEAP.any]);
const EMPTY = new Set<number>([HEAP.nofunc, HEAP.noextern, HEAP.noexn, HEAP.nocont, HEAP.none]);

/** Whether a function, not null, is of a type or one that is declared below it: an I8. */
function isOfType(f: FunctionLowering, reference: Value, typeIndex: number): Value {
  const { program } = f;
  const types = comparedTypes(f, reference, typeIndex);
  const same = program.icmp(INTEGER.eq, types.actual, types.expected);
  if (types.final) return same;
  const differs = program.icmp(INTEGER.ne, types.actual, types.expected);
  return f.unlikely(differs, [TYPE.I8], [same], () => [program.icmp(INTEGER.ne, isDeclaredBelow(f, types), program.address(0))]);
}

/** What a reference that is not null must be to be of a type: anything, nothing, or a function of the type of an index. */
type Question = 'all' | 'none' | number;

function questionOf(f: FunctionLowering, opcode: number, target: ValueType): Question {
  const heap = abstractHeap(target);
  if (ALL.has(heap)) return 'all';
  if (EMPTY.has(heap)) return 'none';
  const index = concreteType(target);
  if (index >= 0 && isOfKind(f.context.description.types, index, KIND_FUNC)) return index;
  throw new UnsupportedOperator(opcode, f.offset);
}

/** Whether a reference is of a heap type, or is null where that fits: an I8. */
function isOf(f: FunctionLowering, opcode: number, reference: Value, target: ValueType, nullFits: boolean): Value {
  const { program } = f;
  const question = questionOf(f, opcode, target);
  if (question === 'all') return nullFits ? program.iconst(TYPE.I8, 1) : program.icmp(INTEGER.ne, reference, program.address(0));
  if (question === 'none') return nullFits ? f.isZero(reference) : program.iconst(TYPE.I8, 0);
  const there = program.block(NONE);
  const next = program.block([TYPE.I8]);
  program.brif(reference, there, NONE, next, [program.iconst(TYPE.I8, nullFits ? 1 : 0)]);
  f.follow(there);
  program.jump(next, [f.aside(() => isOfType(f, reference, question))]);
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
    // The type that the reference has is the validator's.
    f.immediate();
    const target = f.immediate();
    // The label takes the reference last, and it stays where the branch is not taken.
    const args = f.peek(frame.branch.length);
    const reference = f.pop();
    const fits = isOf(f, opcode, reference, target, isNullable(target));
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

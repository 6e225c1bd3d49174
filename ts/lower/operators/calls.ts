/**
 * Calls. Whatever calls WebAssembly code or switches stacks goes through `emitCall`, the one place that decides between `call` and `try_call`.
 */
import { type LIBCALL, LIMIT, TRAP, VMFunction } from '../../generated/abi.js';
import { INTEGER, MEMORY, TYPE } from '../../generated/clif.js';
import type { FunctionLowering, Handlers } from '../function/function.js';
import { hostCallArguments } from '../function/libcalls.js';
import { NONE, returned, type Value } from '../program/program.js';
import { OP } from '../program/stream.js';
import { concreteType, type FunctionShape, isNullable } from '../program/types.js';
import { comparedTypes, isTypeBelow } from './function_types.js';
import { inlineCall } from './inline.js';
import { tableElement } from './tables.js';

/** What is called: a function number, or an address with its signature. */
export type Callee =
  | { readonly kind: 'number'; readonly number: number }
  | { readonly kind: 'address'; readonly signature: number; readonly code: Value };

/** A WebAssembly function as a call needs it: its code and the context that it gets. */
export interface Target {
  readonly callee: Callee;
  readonly context: Value;
  /** Its VMFunction; absent where a function is called by its index. */
  readonly reference?: Value;
}

/**
 * Emits a call with exactly these arguments; `returns` are the CLIF types that come back. Inside a frame that catches exceptions, and where the
 * callee is the `switch` stub (`switches`), it is a `try_call`: that makes every register dead across the call and gives it an exception edge.
 * Returns the first result.
 */
export function emitCall(f: FunctionLowering, callee: Callee, args: readonly Value[], returns: readonly number[], switches = false): Value {
  const { program } = f;
  f.locate();
  const items = f.catchItems();
  if (!switches && items.length === 0) {
    return callee.kind === 'number'
      ? program.call(callee.number, args, returns.length)
      : program.callIndirect(callee.signature, callee.code, args, returns.length);
  }
  const normal = program.block(returns);
  const edge = { block: normal, args: returns.map((_, i) => returned(i)) };
  if (callee.kind === 'number') program.tryCall(callee.number, args, edge, items);
  else program.tryCallIndirect(callee.signature, callee.code, args, edge, items);
  return f.follow(normal, returns.length);
}

/** A library call that may throw: inside a frame that catches exceptions it has an exception edge. */
export function throwingCall(f: FunctionLowering, call: (typeof LIBCALL)[keyof typeof LIBCALL], args: readonly Value[]): Value {
  const all = hostCallArguments(f.program, f.thread(), call, args);
  return emitCall(f, { kind: 'number', number: f.context.signatures.hostCallStub }, all, [TYPE.I64]);
}

/** Calls a function with the topmost operands; the results take their place. */
export function callTarget(f: FunctionLowering, shape: FunctionShape, { callee, context }: Target): void {
  const params = f.popMany(shape.params.length);
  const { results } = shape;
  if (!shape.indirect) {
    f.pushRow(emitCall(f, callee, [context, ...params], results), results.length);
    return;
  }
  emitCall(f, callee, [context, f.resultArea(results.length), ...params], NONE);
  const area = f.resultArea(results.length);
  results.forEach((type, i) => {
    f.push(f.program.load(type, MEMORY.trusted, area, LIMIT.slotSize * i));
  });
}

/** Calls a function in the place of this one, with the topmost operands. Its results have the types of this one's, so they go where this one's go. */
function returnTarget(f: FunctionLowering, shape: FunctionShape, { callee, context }: Target): void {
  const params = f.popMany(shape.params.length);
  const args = shape.indirect ? [context, f.resultPointer, ...params] : [context, ...params];
  f.locate();
  if (callee.kind === 'number') f.program.returnCall(callee.number, args);
  else f.program.returnCallIndirect(callee.signature, callee.code, args);
  f.dead = true;
}

/** The code and context behind a `VMFunction*` that is not null. */
function referenceTarget(f: FunctionLowering, shape: FunctionShape, reference: Value, flags: number): Target {
  return {
    callee: { kind: 'address', signature: shape.signature, code: f.program.load(TYPE.I64, flags, reference, VMFunction.code) },
    context: f.program.load(TYPE.I64, flags, reference, VMFunction.context),
    reference,
  };
}

/** The function of an index. */
function indexTarget(f: FunctionLowering, index: number, shape: FunctionShape): Target {
  const { spaces, layout } = f.context;
  if (index >= spaces.importedFunctions) return { callee: { kind: 'number', number: index }, context: f.instance };
  // An imported function's VMFunction is complete before the instance runs anything, and never changes.
  return referenceTarget(f, shape, f.pointer(layout.importedFunctions.at(index)), MEMORY.constant);
}

/** How the two families of operators go on with a target. */
export type Finish = (f: FunctionLowering, shape: FunctionShape, target: Target) => void;

/** Goes on with the function of an index. */
export function finishIndex(f: FunctionLowering, index: number, finish: Finish): void {
  const shape = f.context.signatures.shape(f.context.spaces.functions[index] as number);
  finish(f, shape, indexTarget(f, index, shape));
}

function call(f: FunctionLowering): void {
  const index = f.immediate();
  if (!inlineCall(f, index)) finishIndex(f, index, callTarget);
}

export const callReference =
  (finish: Finish) =>
  (f: FunctionLowering): void => {
    const shape = f.context.signatures.shape(f.immediate());
    const reference = f.pop();
    f.locate();
    f.program.trapz(TRAP.nullFunction, reference);
    finish(f, shape, referenceTarget(f, shape, reference, MEMORY.trusted));
  };

export const callIndirect =
  (finish: Finish) =>
  (f: FunctionLowering): void => {
    const typeIndex = f.immediate();
    const table = f.immediate();
    const shape = f.context.signatures.shape(typeIndex);
    const element = tableElement(f, table, f.popIndex(f.context.spaces.tables[table]?.table64 === true), TRAP.undefinedElement);
    const reference = f.program.load(TYPE.I64, MEMORY.trusted, element, 0);
    const elementType = f.context.spaces.tables[table]?.type as number;
    if (isNullable(elementType)) f.program.trapz(TRAP.uninitializedElement, reference);
    if (concreteType(elementType) !== typeIndex) checkType(f, reference, typeIndex);
    finish(f, shape, referenceTarget(f, shape, reference, MEMORY.trusted));
  };

/** Traps unless the function has the type, or one that is declared a subtype of it. */
function checkType(f: FunctionLowering, reference: Value, typeIndex: number): void {
  const { program } = f;
  const types = comparedTypes(f, reference, VMFunction.type, typeIndex);
  const differs = program.icmp(INTEGER.ne, types.actual, types.expected);
  if (types.final) {
    program.trapnz(TRAP.indirectCallType, differs);
    return;
  }
  f.unlikely(differs, NONE, NONE, () => {
    program.trapz(TRAP.indirectCallType, isTypeBelow(f, types));
    return NONE;
  });
}

/** Operators of this group. */
export const CALLS: Handlers = [
  [OP.call, call],
  [OP.returnCall, (f) => finishIndex(f, f.immediate(), returnTarget)],
  [OP.callIndirect, callIndirect(callTarget)],
  [OP.returnCallIndirect, callIndirect(returnTarget)],
  [OP.callRef, callReference(callTarget)],
  [OP.returnCallRef, callReference(returnTarget)],
];

/**
 * References: functions are addresses of `VMFunction`, continuations handles, what is under `any` or `extern` words as `casts.ts` says; 0 is null everywhere.
 */
import { TRAP } from '../../generated/abi.js';
import { INTEGER, OPCODE } from '../../generated/clif.js';
import type { FunctionLowering, Handlers } from '../function/function.js';
import type { Value } from '../program/program.js';
import { OP } from '../program/stream.js';

function refNull(f: FunctionLowering): void {
  f.immediate();
  f.push(f.program.address(0));
}

function refIsNull(f: FunctionLowering): void {
  f.pushCondition(f.isZero(f.pop()));
}

function refFunc(f: FunctionLowering): void {
  f.push(functionReference(f, f.immediate()));
}

/** The `VMFunction*` of a function of the module. */
function functionReference(f: FunctionLowering, index: number): Value {
  const { layout, spaces } = f.context;
  if (index < spaces.importedFunctions) return f.pointer(layout.importedFunctions.at(index));
  const offset = layout.functions.at(index - spaces.importedFunctions);
  return f.program.binary(OPCODE.iadd, f.instance, f.program.address(offset));
}

function refEq(f: FunctionLowering): void {
  const b = f.pop();
  f.pushCondition(f.program.icmp(INTEGER.eq, f.pop(), b));
}

function refAsNonNull(f: FunctionLowering): void {
  const reference = f.pop();
  f.locate();
  f.program.trapz(TRAP.nullReference, reference);
  f.push(reference);
}

function drop(f: FunctionLowering): void {
  f.dropTo(f.height - 1);
}

function select(f: FunctionLowering): void {
  const condition = f.popCondition();
  const b = f.pop();
  const a = f.pop();
  f.push(f.program.ternary(OPCODE.select, condition, a, b));
}

function typedSelect(f: FunctionLowering): void {
  f.immediate();
  select(f);
}

/** Operators of this group. */
export const REFERENCES: Handlers = [
  [OP.refNull, refNull],
  [OP.refIsNull, refIsNull],
  [OP.refFunc, refFunc],
  [OP.refEq, refEq],
  [OP.refAsNonNull, refAsNonNull],
  [OP.drop, drop],
  [OP.select, select],
  [OP.selectTyped, typedSelect],
];

/**
 * The functions of the experiments `cont.new`, which makes a continuation whose stack is another than the usual one, and `cont.clone`.
 */
import { LIBCALL, LIMIT } from '../../generated/abi.js';
import type { FunctionLowering } from '../function/function.js';
import { type StackChoice, USUAL } from '../module/stack_choice.js';
import type { Value } from '../program/program.js';

/** `cont.new` with a choice of stack. */
export function writeContNewOn(f: FunctionLowering, { stack = USUAL }: { readonly stack?: StackChoice }, params: readonly Value[]): void {
  const { strategy, guard, size } = stack;
  const kinds = f.program.address(strategy + guard * 2 ** LIMIT.stackGuardShift);
  f.push(f.hostCall(LIBCALL.contNewOn, [params[0] as Value, f.program.address(size), kinds]));
}

/** `cont.clone`: a second continuation in the state of the first. */
export function writeContClone(f: FunctionLowering, [handle]: readonly Value[]): void {
  f.push(f.hostCall(LIBCALL.contClone, [handle as Value]));
}

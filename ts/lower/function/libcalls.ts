/**
 * Calls of C++ functions, by way of the `host_call` stub.
 */
import { type LIBCALL, VMThread } from '../../generated/abi.js';
import { MEMORY, TYPE } from '../../generated/clif.js';
import type { ModuleSignatures } from '../module/signatures.js';
import type { Program, Value } from '../program/program.js';

/** A library call: a value of LIBCALL. */
export type Libcall = (typeof LIBCALL)[keyof typeof LIBCALL];

/** Arguments besides the thread and the function. */
const ARGUMENTS = 4;

/** The arguments of the `host_call` stub for a library call; what is missing of its four arguments is 0. */
export function hostCallArguments(program: Program, thread: Value, call: Libcall, args: readonly Value[]): readonly Value[] {
  // Loaded at each call, though it never changes: moved in front of a loop it would stay in frames that suspend, and an image of them has no address of the addon.
  const target = program.load(TYPE.I64, MEMORY.trusted, thread, VMThread.libcalls + 8 * call);
  const all = [thread, target, ...args];
  if (args.length < ARGUMENTS) {
    const zero = program.address(0);
    while (all.length < 2 + ARGUMENTS) all.push(zero);
  }
  return all;
}

/** Emits a library call. It may raise a trap, and then does not return; those that may throw are made by `throwingCall`. */
export function hostCall(program: Program, signatures: ModuleSignatures, thread: Value, call: Libcall, args: readonly Value[]): Value {
  return program.call(signatures.hostCallStub, hostCallArguments(program, thread, call, args), 1);
}

/**
 * Calls of C++ functions, by way of the `host_call` stub.
 */
import { type LIBCALL, VMThread } from '../generated/abi.js';
import { MEMORY, TYPE } from '../generated/clif.js';
import type { Program, Value } from './program.js';
import type { ModuleSignatures } from './signatures.js';

/** Arguments besides the thread and the function. */
const ARGUMENTS = 4;

/** Emits a library call; what is missing of its four arguments is 0. It may raise a trap, and then does not return. */
export function hostCall(
  program: Program,
  signatures: ModuleSignatures,
  thread: Value,
  call: (typeof LIBCALL)[keyof typeof LIBCALL],
  args: readonly Value[],
): Value {
  const target = program.load(TYPE.I64, MEMORY.constant, thread, VMThread.libcalls + 8 * call);
  const all = [thread, target, ...args];
  if (args.length < ARGUMENTS) {
    const zero = program.address(0);
    while (all.length < 2 + ARGUMENTS) all.push(zero);
  }
  return program.call(signatures.hostCallStub, all, 1);
}

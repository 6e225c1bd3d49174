/**
 * Calls in the functions of a program's own runtime for asyncify (`module/asyncify.ts`). A function at the bottom, which calls `stop_unwind`, makes its calls on
 * fibers; one at the top, which calls `start_unwind`, is suspended where it returns, and begins again when its call goes on: what Binaryen's pass makes of them.
 */
import { LIBCALL, LIMIT, VMAsyncify } from '../../generated/abi.js';
import { INTEGER, MEMORY, OPCODE, TYPE } from '../../generated/clif.js';
import type { FunctionLowering, Handlers } from '../function/function.js';
import { emitReturn } from '../function/return.js';
import type { Role } from '../module/asyncify.js';
import { NONE, type Value } from '../program/program.js';
import { OP } from '../program/stream.js';
import type { FunctionShape } from '../program/types.js';
import { callIndirect, callReference, callTarget, type Finish, finishIndex } from './calls.js';
import { appendSlots, loadSlots, suspendTo, switchInto } from './continuations.js';
import { zero } from './variables.js';

/** The type of the tag that is suspended to. */
const NOTHING: FunctionShape = { signature: -1, params: NONE, results: NONE, indirect: false };

/** Where the instance's VMAsyncify lies in its context. */
function place(f: FunctionLowering): number {
  return f.context.layout.asyncify;
}

function address(f: FunctionLowering, field: number): Value {
  return f.program.binary(OPCODE.iadd, f.instance, f.program.address(place(f) + field));
}

/** Sets what is under way. */
export function setState(f: FunctionLowering, state: number): void {
  f.program.store(MEMORY.trusted, f.program.iconst(TYPE.I32, state), f.instance, place(f) + VMAsyncify.state);
}

/** `start_unwind(buffer)` and `start_rewind(buffer)`. */
export function writeStart(f: FunctionLowering, state: number, [buffer]: readonly Value[]): void {
  const value = buffer as Value;
  const wide = f.shape.params[0] === TYPE.I64 ? value : f.zeroExtend(value);
  f.program.store(MEMORY.trusted, wide, f.instance, place(f) + VMAsyncify.buffer);
  setState(f, state);
}

/**
 * Begins the body of a function at the top. From here it is run again after each suspension, with the same arguments; the returned function ends that, and
 * is to be called behind the body.
 */
export function beginTop(f: FunctionLowering): () => void {
  const { program } = f;
  const bare = program.load(TYPE.I32, MEMORY.trusted, f.instance, place(f) + VMAsyncify.bare);
  program.store(MEMORY.trusted, program.iconst(TYPE.I32, 0), f.instance, place(f) + VMAsyncify.bare);
  const body = program.block(NONE);
  program.jump(body, NONE);
  program.switchTo(body, 0);
  f.beforeReturn = () => {
    const state = program.load(TYPE.I32, MEMORY.trusted, f.instance, place(f) + VMAsyncify.state);
    const called = program.icmp(INTEGER.eq, state, program.iconst(TYPE.I32, LIMIT.asyncifyUnwinding));
    const suspends = program.block(NONE);
    const returns = program.block(NONE);
    const asked = program.block(NONE);
    program.brif(called, asked, NONE, returns, NONE);
    f.follow(asked);
    program.brif(program.icmp(INTEGER.eq, bare, program.iconst(TYPE.I32, 0)), suspends, NONE, returns, NONE);
    f.follow(suspends);
    f.aside(() => {
      setState(f, LIMIT.asyncifyNormal);
      suspendTo(f, address(f, VMAsyncify.tagType), NOTHING, NONE);
      program.jump(body, NONE);
    });
    f.follow(returns);
  };
  return () => program.seal(body);
}

/** A call on a fiber: on a fresh one, or on the one that `start_rewind` has chosen, to which the function and its arguments are nothing. */
function callOnFiber(f: FunctionLowering, shape: FunctionShape, reference: Value): void {
  const { program } = f;
  const args = f.popMany(shape.params.length);
  const state = address(f, 0);
  const record = f.hostCall(LIBCALL.asyncifyEnter, [f.instance, state, reference]);
  // What was suspended takes no values: those of a function that is not called do no harm.
  if (args.length > 0) appendSlots(f, record, args);
  const back = switchInto(f, record, record, address(f, VMAsyncify.labels));
  const next = program.block(shape.results);
  const returned = program.block(NONE);
  const suspended = program.block(NONE);
  const kind = program.unary(OPCODE.ireduce, TYPE.I32, back.kind);
  program.brif(program.icmp(INTEGER.eq, kind, program.iconst(TYPE.I32, -1)), returned, NONE, suspended, NONE);
  f.follow(returned);
  f.aside(() => {
    const loaded = loadSlots(f, back.payload, shape.results);
    f.hostCall(LIBCALL.asyncifyLeave, [f.instance, address(f, 0), program.address(0), back.payload]);
    program.jump(next, loaded);
  });
  f.follow(suspended);
  f.aside(() => {
    f.hostCall(LIBCALL.asyncifyLeave, [f.instance, address(f, 0), back.payload]);
    program.jump(
      next,
      shape.results.map((type) => zero(program, type)),
    );
  });
  f.pushRow(f.follow(next, shape.results.length), shape.results.length);
}

/** A call through a reference. */
const onFiber: Finish = (f, shape, { reference }) => {
  if (reference === undefined) throw new Error(`function ${f.index} calls a function on a fiber that it has no reference to`);
  callOnFiber(f, shape, reference);
};

/** A call of a function of the module's own. */
function definedOnFiber(f: FunctionLowering, index: number): void {
  const { spaces, signatures, layout } = f.context;
  const block = layout.functions.at(index - spaces.importedFunctions);
  const reference = f.program.binary(OPCODE.iadd, f.instance, f.program.address(block));
  callOnFiber(f, signatures.shape(spaces.functions[index] as number), reference);
}

function callIndex(f: FunctionLowering, role: Role): void {
  const index = f.immediate();
  switch (f.context.asyncify?.call(role, index)) {
    case 'fiber':
      return definedOnFiber(f, index);
    case 'bare':
      f.program.store(MEMORY.trusted, f.program.iconst(TYPE.I32, 1), f.instance, place(f) + VMAsyncify.bare);
      return finishIndex(f, index, callTarget);
    default:
      return finishIndex(f, index, callTarget);
  }
}

/** The operators that call, in functions of a role. A tail call is a call and a return: something is still to be done behind it. */
function callsOf(role: Role): Handlers {
  const finish: Finish = role === 'bottom' ? onFiber : callTarget;
  const returning = (handler: (f: FunctionLowering) => void) => (f: FunctionLowering) => {
    handler(f);
    emitReturn(f);
    f.dead = true;
  };
  const index = (f: FunctionLowering): void => callIndex(f, role);
  return [
    [OP.call, index],
    [OP.returnCall, returning(index)],
    [OP.callIndirect, callIndirect(finish)],
    [OP.returnCallIndirect, returning(callIndirect(finish))],
    [OP.callRef, callReference(finish)],
    [OP.returnCallRef, returning(callReference(finish))],
  ];
}

/** What functions with these roles do in the place of the operators that call. */
export const ASYNCIFY_CALLS: Readonly<Record<Exclude<Role, 'plain'>, Handlers>> = { top: callsOf('top'), bottom: callsOf('bottom') };

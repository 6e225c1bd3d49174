/**
 * The instructions of the stack-switching proposal on the reference interpreter's machine, in the order in which the proposal's reductions test things.
 */
import { type ContinuationState, chain, Fiber, isBlocked, stateOf } from './fibers.js';
import { HostThrow } from './host.js';
import type { Machine } from './machine.js';
import { Trap, TYPE_ERROR } from './outcomes.js';
import type { Operation } from './payloads.js';
import type { Clause, ValueType } from './program.js';
import { Continuation, Exception, type FunctionReference, HostValue, type Value } from './values.js';

/** Immediates of instructions. */
interface Typed {
  readonly type: number;
}
interface Tagged {
  readonly tag: number;
}
interface Handling {
  readonly clauses: readonly Clause[];
}

function observe(machine: Machine, operation: Operation, continuation: Continuation | null, payload: readonly ValueType[]): void {
  machine.watcher.observe?.(operation, stateOf(continuation, machine.running), payload);
}

/** A continuation that may be consumed. Traps on null and where that has happened before. */
function usable(continuation: Continuation | null): Continuation {
  if (continuation === null) throw new Trap('null continuation');
  if (continuation.consumed) throw new Trap('continuation consumed');
  return continuation;
}

/** It is to go on: the last test before it is consumed. */
function consume(continuation: Continuation): void {
  if (isBlocked(continuation)) throw new Trap('another version is active');
  continuation.consumed = true;
}

/** Makes a consumed continuation run below `parent`. A fresh one has no frame afterwards. */
function run(machine: Machine, { outermost, leaf }: Continuation, parent: Fiber | undefined, clauses: readonly Clause[]): void {
  for (const fiber of chain(leaf, outermost)) fiber.activate();
  outermost.parent = parent;
  outermost.clauses = clauses;
  machine.running = leaf;
}

/** Gives a continuation that runs now its values: the arguments of its function, or the results of the suspend or switch that it waits in. */
function deliver(machine: Machine, continuation: Continuation, values: readonly Value[]): void {
  const all = [...continuation.bound, ...values];
  const { leaf } = continuation;
  if (leaf.frames.length === 0) machine.enter(leaf, leaf.func, all);
  else machine.push(...all);
}

/** The outermost fiber to suspend: the innermost whose resume has a clause that `wanted` accepts. Host frames are not looked through. */
function handled(machine: Machine, wanted: (clause: Clause) => boolean): { fiber: Fiber; clause: Clause } | undefined {
  for (let fiber: Fiber | undefined = machine.fiber; fiber !== undefined; fiber = fiber.parent) {
    const clause = fiber.clauses.find(wanted);
    if (clause !== undefined) return { fiber, clause };
  }
  return undefined;
}

/** Takes the running chain up to `outermost` off its resumer. */
function capture(machine: Machine, outermost: Fiber): Continuation {
  const leaf = machine.fiber;
  for (const fiber of chain(leaf, outermost)) fiber.state = 'suspended';
  outermost.parent = undefined;
  outermost.clauses = [];
  return new Continuation(outermost, leaf, []);
}

function resumer(fiber: Fiber): Fiber {
  if (fiber.parent === undefined) throw new Error('a handled fiber has no resumer');
  return fiber.parent;
}

function contNew(machine: Machine): void {
  const reference = machine.pop() as FunctionReference | null;
  if (reference === null) throw new Trap('null function');
  const fiber = new Fiber(reference.func);
  machine.push(new Continuation(fiber, fiber, []));
}

function contBind(machine: Machine, { type, to }: Typed & { readonly to: number }): void {
  const { params } = machine.signature(type);
  const count = params.length - machine.signature(to).params.length;
  const reference = machine.pop() as Continuation | null;
  observe(machine, 'bind', reference, params.slice(0, count));
  const continuation = usable(reference);
  continuation.consumed = true;
  const { outermost, leaf, bound } = continuation;
  machine.push(new Continuation(outermost, leaf, [...bound, ...machine.popMany(count)]));
}

function resume(machine: Machine, { type, clauses }: Typed & Handling): void {
  const { params } = machine.signature(type);
  const reference = machine.pop() as Continuation | null;
  observe(machine, 'resume', reference, params);
  const continuation = usable(reference);
  consume(continuation);
  const values = machine.popMany(params.length);
  run(machine, continuation, machine.fiber, clauses);
  deliver(machine, continuation, values);
}

/** The exception is thrown where the continuation waits; a fresh one has nothing there that could catch it. */
function resumeWith(machine: Machine, continuation: Continuation, exception: Exception, { clauses }: Handling): void {
  consume(continuation);
  run(machine, continuation, machine.fiber, clauses);
  machine.throw(exception);
}

function resumeThrow(machine: Machine, instruction: Tagged & Handling): void {
  const { params } = machine.tagSignature(instruction.tag);
  const reference = machine.pop() as Continuation | null;
  observe(machine, 'resume_throw', reference, params);
  const continuation = usable(reference);
  resumeWith(machine, continuation, new Exception(instruction.tag, machine.popMany(params.length)), instruction);
}

function resumeThrowRef(machine: Machine, instruction: Handling): void {
  const reference = machine.pop() as Continuation | null;
  const exception = machine.pop() as Exception | null;
  observe(machine, 'resume_throw_ref', reference, exception === null ? [] : machine.tagSignature(exception.tag).params);
  const continuation = usable(reference);
  if (exception === null) throw new Trap('null exception');
  resumeWith(machine, continuation, exception, instruction);
}

/** Whether a fiber of an outer call from JavaScript would have handled it: then it is the host's frame that is in the way. */
function unhandled(machine: Machine, wanted: (clause: Clause) => boolean): Trap {
  const outside = machine.outer().some((fiber) => fiber.clauses.some(wanted));
  return new Trap(outside ? 'barrier' : 'unhandled tag');
}

function suspend(machine: Machine, { tag }: Tagged): void {
  const { params } = machine.tagSignature(tag);
  const wanted = (clause: Clause): boolean => clause.kind === 'label' && clause.tag === tag;
  const found = handled(machine, wanted);
  const state: ContinuationState = found === undefined || found.fiber === machine.fiber ? 'consumed: running' : 'consumed: parent';
  machine.watcher.observe?.('suspend', state, params);
  if (found?.clause.kind !== 'label') throw unhandled(machine, wanted);
  const values = machine.popMany(params.length);
  const parent = resumer(found.fiber);
  const continuation = capture(machine, found.fiber);
  machine.running = parent;
  machine.push(...values, continuation);
  machine.branch(found.clause.label);
}

function switchTo(machine: Machine, { type, tag }: Typed & Tagged): void {
  const params = machine.signature(type).params.slice(0, -1);
  const wanted = (clause: Clause): boolean => clause.kind === 'switch' && clause.tag === tag;
  const reference = machine.pop() as Continuation | null;
  observe(machine, 'switch', reference, params);
  const target = usable(reference);
  const found = handled(machine, wanted);
  if (found === undefined) throw unhandled(machine, wanted);
  consume(target);
  const values = machine.popMany(params.length);
  const { fiber } = found;
  const parent = resumer(fiber);
  const { clauses } = fiber;
  const left = capture(machine, fiber);
  run(machine, target, parent, clauses);
  deliver(machine, target, [...values, left]);
}

/** JavaScript is called with a continuation, which cannot cross: the call throws a TypeError before it reaches JavaScript. */
function callTake(machine: Machine, { type }: Typed): Value[] {
  observe(machine, 'pass to JavaScript', machine.pop() as Continuation | null, machine.signature(type).params);
  throw new HostThrow(new HostValue(TYPE_ERROR));
}

function dropCont(machine: Machine, { type }: Typed): void {
  observe(machine, 'drop', machine.pop() as Continuation | null, machine.signature(type).params);
}

/** The import `heddle` `cont.clone`: another continuation in the same state, which has fibers of its own. */
function callClone(machine: Machine, { type }: Typed): void {
  const reference = machine.pop() as Continuation | null;
  observe(machine, 'clone', reference, machine.signature(type).params);
  const { leaf, outermost, bound } = usable(reference);
  const copies = chain(leaf, outermost).map((fiber) => fiber.clone());
  copies.forEach((copy, i) => {
    copy.parent = copies[i + 1];
  });
  machine.push(new Continuation(copies[copies.length - 1] as Fiber, copies[0] as Fiber, bound));
}

export const CONTINUATION_OPERATIONS = {
  'cont.new': contNew,
  'cont.bind': contBind,
  resume,
  resume_throw: resumeThrow,
  resume_throw_ref: resumeThrowRef,
  suspend,
  switch: switchTo,
  call_take: callTake,
  call_clone: callClone,
  drop_cont: dropCont,
};

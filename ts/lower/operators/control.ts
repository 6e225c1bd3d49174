/**
 * Structured control: blocks and branches.
 *
 * The sealing rule: Cranelift's builder must know all branches to a block before the block is sealed, and a branch that comes later makes wrong code
 * without a word. A loop's header is sealed at its `end`, another label where it is placed (`end`), the other arm of an `if` where it is placed
 * (`else` or `end`).
 */
import { TRAP, VMThread } from '../../generated/abi.js';
import { MEMORY, TYPE } from '../../generated/clif.js';
import { Frame } from '../function/frame.js';
import type { FunctionLowering, Handlers } from '../function/function.js';
import { emitReturn } from '../function/return.js';
import { NONE, type Value } from '../program/program.js';
import { OP } from '../program/stream.js';
import { closeScope, emitDispatch } from './dispatch.js';
import { landClause } from './exceptions.js';

function unreachable(f: FunctionLowering): void {
  f.locate();
  f.program.trap(TRAP.unreachable);
  f.dead = true;
}

function block(f: FunctionLowering): void {
  const { params, results } = f.blockType();
  f.enter(new Frame('block', f.height - params.length, results, results));
}

function loop(f: FunctionLowering): void {
  const { params, results } = f.blockType();
  const args = f.popMany(params.length);
  const frame = new Frame('loop', f.height, params, results);
  frame.label = f.program.block(params);
  // Loaded before the loop, so that no optimisation is needed to keep it out of it.
  const page = f.context.options.interruptible ? f.threadPointer(VMThread.pollPage) : -1;
  f.program.jump(frame.label, args);
  f.enter(frame);
  f.meet(frame.label, params);
  if (page >= 0) {
    f.locate();
    // Atomic, for a plain load could be merged with an earlier one; its value does not matter.
    f.program.atomicLoad(TYPE.I32, MEMORY.trusted, page);
  }
}

/**
 * Gives a branch its place. Cranelift makes one trapping instruction of a branch to a block that only traps, and that has the branch's place: the one of
 * an `unreachable` that follows at once is better.
 */
function locateBranch(f: FunctionLowering): void {
  f.locate(f.ops[f.at] === OP.unreachable ? f.ops[f.at + 1] : f.offset);
}

function openIf(f: FunctionLowering): void {
  const { params, results } = f.blockType();
  const condition = f.popCondition();
  const args = f.peek(params.length);
  const then = f.program.block(NONE);
  const frame = new Frame('if', f.height - params.length, results, results);
  frame.otherwise = f.program.block(NONE);
  frame.params = args;
  locateBranch(f);
  f.program.brif(condition, then, NONE, frame.otherwise, NONE);
  f.enter(frame);
  f.follow(then);
}

/** Ends an arm of a frame: goes to its label with its results, unless the arm is dead. */
export function leave(f: FunctionLowering, frame: Frame): void {
  if (!f.dead) f.program.jump(f.label(frame), f.peek(frame.results.length));
  f.dropTo(frame.height);
  f.forget(frame);
}

/** Begins the other arm of an `if`, with the operands that the first one had. */
function otherArm(f: FunctionLowering, frame: Frame): void {
  f.program.seal(frame.otherwise);
  f.meet(frame.otherwise, NONE);
  frame.otherwise = -1;
  f.pushAll(frame.params);
}

function openElse(f: FunctionLowering): void {
  const frame = f.frame(0);
  leave(f, frame);
  otherArm(f, frame);
}

/** Goes on at a frame's label, which nothing branches to after this. */
function placeLabel(f: FunctionLowering, frame: Frame): void {
  const label = f.label(frame);
  f.program.seal(label);
  f.meet(label, frame.results);
}

function end(f: FunctionLowering): void {
  closeFrame(f, f.frame(0));
}

/** Ends the innermost frame. */
export function closeFrame(f: FunctionLowering, frame: Frame): void {
  if (frame.kind === 'loop') endLoop(f, frame);
  else if (frame.kind === 'try') endTry(f, frame);
  else if (frame.otherwise >= 0) endIf(f, frame);
  else endBlock(f, frame);
  f.frames.pop();
  if (frame.kind === 'inlined') f.endInlined();
  if (frame.kind === 'function' && !f.dead) emitReturn(f);
}

function endLoop(f: FunctionLowering, frame: Frame): void {
  f.program.seal(frame.label);
  f.forget(frame);
  if (f.dead) resurrect(f, frame);
}

/** An `if` without `else`: its other arm passes the params on as results. */
function endIf(f: FunctionLowering, frame: Frame): void {
  if (frame.label < 0 && frame.results.length === 0) {
    frame.label = frame.otherwise;
    leave(f, frame);
  } else {
    leave(f, frame);
    otherArm(f, frame);
    leave(f, frame);
  }
  placeLabel(f, frame);
}

function endBlock(f: FunctionLowering, frame: Frame): void {
  if (frame.label >= 0) {
    leave(f, frame);
    placeLabel(f, frame);
    return;
  }
  f.forget(frame);
  // A function that cannot return needs nothing behind its last operator.
  if (f.dead && frame.kind !== 'function') resurrect(f, frame);
}

/** A try_table ends like a block, with the code of its clauses between its body and its label. */
function endTry(f: FunctionLowering, frame: Frame): void {
  const scope = closeScope(f, frame);
  if (scope === undefined || scope.dispatch < 0) {
    endBlock(f, frame);
    return;
  }
  leave(f, frame);
  const exception = emitDispatch(f, scope);
  for (const clause of scope.clauses) landClause(f, clause, exception);
  if (frame.label >= 0) placeLabel(f, frame);
  else resurrect(f, frame);
}

/** Operators follow that nothing reaches, but that the validator counts as reachable: they go to a block without predecessors. */
function resurrect(f: FunctionLowering, frame: Frame): void {
  f.dropTo(frame.height);
  const block = f.program.block(frame.results);
  f.program.seal(block);
  f.meet(block, frame.results);
}

function br(f: FunctionLowering): void {
  const frame = f.frame(f.immediate());
  if (frame.kind === 'function') emitReturn(f);
  else f.program.jump(f.label(frame), f.peek(frame.branch.length));
  f.dead = true;
}

function brIf(f: FunctionLowering): void {
  const frame = f.frame(f.immediate());
  const condition = f.popCondition();
  branchIf(f, condition, frame, f.peek(frame.branch.length));
}

/** A branch to a frame where the condition holds; else it goes on here. */
export function branchIf(f: FunctionLowering, condition: Value, frame: Frame, args: readonly Value[]): void {
  const label = f.label(frame);
  const next = f.program.block(NONE);
  locateBranch(f);
  f.program.brif(condition, label, args, next, NONE);
  f.follow(next);
}

/** A branch to a frame where the value is 0; else it goes on here. */
export function branchUnless(f: FunctionLowering, value: Value, frame: Frame, args: readonly Value[]): void {
  const label = f.label(frame);
  const next = f.program.block(NONE);
  locateBranch(f);
  f.program.brif(value, next, NONE, label, args);
  f.follow(next);
}

function brTable(f: FunctionLowering): void {
  const count = f.immediate();
  const depths = Array.from({ length: count + 1 }, () => f.immediate());
  const index = f.pop();
  const [otherwise, ...labels] = depths.map((depth) => f.label(f.frame(depth)));
  const args = f.peek(f.frame(depths[0] as number).branch.length);
  f.program.brTable(index, labels, otherwise as number, args);
  f.dead = true;
}

function returnOperator(f: FunctionLowering): void {
  emitReturn(f);
  f.dead = true;
}

function brOnNull(f: FunctionLowering): void {
  const frame = f.frame(f.immediate());
  const reference = f.pop();
  branchUnless(f, reference, frame, f.peek(frame.branch.length));
  f.push(reference);
}

function brOnNonNull(f: FunctionLowering): void {
  const frame = f.frame(f.immediate());
  // The label takes the reference last.
  const args = f.peek(frame.branch.length);
  branchIf(f, f.pop(), frame, args);
}

/** Operators of this group. */
export const CONTROL: Handlers = [
  [OP.unreachable, unreachable],
  [OP.nop, () => {}],
  [OP.block, block],
  [OP.loop, loop],
  [OP.if, openIf],
  [OP.else, openElse],
  [OP.end, end],
  [OP.br, br],
  [OP.brIf, brIf],
  [OP.brTable, brTable],
  [OP.return, returnOperator],
  [OP.brOnNull, brOnNull],
  [OP.brOnNonNull, brOnNonNull],
];

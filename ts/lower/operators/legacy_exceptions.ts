/**
 * Legacy exceptions: try, catch, catch_all, delegate, rethrow. Calls inside the body of a `try` get the edges of its clauses, as in a try_table, but a clause's
 * code stands behind the body, in the frame itself, and keeps the exception for `rethrow`. What the clauses are must be known when the body's first call is
 * made, so the stream is read ahead once.
 */
import { LIBCALL, TRAP } from '../../generated/abi.js';
import { type CatchClause, Frame } from '../function/frame.js';
import type { FunctionLowering, Handlers } from '../function/function.js';
import { NONE } from '../program/program.js';
import { OP, operatorEnd } from '../program/stream.js';
import { throwingCall } from './calls.js';
import { closeFrame, leave } from './control.js';
import { closeScope, emitDispatch, openScope } from './dispatch.js';
import { caughtValues, keepException, releaseException, tagShape } from './exceptions.js';

/** A clause as the stream has it. */
interface Arm {
  /** Tag index, -1 for catch_all. */
  readonly tag: number;
  /** Whether a rethrow in it throws its exception. */
  rethrown: boolean;
}

/** What a `try` of the stream has, by where its immediates begin. */
type LegacyTries = ReadonlyMap<number, { readonly arms: readonly Arm[]; readonly delegate: number }>;

/** Every `try` of a stream from `start` on. */
function readTries(ops: Uint32Array, start: number): LegacyTries {
  const tries = new Map<number, { arms: Arm[]; delegate: number }>();
  const open: ({ arms: Arm[]; delegate: number } | undefined)[] = [undefined];
  for (let at = start; at < ops.length; at = operatorEnd(ops, at)) {
    const immediate = ops[at + 2] as number;
    switch (ops[at]) {
      case OP.block:
      case OP.loop:
      case OP.if:
      case OP.tryTable:
        open.push(undefined);
        break;
      case OP.try: {
        const entry = { arms: [], delegate: -1 };
        tries.set(at + 2, entry);
        open.push(entry);
        break;
      }
      case OP.catch:
        open[open.length - 1]?.arms.push({ tag: immediate, rethrown: false });
        break;
      case OP.catchAll:
        open[open.length - 1]?.arms.push({ tag: -1, rethrown: false });
        break;
      case OP.rethrow: {
        const arm = open[open.length - 1 - immediate]?.arms.at(-1);
        if (arm !== undefined) arm.rethrown = true;
        break;
      }
      case OP.delegate: {
        const entry = open.pop();
        if (entry !== undefined) entry.delegate = immediate;
        break;
      }
      case OP.end:
        open.pop();
    }
  }
  return tries;
}

/** The tries of each stream in which one was met. */
const known = new WeakMap<Uint32Array, LegacyTries>();

function triesOf(f: FunctionLowering): LegacyTries {
  let tries = known.get(f.ops);
  if (tries === undefined) {
    // This is the stream's first: nothing before it is a try.
    tries = readTries(f.ops, f.at - 2);
    known.set(f.ops, tries);
  }
  return tries;
}

function openTry(f: FunctionLowering): void {
  const entry = triesOf(f).get(f.at);
  if (entry === undefined) throw new Error(`try at ${f.offset} was not read ahead`);
  const { params, results } = f.blockType();
  const frame = new Frame('legacy', f.height - params.length, results, results);
  const delegated = entry.delegate < 0 ? undefined : f.frame(entry.delegate);
  f.enter(frame);
  if (delegated !== undefined) frame.scope = delegated.scope;
  if (entry.arms.length === 0) return;
  const clauses = entry.arms.map(
    ({ tag, rethrown }): CatchClause => ({
      tag,
      shape: tag < 0 ? undefined : tagShape(f, tag),
      reference: rethrown,
      target: frame,
      block: -1,
    }),
  );
  frame.arms = [...clauses];
  openScope(f, frame, clauses);
}

/** Ends the arm before and begins the next: its operands are the exception's values. */
function openArm(f: FunctionLowering): void {
  const frame = f.frame(0);
  leave(f, frame);
  // Behind the body; where nothing in it throws, nothing reaches the arms, but they are there.
  if (frame.exception < 0) {
    const scope = closeScope(f, frame);
    if (scope !== undefined) frame.exception = emitDispatch(f, scope);
  }
  const clause = frame.arms.shift();
  if (clause === undefined) throw new Error(`catch at ${f.offset} was not read ahead`);
  f.program.seal(clause.block);
  f.meet(clause.block, NONE);
  const values = clause.shape === undefined ? NONE : caughtValues(f, frame.exception, clause.shape);
  if (clause.reference) keepException(f, frame.exception);
  else releaseException(f, frame.exception);
  f.pushAll(values);
}

function catchTag(f: FunctionLowering): void {
  f.immediate();
  openArm(f);
}

function delegate(f: FunctionLowering): void {
  f.immediate();
  closeFrame(f, f.frame(0));
}

function rethrow(f: FunctionLowering): void {
  throwingCall(f, LIBCALL.throwRef, [f.frame(f.immediate()).exception]);
  f.program.trap(TRAP.unreachable);
  f.dead = true;
}

/** Operators of this group. */
export const LEGACY_EXCEPTIONS: Handlers = [
  [OP.try, openTry],
  [OP.catch, catchTag],
  [OP.catchAll, openArm],
  [OP.delegate, delegate],
  [OP.rethrow, rethrow],
];

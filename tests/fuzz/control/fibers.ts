/**
 * Stacks of the reference interpreter.
 */
import type { Clause, Code, Labelled } from './program.js';
import type { Continuation, Value } from './values.js';

/** An entered block, or a function's body: where execution stands in it, and what a branch to it does. */
export interface Activation {
  readonly code: Code;
  /** The instruction to execute next. */
  next: number;
  /** The block, undefined for a function's body and for what has no label. */
  readonly block: Labelled | undefined;
  /** Values that stay when a branch goes to its label. */
  readonly arity: number;
  /** Operands below it. */
  readonly height: number;
}

/** A call of a function. */
export interface Frame {
  readonly func: number;
  readonly locals: Value[];
  readonly operands: Value[];
  readonly activations: Activation[];
}

/** What has become of a fiber. `active`: it runs, or waits for a fiber that it resumed and that is active. */
export type FiberState = 'fresh' | 'active' | 'suspended' | 'returned' | 'trapped' | 'thrown out of';

/** A stack: the frames of one continuation's function and what that called. */
export class Fiber {
  state: FiberState = 'fresh';
  readonly frames: Frame[] = [];
  /** Who resumed it, or waits for it within a suspended chain; undefined for the base of a call from JavaScript. */
  parent: Fiber | undefined;
  /** Of the resume that runs it. */
  clauses: readonly Clause[] = [];

  /** `func` is what it runs. */
  constructor(readonly func: number) {}

  get top(): Frame {
    const frame = this.frames[this.frames.length - 1];
    if (frame === undefined) throw new Error('the fiber has no frame');
    return frame;
  }
}

/** What an operation can find a continuation in. The `consumed` ones are what became of it since. */
export const STATES = [
  'null',
  'fresh',
  'fresh, bound in part',
  'suspended',
  'suspended, bound in part',
  'consumed: waits under another reference',
  'consumed: running',
  'consumed: parent',
  'consumed: returned',
  'consumed: trapped',
  'consumed: thrown out of',
] as const;

export type ContinuationState = (typeof STATES)[number];

/** The state of a continuation where `running` is the innermost fiber that runs. */
export function stateOf(continuation: Continuation | null, running: Fiber | undefined): ContinuationState {
  if (continuation === null) return 'null';
  const { state } = continuation.outermost;
  if (!continuation.consumed) {
    const waiting = state === 'fresh' ? 'fresh' : 'suspended';
    return continuation.bound.length === 0 ? waiting : `${waiting}, bound in part`;
  }
  switch (state) {
    case 'fresh':
    case 'suspended':
      return 'consumed: waits under another reference';
    case 'active':
      return continuation.outermost === running ? 'consumed: running' : 'consumed: parent';
    default:
      return `consumed: ${state}`;
  }
}

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

/**
 * The addresses that a fiber gets when it is first resumed and keeps for its life. Its clones go on at the same ones, so that of all fibers that share them one is active
 * at most (docs/decisions/0032).
 */
export class Addresses {
  active: Fiber | undefined;
}

/** A stack: the frames of one continuation's function and what that called. */
export class Fiber {
  #state: FiberState = 'fresh';
  /** Whether it is a clone, or has one. */
  cloned = false;
  /** Undefined while it is fresh. */
  addresses: Addresses | undefined;
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

  get state(): FiberState {
    return this.#state;
  }

  set state(state: FiberState) {
    const { addresses } = this;
    if (state === 'active' && addresses !== undefined) addresses.active = this;
    else if (addresses?.active === this) addresses.active = undefined;
    this.#state = state;
  }

  /** Runs from now on, or waits for one that does. */
  activate(): void {
    if (this.isBlocked) throw new Error('another version is active');
    this.addresses ??= new Addresses();
    this.state = 'active';
  }

  /** Whether another version of it is active. */
  get isBlocked(): boolean {
    return this.addresses?.active !== undefined && this.addresses.active !== this;
  }

  /** A second fiber in the same state, which waits for nobody yet. What frames refer to is shared; how far execution is in them is not. */
  clone(): Fiber {
    const fiber = new Fiber(this.func);
    fiber.state = this.state;
    fiber.clauses = this.clauses;
    for (const { func, locals, operands, activations } of this.frames) {
      fiber.frames.push({
        func,
        locals: [...locals],
        operands: [...operands],
        activations: activations.map((activation) => ({ ...activation })),
      });
    }
    fiber.addresses = this.addresses;
    fiber.cloned = true;
    this.cloned = true;
    return fiber;
  }
}

/** The fibers of a chain, from the innermost. */
export function chain(leaf: Fiber, outermost: Fiber): Fiber[] {
  const fibers = [leaf];
  for (let fiber = leaf; fiber !== outermost; ) {
    if (fiber.parent === undefined) throw new Error('a chain has lost its outermost fiber');
    fiber = fiber.parent;
    fibers.push(fiber);
  }
  return fibers;
}

/**
 * Whether a version cannot go on now: a fiber of another version of its chain is active, in whatever chain that is by now, be it that it runs, waits for a fiber that
 * it resumed, or for JavaScript. Fibers that have left the chain meanwhile do not count.
 */
export const isBlocked = ({ leaf, outermost }: Continuation): boolean => chain(leaf, outermost).some((fiber) => fiber.isBlocked);

/** What an operation can find a continuation in. The `consumed` ones are what became of it since. */
export const STATES = [
  'null',
  'fresh',
  'fresh, bound in part',
  'suspended',
  'suspended, bound in part',
  'cloned: fresh',
  'cloned: fresh, bound in part',
  'cloned: suspended',
  'cloned: suspended, bound in part',
  'cloned: another version is active',
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
    if (isBlocked(continuation)) return 'cloned: another version is active';
    if (continuation.outermost.cloned) return continuation.bound.length === 0 ? `cloned: ${waiting}` : `cloned: ${waiting}, bound in part`;
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

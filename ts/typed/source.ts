/**
 * What a coroutine runs on, and what makes one of another.
 */
import type { Continuation, ContinuationState, Resumption, Returned } from '../api/continuation.js';
import { continuationRunning, continuationUsed, wrongTag, wrongValues } from '../errors/catalog.js';
import type { AnyTag } from './tag.js';
import { nameOf } from './tag.js';
import { isThenable, type KnownType, requireValues, valuesOf } from './types.js';

/** A suspension, and what goes on from there. */
interface Suspension {
  readonly done: false;
  readonly tag: AnyTag;
  readonly payload: readonly unknown[];
  readonly continuation: Source;
}

export type SourceStep = Returned | Suspension;

/** Has the methods of a {@link Continuation}, and goes on once, as one. */
export interface Source {
  readonly state: ContinuationState;
  resume(...values: readonly unknown[]): SourceStep;
  resumeAsync(...values: readonly unknown[]): Promise<SourceStep>;
  resumeThrow(tag: AnyTag, ...values: readonly unknown[]): SourceStep;
  raise(reason: unknown): SourceStep;
  raiseAsync(reason: unknown): Promise<SourceStep>;
  snapshot(): Source;
  cancel(): void;
}

/** A continuation that ends where it suspends with a tag that it was not declared with. */
export class Declared implements Source {
  readonly #continuation: Continuation;
  readonly #tags: ReadonlySet<AnyTag>;

  constructor(continuation: Continuation, tags: ReadonlySet<AnyTag>) {
    this.#continuation = continuation;
    this.#tags = tags;
  }

  get state(): ContinuationState {
    return this.#continuation.state;
  }

  resume(...values: readonly unknown[]): SourceStep {
    return this.#checked(this.#continuation.resume(...values));
  }

  async resumeAsync(...values: readonly unknown[]): Promise<SourceStep> {
    return this.#checked(await this.#continuation.resumeAsync(...values));
  }

  resumeThrow(tag: AnyTag, ...values: readonly unknown[]): SourceStep {
    return this.#checked(this.#continuation.resumeThrow(tag, ...values));
  }

  raise(reason: unknown): SourceStep {
    return this.#checked(this.#continuation.raise(reason));
  }

  async raiseAsync(reason: unknown): Promise<SourceStep> {
    return this.#checked(await this.#continuation.raiseAsync(reason));
  }

  snapshot(): Source {
    return new Declared(this.#continuation.snapshot(), this.#tags);
  }

  cancel(): void {
    this.#continuation.cancel();
  }

  #checked(step: Resumption): SourceStep {
    if (step.done) return step;
    const { tag, payload, continuation } = step;
    if (this.#tags.has(tag)) return { done: false, tag, payload, continuation: new Declared(continuation, this.#tags) };
    const error = wrongTag(`the coroutine has suspended with ${nameOf(tag)}, which it was not declared with`);
    try {
      continuation.cancel();
    } catch (reason) {
      error.cause = reason; // A handler inside has thrown it.
    }
    throw error;
  }
}

/** What is done where a coroutine suspends with a tag. */
export interface Rule {
  readonly tag: AnyTag;
  /** Types of the answer. */
  readonly results: readonly KnownType[];
  /** The answer, or, where this delegates, what runs in its place and returns the answer. */
  readonly answer: (payload: readonly unknown[]) => unknown;
  readonly delegates: boolean;
}

/** Something to be done now, or later: then it gives a promise. */
export type Work = (later: boolean) => unknown;

/** Does what there is to do, one after the other: the same steps for who waits and who does not. */
export function now<T>(steps: Generator<Work, T, unknown>): T {
  let turn = steps.next();
  while (turn.done !== true) {
    let result: unknown;
    try {
      result = turn.value(false);
    } catch (reason) {
      turn = steps.throw(reason);
      continue;
    }
    turn = steps.next(result);
  }
  return turn.value;
}

/** {@link now}, with promises. */
export async function later<T>(steps: Generator<Work, T, unknown>): Promise<T> {
  let turn = steps.next();
  while (turn.done !== true) {
    let result: unknown;
    try {
      result = await turn.value(true);
    } catch (reason) {
      turn = steps.throw(reason);
      continue;
    }
    turn = steps.next(result);
  }
  return turn.value;
}

export const goesOn = (source: Source): boolean => source.state === 'fresh' || source.state === 'suspended';

export const resumed =
  (source: Source, values: readonly unknown[]): Work =>
  (isLater) =>
    // spread: as many as a function type has
    isLater ? source.resumeAsync(...values) : source.resume(...values);

const raised =
  (source: Source, reason: unknown): Work =>
  (isLater) =>
    isLater ? source.raiseAsync(reason) : source.raise(reason);

/** A source of whose suspensions those with one tag are answered by a rule. */
export class Handled implements Source {
  readonly #source: Source;
  readonly #rule: Rule;
  /** What runs in place of a suspension of the source; the source waits for what it returns. */
  readonly #inner: Source | undefined;
  /** Once it is resumed. */
  #state: 'running' | 'used' | 'done' | undefined;

  constructor(source: Source, rule: Rule, inner: Source | undefined = undefined) {
    this.#source = source;
    this.#rule = rule;
    this.#inner = inner;
  }

  get state(): ContinuationState {
    return this.#state ?? this.#first.state;
  }

  resume(...values: readonly unknown[]): SourceStep {
    return now(this.#run(resumed(this.#first, values)));
  }

  resumeAsync(...values: readonly unknown[]): Promise<SourceStep> {
    return later(this.#run(resumed(this.#first, values)));
  }

  resumeThrow(tag: AnyTag, ...values: readonly unknown[]): SourceStep {
    return now(this.#run(() => this.#first.resumeThrow(tag, ...values)));
  }

  raise(reason: unknown): SourceStep {
    return now(this.#run(raised(this.#first, reason)));
  }

  raiseAsync(reason: unknown): Promise<SourceStep> {
    return later(this.#run(raised(this.#first, reason)));
  }

  /** Of what is suspended, and of what runs in its place. The rule is the same: what its function keeps is shared. */
  snapshot(): Source {
    this.#requireUnused();
    return new Handled(this.#source.snapshot(), this.#rule, this.#inner?.snapshot());
  }

  cancel(): void {
    if (this.#state === 'running') throw continuationRunning();
    if (this.#state !== undefined) return;
    this.#state = 'done';
    try {
      this.#inner?.cancel();
    } finally {
      this.#source.cancel();
    }
  }

  #requireUnused(): void {
    if (this.#state === 'running') throw continuationRunning();
    if (this.#state !== undefined) throw continuationUsed();
  }

  /** What is resumed. */
  get #first(): Source {
    return this.#inner ?? this.#source;
  }

  *#run(first: Work): Generator<Work, SourceStep, unknown> {
    this.#requireUnused();
    this.#state = 'running';
    try {
      const step = yield* this.#follow(first);
      this.#state = step.done ? 'done' : 'used';
      return step;
    } catch (reason) {
      // Where the first resumption was refused nothing has happened.
      this.#state = goesOn(this.#first) ? undefined : 'done';
      throw reason;
    }
  }

  /** Goes on until the source returns or suspends with another tag. What a rule or the inner one throws is thrown into the source. */
  *#follow(work: Work): Generator<Work, SourceStep, unknown> {
    const rule = this.#rule;
    let source = this.#source;
    let inner = this.#inner;
    while (true) {
      if (inner !== undefined) {
        try {
          const step = (yield work) as SourceStep;
          if (!step.done) return { ...step, continuation: new Handled(source, rule, step.continuation) };
          work = resumed(source, this.#answers(step.value));
        } catch (reason) {
          if (goesOn(inner)) throw reason;
          work = raised(source, reason);
        }
        inner = undefined;
        continue;
      }
      const step = (yield work) as SourceStep;
      if (step.done) return step;
      if (step.tag !== rule.tag) return { ...step, continuation: new Handled(step.continuation, rule) };
      source = step.continuation;
      try {
        const answer = yield (isLater) => this.#answer(step.payload, isLater);
        if (rule.delegates) {
          inner = answer as Source;
          work = resumed(inner, []);
        } else work = resumed(source, this.#answers(answer));
      } catch (reason) {
        work = raised(source, reason);
      }
    }
  }

  #answer(payload: readonly unknown[], isLater: boolean): unknown {
    const { answer, results } = this.#rule;
    const given = answer(payload);
    if (!isLater && results.length === 0 && isThenable(given)) {
      throw wrongValues('a handler has returned a promise: what waits for promises is resumed by resumeAsync');
    }
    return given;
  }

  /** The values that an answer is. */
  #answers(answer: unknown): readonly unknown[] {
    const { tag, results } = this.#rule;
    const what = `the answer to ${nameOf(tag)}`;
    const values = valuesOf(results, answer, what);
    requireValues(results, values, what);
    return values;
  }
}

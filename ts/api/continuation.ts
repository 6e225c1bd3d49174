/**
 * Continuation: a WebAssembly function that JavaScript starts, suspends, resumes, throws into and ends.
 */
import { inspected, view } from '../base/inspection.js';
import { INFINITE, listOf, mapped, part } from '../base/intrinsics.js';
import { continuationRunning, continuationUsed, wrongArgument } from '../errors/catalog.js';
import { LIMIT } from '../generated/abi.js';
import { theEngine } from '../instance/engine.js';
import type { ExportedFunction } from '../instance/functions/callable.js';
import type { RawValue } from '../instance/functions/mailbox.js';
import { typeName } from '../instance/messages/type_text.js';
import { Held } from '../schedule/held.js';
import { type CallLimits, LimitedCall, limitsOf, TurnLimit } from '../schedule/limit.js';
import { exportOf } from '../schedule/promising.js';
import { cancel, makeException, untilReady } from '../schedule/run.js';
import type { ValueType } from '../validate/description.js';
import { type Tag, tagOf, wrapTag } from './objects.js';

/** The function has returned. */
export interface Returned {
  /** It is over. */
  readonly done: true;
  /** What the call of an export would return. */
  readonly value: unknown;
}

/** A tag was suspended with that no handler inside takes. The continuation goes on by being resumed with the tag's results. */
export interface Suspended {
  /** It is not over. */
  readonly done: false;
  /** What it suspended with. */
  readonly tag: Tag;
  /** The tag's parameters. */
  readonly payload: readonly unknown[];
  /** What goes on from here. */
  readonly continuation: Continuation;
}

/** What a resumption gives. */
export type Resumption = Returned | Suspended;

/**
 * - fresh: made, nothing has run yet
 * - suspended: waits for a resumption
 * - running: resumed, and not back yet; an import of it may be waiting for a promise
 * - used: resumed, thrown into or bound since; another object stands for what came of it
 * - done: the function has returned or thrown, or the continuation was disposed of
 */
export type ContinuationState = 'fresh' | 'suspended' | 'running' | 'used' | 'done';

/** What a continuation expects and gives. */
interface Shape {
  /** Types of what it is to be resumed with. */
  readonly params: readonly ValueType[];
  /** Types of the function's results. */
  readonly results: readonly ValueType[];
  readonly fresh: boolean;
  /** Of each resumption; undefined where there are none. */
  readonly limits: CallLimits | undefined;
}

/** Passed instead of a function by this module itself. */
class Existing {
  constructor(
    readonly held: Held,
    readonly shape: Shape,
  ) {}
}

const SYNC = LIMIT.takesSuspensions;
const ASYNC = LIMIT.takesSuspensions | LIMIT.takesPromises;

/** A payload as one value: nothing, the value, or the list of them. */
function single(payload: readonly unknown[]): unknown {
  return payload.length > 1 ? payload : payload[0];
}

/**
 * A function of WebAssembly on a stack of its own. It can be resumed once: each suspension gives a new Continuation for the rest. When nothing refers to it any
 * more its stack is given back.
 *
 * @example
 * ```js
 * import { Continuation, parseWat, WebAssembly } from 'heddle';
 *
 * const bytes = parseWat(`(module
 *   (tag $yield (param i32))
 *   (func (export "two") (suspend $yield (i32.const 1)) (suspend $yield (i32.const 2))))`);
 * const { instance } = await WebAssembly.instantiate(bytes);
 * console.log([...new Continuation(instance.exports.two)]); // [ 1, 2 ]
 * ```
 */
export class Continuation {
  readonly #held: Held;
  readonly #version: number;
  readonly #shape: Shape;

  /**
   * Of an exported function; nothing runs yet. Options say what ends each resumption of it, and of what stands for it later: with an error it is over. Throws a TypeError for other values and
   * options, and where values of the function's type do not cross to JavaScript.
   */
  constructor(fn: ExportedFunction, options: CallLimits | undefined = undefined) {
    const given: unknown = fn;
    if (given instanceof Existing) {
      this.#held = given.held;
      this.#shape = given.shape;
    } else {
      const engine = theEngine();
      const limits = limitsOf('Continuation', options);
      const address = exportOf(fn, 'Continuation');
      const type = engine.types.type(engine.exports.typeOf(address));
      engine.convert.requireCrossing(type);
      this.#held = Held.of(engine, address);
      this.#shape = { params: type.params, results: type.results, fresh: true, limits };
    }
    this.#version = this.#held.version;
  }

  /** What can be done with it now. */
  get state(): ContinuationState {
    const { version, isWaiting, isOver } = this.#held;
    if (version === this.#version && isWaiting) return this.#shape.fresh ? 'fresh' : 'suspended';
    if (version > this.#version + 1) return 'used';
    if (isOver) return 'done';
    return isWaiting ? 'used' : 'running';
  }

  /**
   * Goes on until the function returns or suspends with a tag that no handler inside takes. A fresh continuation takes the function's parameters, a suspended one its
   * tag's results. Throws what the function throws or traps with, and a TypeError for wrong arguments (nothing has happened then), or where the continuation is used or
   * running. An import that would wait for a promise is a SuspendError here; see {@link resumeAsync}.
   */
  resume(...args: unknown[]): Resumption {
    return this.#resume(args);
  }

  #resume(args: readonly unknown[]): Resumption {
    const values = this.#values(args);
    const { limits } = this.#shape;
    if (limits !== undefined)
      return this.#limited(limits, () => this.#take().resume(this.#shape.params, this.#renewed(values, args), SYNC));
    this.#take().resume(this.#shape.params, values, SYNC);
    return this.#step();
  }

  /** Makes a resumption that ends with its turn. */
  #limited(limits: CallLimits, resume: () => void): Resumption {
    const limited = this.#begin(limits);
    try {
      limited.turn(resume);
      return this.#step();
    } finally {
      limited.close();
    }
  }

  /** Begins a resumption with limits. Where its signal is aborted already the continuation ends. */
  #begin(limits: CallLimits): LimitedCall {
    const engine = theEngine();
    try {
      return new LimitedCall(engine, limits, 'the resumption');
    } catch (reason) {
      cancel(engine, this.#take());
      throw reason;
    }
  }

  /** What {@link #values} made, once JavaScript has run. */
  #renewed(values: readonly RawValue[], args: readonly unknown[]): readonly RawValue[] {
    return theEngine().convert.renewHandles(this.#shape.params, values as readonly (number | bigint)[], args);
  }

  /** As {@link resume}; imports of `Suspending` may wait for promises meanwhile. */
  async resumeAsync(...args: unknown[]): Promise<Resumption> {
    return await this.#resumeAsync(args);
  }

  async #resumeAsync(args: readonly unknown[]): Promise<Resumption> {
    const values = this.#values(args);
    const { limits } = this.#shape;
    if (limits !== undefined) {
      return await this.#limitedAsync(limits, (held) => held.resume(this.#shape.params, this.#renewed(values, args), ASYNC));
    }
    const held = this.#take();
    held.resume(this.#shape.params, values, ASYNC);
    return held.isParked ? await untilReady(theEngine(), ASYNC, () => this.#step(), held) : this.#step();
  }

  /** {@link #limited} of a resumption that may wait. */
  async #limitedAsync(limits: CallLimits, resume: (held: Held) => void): Promise<Resumption> {
    const limited = this.#begin(limits);
    let held: Held | undefined;
    try {
      held = this.#take();
      const taken = held;
      limited.turn(() => resume(taken));
      if (!held.isParked) return this.#step();
    } finally {
      if (held?.isParked !== true) limited.close();
    }
    return await untilReady(theEngine(), ASYNC, () => this.#step(), held, limited);
  }

  /**
   * Throws an exception where the continuation is suspended, and goes on as {@link resume} does. Where nothing inside catches it, it is thrown here. `WebAssembly.JSTag`
   * with one value throws that value as JavaScript's.
   */
  resumeThrow(tag: Tag, ...values: unknown[]): Resumption {
    const { limits } = this.#shape;
    const resume = (): void => {
      const exception = this.#exception(tag, values);
      this.#take().throwInto(exception, SYNC);
    };
    if (limits !== undefined) return this.#limited(limits, resume);
    resume();
    return this.#step();
  }

  /**
   * Throws what JavaScript has thrown where it is suspended, as an import that throws it would. A trap, which WebAssembly must not catch, is thrown here, and nothing goes on. @internal
   */
  raise(reason: unknown): Resumption {
    const { limits } = this.#shape;
    const resume = (): void => this.#take().throwInto(this.#caught(reason), SYNC);
    if (limits !== undefined) return this.#limited(limits, resume);
    resume();
    return this.#step();
  }

  /** {@link raise}; imports may wait for promises meanwhile. @internal */
  async raiseAsync(reason: unknown): Promise<Resumption> {
    const { limits } = this.#shape;
    const resume = (held: Held): void => held.throwInto(this.#caught(reason), ASYNC);
    if (limits !== undefined) return await this.#limitedAsync(limits, resume);
    const held = this.#take();
    resume(held);
    return held.isParked ? await untilReady(theEngine(), ASYNC, () => this.#step(), held) : this.#step();
  }

  /** The exception that WebAssembly sees; throws what it must not catch. */
  #caught(reason: unknown): number {
    const address = theEngine().exceptions.caught(reason);
    if (address === 0) throw reason;
    return address;
  }

  /** Gives the first arguments now. The result stands for the continuation; this one is used. */
  bind(...args: unknown[]): Continuation {
    const { params, results, fresh, limits } = this.#shape;
    if (args.length > params.length) throw wrongArgument(`the continuation takes ${params.length} values, not ${args.length}`);
    const engine = theEngine();
    const bound = part(params, 0, args.length);
    const values = engine.convert.toWasmAll(bound, args);
    this.#take().bind(bound, values);
    return this.#next({ params: part(params, args.length), results, fresh, limits });
  }

  /**
   * A second continuation in the same state, both of which go on, each once. What frames refer to is shared: memories, tables, globals, objects. Of continuations that go on
   * from one state only one runs at a time: where another runs already, resuming is a trap with code HEDDLE_TRAP_SNAPSHOT_ACTIVE, and this one stays as it is
   * (docs/snapshots.md). Throws a TypeError where this one is used, running, or waits for a promise.
   */
  snapshot(): Continuation {
    this.#requireUnused();
    return new Continuation(new Existing(this.#held.clone(), this.#shape) as unknown as ExportedFunction);
  }

  /**
   * Ends it: an exception that only catch_all sees runs the handlers inside, and the stack is given back at once where one of them suspends or waits. What a handler throws
   * itself is thrown here. Does nothing where the continuation is used or over; throws a TypeError where it is running.
   */
  cancel(): void {
    if (this.state === 'running') throw continuationRunning();
    if (this.#held.version !== this.#version) return;
    const { limits } = this.#shape;
    const end = (): void => cancel(theEngine(), this.#held);
    if (limits === undefined) end();
    else new TurnLimit(theEngine(), limits.timeout ?? INFINITE, limits.deadline ?? 0).unwind(end);
  }

  /** {@link cancel}, for `using`. */
  [Symbol.dispose](): void {
    this.cancel();
  }

  /**
   * Resumes again and again. Gives the payload of each suspension: the value, or the list of values where the tag has several; `next(answer)` resumes with the answer. Leaving
   * the loop early cancels.
   */
  *[Symbol.iterator](): Generator<unknown, unknown, unknown> {
    let step = this.resume();
    try {
      while (!step.done) {
        const answer = yield single(step.payload);
        const { continuation } = step;
        step = continuation.#resume(continuation.#answers(answer));
      }
      return step.value;
    } finally {
      if (!step.done) step.continuation.cancel();
    }
  }

  /** As iteration; imports may wait for promises. */
  async *[Symbol.asyncIterator](): AsyncGenerator<unknown, unknown, unknown> {
    let step = await this.resumeAsync();
    try {
      while (!step.done) {
        const answer = yield single(step.payload);
        const { continuation } = step;
        step = await continuation.#resumeAsync(continuation.#answers(answer));
      }
      return step.value;
    } finally {
      if (!step.done) step.continuation.cancel();
    }
  }

  /** What Node shows of it. @internal */
  [inspected](): object {
    if (!(#held in this)) return this;
    const { state } = this;
    const { params, results } = this.#shape;
    if (state === 'used' || state === 'done') return view('Continuation', { state });
    const { name } = this.#held;
    return view('Continuation', { state, function: name, takes: mapped(params, typeName), returns: mapped(results, typeName) });
  }

  /** Its class's name. */
  get [Symbol.toStringTag](): string {
    return 'WebAssembly.Continuation';
  }

  /** The arguments that one value is. */
  #answers(answer: unknown): readonly unknown[] {
    const { length } = this.#shape.params;
    if (length < 2) return length === 0 ? [] : [answer];
    return listOf(answer);
  }

  #values(args: readonly unknown[]): readonly RawValue[] {
    const { params } = this.#shape;
    this.#requireUnused();
    if (args.length !== params.length) throw wrongArgument(`the continuation takes ${params.length} values, not ${args.length}`);
    const engine = theEngine();
    return engine.convert.toWasmAll(params, args);
  }

  #exception(tag: Tag, values: readonly unknown[]): number {
    const object = tagOf(tag);
    if (object === undefined) throw wrongArgument('a Tag is needed');
    this.#requireUnused();
    const engine = theEngine();
    const { params, results } = engine.types.type(object.type);
    if (results.length > 0) throw wrongArgument('a tag with results is for suspensions, not for exceptions');
    if (values.length !== params.length) throw wrongArgument(`the tag has ${params.length} parameters, not ${values.length}`);
    return makeException(engine, object, values);
  }

  #requireUnused(): void {
    const { state } = this;
    if (state === 'running') throw continuationRunning();
    if (state === 'used' || state === 'done') throw continuationUsed();
  }

  #take(): Held {
    this.#requireUnused(); // Conversions of arguments may have used it.
    return this.#held;
  }

  /** What the addon has just told. */
  #step(): Resumption {
    const engine = theEngine();
    const { results, limits } = this.#shape;
    if (engine.mailbox.ending === LIMIT.endingReturned) return { done: true, value: engine.convert.resultsFromMailbox(results) };
    const object = engine.tags.at(engine.mailbox.tag);
    const type = engine.types.type(object.type);
    const payload = engine.convert.valuesFromMailbox(type.params);
    return {
      done: false,
      tag: wrapTag(object),
      payload,
      continuation: this.#next({ params: type.results, results, fresh: false, limits }),
    };
  }

  #next(shape: Shape): Continuation {
    return new Continuation(new Existing(this.#held, shape) as unknown as ExportedFunction);
  }
}

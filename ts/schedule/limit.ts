/**
 * What ends calls that may wait: a timeout, a deadline, a signal. Each ends loops of WebAssembly as well as waits (docs/decisions/0028). Calls that have none come by nothing of this.
 */
import { clearTimeout, INFINITE, min, now, Promised, setTimeout } from '../base/intrinsics.js';
import { isCancellation, isDeadline, outOfRange, timedOut, wrongArgument } from '../errors/catalog.js';
import type { Engine } from '../instance/engine.js';
import { CANCELLED } from '../instance/exceptions.js';
import { amount, optionsOf, positive, type Reader, shown } from '../source/options.js';

/** What may end a call before it returns. */
export interface CallLimits {
  /** Milliseconds of wall time, waits included; then it is ended with a TimeoutError. */
  readonly timeout?: number;
  /** Milliseconds that WebAssembly may run between two waits, 0 for no limit; then it traps, with code HEDDLE_TRAP_DEADLINE. */
  readonly deadline?: number;
  /** Ends it with its reason: where it waits at once, where it runs when the import returns that has aborted the signal. */
  readonly signal?: AbortSignal;
}

/** As long as a timer of Node's can be: 24.8 days. */
export const LONGEST_TIMER = 2 ** 31 - 1;

const timeoutOption: Reader<number> = (value, name) => {
  const milliseconds = positive(value, name);
  if (milliseconds <= LONGEST_TIMER || milliseconds === INFINITE) return milliseconds;
  throw outOfRange(`the option ${name} must be at most ${LONGEST_TIMER} or Infinity, not ${milliseconds}`);
};

/** Also a signal of another realm, or a library's. */
const signalOption: Reader<AbortSignal> = (value, name) => {
  // asks: whatever is like one will do
  if (typeof value === 'object' && value !== null && typeof (value as AbortSignal).addEventListener === 'function' && 'aborted' in value) {
    return value as AbortSignal;
  }
  throw wrongArgument(`the option ${name} must be an AbortSignal, not ${shown(value)}`);
};

/** How they are read. @internal */
export const LIMIT_OPTIONS = { timeout: timeoutOption, deadline: amount, signal: signalOption } as const;

const readers = {
  promising: optionsOf('promising', LIMIT_OPTIONS),
  Continuation: optionsOf('Continuation', LIMIT_OPTIONS),
};

/** The limits of a function's options; undefined where there are none. @internal */
export function limitsOf(of: keyof typeof readers, options: unknown): CallLimits | undefined {
  const read = readers[of](options);
  return read.timeout === undefined && read.deadline === undefined && read.signal === undefined ? undefined : read;
}

/** The last turn's number. */
let turns = 0;

/** The turns of one call, which have a deadline. @internal */
export class TurnLimit {
  readonly #engine: Engine;
  readonly #deadline: number;
  readonly #timeout: number;
  /** When the time is over, as {@link now} has it. */
  readonly #over: number;
  /** Number of the turn under way, 0 for none. */
  #turn = 0;
  /** Number of the import of `Suspending` that ran when it began. */
  #calling = 0;

  /** From now on the time of `timeout` passes. */
  constructor(engine: Engine, timeout: number, deadline: number) {
    this.#engine = engine;
    this.#timeout = timeout;
    this.#deadline = deadline;
    this.#over = now() + timeout;
  }

  /** Milliseconds that the call may take. */
  get timeout(): number {
    return this.#timeout;
  }

  /** Whether the time is over. */
  get isOver(): boolean {
    // A clock of doubles: what the addon counts in whole nanoseconds may have passed a moment before.
    return now() >= this.#over - 0.001;
  }

  /** Makes what `run` enters a turn. Returns and throws what it does. Where the time is over, nothing is entered. */
  run<T>(run: () => T): T {
    // At least so much that it is a time: 0 would be none.
    const left = this.#over - now();
    return this.#enter(min(left > 0.001 ? left : 0.001, this.#deadline === 0 ? INFINITE : this.#deadline), run);
  }

  /** The same for the handlers of a call that was ended, which may run as long as a turn, or as the timeout, again. */
  unwind(run: () => void): void {
    this.#enter(this.#deadline === 0 ? this.#timeout : this.#deadline, run);
  }

  /** Whether an error is what a turn ends with whose time is over. */
  isTimeout(error: unknown): boolean {
    return isDeadline(error) && this.isOver;
  }

  /** Ends the turn under way, where there is one. */
  end(): void {
    if (this.#turn !== 0) this.#engine.native.endTurn(this.#turn, this.#engine.imports.calling === this.#calling ? 0 : 1);
  }

  #enter<T>(milliseconds: number, run: () => T): T {
    const outer = this.#turn;
    this.#turn = ++turns;
    this.#calling = this.#engine.imports.calling;
    try {
      return this.#engine.native.turn(this.#turn, milliseconds === INFINITE ? 0 : milliseconds, run);
    } finally {
      this.#turn = outer;
    }
  }
}

/** Whether an error is that of a call which was ended, and has no more to say than that. */
export function isEnd(error: unknown): boolean {
  return error === CANCELLED || isCancellation(error);
}

/**
 * Calls `end` with the reason when the signal is aborted or the time is over, unless the result is called before. A signal that is aborted already is not watched: see it first.
 * @internal
 */
export function watchLimits(signal: AbortSignal | undefined, timeout: number, what: string, end: (reason: unknown) => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  // asks: the signal that the caller gave, here and below
  const abort = (): void => end(signal?.reason);
  // asks: the signal
  signal?.addEventListener('abort', abort, { once: true });
  if (timeout <= LONGEST_TIMER) timer = setTimeout(() => end(timedOut(what, timeout)), timeout);
  return () => {
    // asks: the signal
    signal?.removeEventListener('abort', abort);
    if (timer !== undefined) clearTimeout(timer);
  };
}

/** One call with limits, from its beginning to its end. @internal */
export class LimitedCall {
  readonly #limit: TurnLimit;
  readonly #what: string;
  readonly #close: () => void;
  #reason: { readonly value: unknown } | undefined;
  /** Ends the wait under way. */
  #wake: ((value: undefined) => void) | undefined;

  /** `what` is the call, for messages. Throws the reason of a signal that is aborted already. */
  constructor(engine: Engine, { timeout = INFINITE, deadline = 0, signal }: CallLimits, what: string) {
    // asks: the signal
    if (signal?.aborted === true) throw signal.reason;
    this.#limit = new TurnLimit(engine, timeout, deadline);
    this.#what = what;
    this.#close = watchLimits(signal, timeout, what, (reason) => this.#end(reason));
  }

  /** Whether it is to end. */
  get isEnding(): boolean {
    return this.#reason !== undefined;
  }

  /** Makes what `run` enters a turn. Throws what it does, and the reason where it was ended. */
  turn<T>(run: () => T): T {
    try {
      return this.#limit.run(run);
    } catch (error) {
      throw this.#meaning(error);
    }
  }

  /** A promise that does what the given one does, and is resolved when the call is to end. */
  wait(promise: unknown): Promise<unknown> {
    return new Promised((resolve, reject) => {
      this.#wake = resolve;
      // asks: what the import gave, a promise or what is like one
      (promise as PromiseLike<unknown>).then(resolve, reject);
    });
  }

  /** Runs the handlers of a call that is to end, and returns the reason. Throws what a handler throws itself. */
  unwind(run: () => void): unknown {
    try {
      this.#limit.unwind(run);
    } catch (error) {
      // Its handlers took too long, too.
      if (!isDeadline(error)) throw error;
    }
    return this.#reason?.value;
  }

  /** It is over. */
  close(): void {
    this.#close();
  }

  #end(reason: unknown): void {
    if (this.#reason !== undefined) return;
    this.#reason = { value: reason };
    this.#wake?.(undefined);
    this.#limit.end();
  }

  #meaning(error: unknown): unknown {
    if (this.#reason !== undefined) return isEnd(error) || isDeadline(error) ? this.#reason.value : error;
    return this.#limit.isTimeout(error) ? timedOut(this.#what, this.#limit.timeout) : error;
  }
}

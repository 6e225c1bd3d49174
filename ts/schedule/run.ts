/**
 * Running a continuation until it gives something: its results, or a suspension.
 */
import { isCancellation } from '../errors/catalog.js';
import { LIMIT } from '../generated/abi.js';
import { cellOf, storeCell } from '../instance/cells.js';
import type { Engine } from '../instance/engine.js';
import { CANCELLED, exceptionSlot } from '../instance/exceptions.js';
import type { RawValue } from '../instance/mailbox.js';
import type { TagObject } from '../instance/objects.js';
import { isAwaitable, type SuspendingImport } from '../instance/suspending_import.js';
import { Held } from './held.js';

/** In a constant of this module: V8 reads an import's properties anew at each use. */
const PARKED = LIMIT.endingParked;

/** Goes on with a parked call whose import has given `value`, or throws it. What comes of it is in the mailbox. */
export function settle(
  engine: Engine,
  call: SuspendingImport,
  index: number,
  generation: number,
  failed: boolean,
  value: unknown,
  takes: number,
): void {
  const { mailbox, native } = engine;
  let results: RawValue | readonly RawValue[] | undefined;
  if (!failed) {
    try {
      results = call.convert(value);
    } catch (error) {
      failed = true;
      value = error;
    }
  }
  // Only now: JavaScript of the user's that ran meanwhile may have used the mailbox.
  mailbox.aim(index, generation);
  mailbox.takes(takes);
  if (failed) return native.settleThrow(value);
  call.put(results);
  native.settle();
}

/** The waits of one call, one after the other. */
class Waits {
  readonly #engine: Engine;
  readonly #takes: number;
  readonly #known: Held | undefined;
  /** Made when there is something to wait for: a call whose imports give plain values needs none. */
  #held: Held | undefined;
  /** The import that is waited for, and the continuation that is set aside meanwhile. */
  #call: SuspendingImport | undefined;
  #index = 0;
  #generation = 0;

  constructor(engine: Engine, takes: number, known: Held | undefined) {
    this.#engine = engine;
    this.#takes = takes;
    this.#known = known;
    this.#held = known;
  }

  /** What is to be waited for first; undefined where the call is no longer parked. Requires: the addon has just parked it. */
  begin(): unknown {
    this.#known?.release();
    try {
      return this.#next();
    } catch (error) {
      this.#close();
      throw error;
    }
  }

  /** What is to be waited for next, after this came of the last. */
  goOn(failed: boolean, value: unknown): unknown {
    const held = this.#held as Held;
    if (held.isParked) held.release();
    try {
      settle(this.#engine, this.#call as SuspendingImport, this.#index, this.#generation, failed, value, this.#takes);
      return this.#next();
    } catch (error) {
      this.#close();
      throw error;
    }
  }

  #next(): unknown {
    const engine = this.#engine;
    const { mailbox } = engine;
    while (mailbox.ending === PARKED) {
      const call = engine.pendingImport();
      const { index, generation } = mailbox;
      let failed = false;
      let value: unknown;
      try {
        value = call.call();
        if (isAwaitable(value)) {
          this.#held ??= Held.make(engine);
          this.#held.park(index, generation);
          this.#call = call;
          this.#index = index;
          this.#generation = generation;
          return value;
        }
      } catch (error) {
        failed = true;
        value = error;
      }
      settle(engine, call, index, generation, failed, value, this.#takes);
    }
    if (this.#known === undefined) this.#held?.recycle();
    else this.#known.note();
    return undefined;
  }

  /** The call has thrown. */
  #close(): void {
    if (this.#known === undefined) this.#held?.recycle();
    else this.#known.close();
  }
}

/**
 * Calls the imports that a parked call asks for, waits for their promises, and goes on with it, until it is no longer parked; then gives what `finish` returns. An async
 * function's own waiting costs less than a promise for each step, and keeps what AsyncLocalStorage holds; it has little to keep itself, because it keeps that at each wait.
 * Requires: the addon has just parked the call. `known` is what stands for it, where something does already.
 */
export async function untilReady<T>(engine: Engine, takes: number, finish: () => T, known?: Held): Promise<T> {
  const waits = new Waits(engine, takes, known);
  let promise = waits.begin();
  while (promise !== undefined) {
    let failed = false;
    let value: unknown;
    try {
      value = await promise;
    } catch (error) {
      failed = true;
      value = error;
    }
    promise = waits.goOn(failed, value);
  }
  return finish();
}

/** An exception for WebAssembly to catch: its address. Throws a TypeError where the values do not fit. */
export function makeException(engine: Engine, tag: TagObject, values: readonly unknown[]): number {
  const { params } = engine.types.type(tag.type);
  const raw = engine.toWasmAll(params, values);
  const cells = params.map((type, i) => cellOf(type, raw[i] ?? 0));
  const address = engine.native.createException(tag.address, params.length, 0);
  cells.forEach((cell, i) => {
    storeCell(engine.native, exceptionSlot(address, i), cell);
  });
  return address;
}

/**
 * Ends a continuation: an exception that only catch_all sees is thrown into it, so that its handlers run. When all have run, or one of them waits or suspends, the
 * fibers are given back. What a handler throws itself is thrown here.
 */
export function cancel(engine: Engine, held: Held): void {
  if (held.isOver) return;
  try {
    held.throwInto(makeException(engine, engine.exceptions.cancellationTag, []), LIMIT.takesCancellation);
  } catch (error) {
    if (error !== CANCELLED && !isCancellation(error)) throw error;
  }
}

/**
 * Running a continuation until it gives something: its results, or a suspension.
 */
import { each, mapped } from '../base/intrinsics.js';
import { isCancellation } from '../errors/catalog.js';
import { LIMIT } from '../generated/abi.js';
import { cellOf, storeCell } from '../instance/cells.js';
import type { Engine } from '../instance/engine.js';
import { CANCELLED, exceptionSlot } from '../instance/exceptions.js';
import { Handle, type RawValue } from '../instance/functions/mailbox.js';
import { isAwaitable, type SuspendingImport } from '../instance/functions/suspending_import.js';
import type { TagObject } from '../instance/objects.js';
import { Held } from './held.js';
import type { LimitedCall } from './limit.js';

/** In a constant of this module: V8 reads an import's properties anew at each use. */
const PARKED = LIMIT.endingParked;

/** Goes on with a parked call whose import has given `value`, or throws it. What comes of it is in the mailbox. */
export function settle(engine: Engine, call: SuspendingImport, handle: Handle, failed: boolean, value: unknown, takes: number): void {
  const { mailbox, native } = engine;
  let results: RawValue | readonly RawValue[] = 0;
  if (!failed) {
    try {
      results = call.convert(value);
    } catch (error) {
      failed = true;
      value = error;
    }
  }
  // Only now: JavaScript of the user's that ran meanwhile may have used the mailbox.
  mailbox.aim(handle);
  mailbox.takes(takes);
  if (failed) return native.settleThrow(value);
  call.put(results);
  native.settle();
}

/** The waits of one call, one after the other, and what it gives in the end. */
class Waits<T> {
  readonly #engine: Engine;
  readonly #takes: number;
  readonly #finish: () => T;
  /** What others know the call by, where they do. */
  readonly #known: Held | undefined;
  /** Where nobody does: made when there is something to wait for, as a call whose imports give plain values needs none. */
  #held: Held | undefined;
  readonly #limited: LimitedCall | undefined;
  /** The continuation that is set aside, and the import whose promise it waits for. */
  #handle = new Handle();
  #call: SuspendingImport | undefined;

  constructor(engine: Engine, takes: number, finish: () => T, known: Held | undefined, limited: LimitedCall | undefined) {
    this.#engine = engine;
    this.#takes = takes;
    this.#finish = finish;
    this.#known = known;
    this.#limited = limited;
  }

  /** Goes on with what has come of the last wait, where there was one. What is to be waited for next; undefined where the call is no longer parked. */
  advance(failed: boolean, value: unknown): unknown {
    const known = this.#known;
    if (known?.isParked) known.release();
    try {
      const call = this.#call;
      if (call !== undefined) settle(this.#engine, call, this.#handle, failed, value, this.#takes);
      return this.#next();
    } catch (error) {
      if (known === undefined) this.#held?.recycle();
      else known.close();
      throw error;
    }
  }

  /** What the call gives. */
  finish(): T {
    return this.#finish();
  }

  #next(): unknown {
    const engine = this.#engine;
    const { mailbox } = engine;
    while (mailbox.ending === PARKED) {
      const call = engine.imports.pending();
      const handle = this.#handle;
      mailbox.save(handle);
      let failed = false;
      let value: unknown;
      try {
        value = call.call();
        if (isAwaitable(value)) {
          this.#wait(call);
          return value;
        }
      } catch (error) {
        failed = true;
        value = error;
      }
      if (this.#limited?.isEnding === true) {
        this.#wait(call);
        return null;
      }
      settle(engine, call, handle, failed, value, this.#takes);
    }
    if (this.#known === undefined) this.#held?.recycle();
    else this.#known.note();
    return undefined;
  }

  /** Ends the call where it waits. Throws what a handler throws itself. */
  end(): void {
    const held = this.#known ?? this.#held;
    if (held === undefined) return;
    try {
      cancel(this.#engine, held);
    } finally {
      if (this.#known === undefined) held.recycle();
    }
  }

  #wait(call: SuspendingImport): void {
    this.#call = call;
    if (this.#held === undefined) this.#hold();
  }

  #hold(): void {
    if (this.#known !== undefined) return this.#known.park(this.#handle);
    this.#held = Held.make(this.#engine);
    this.#handle = this.#held.adopt(this.#handle);
  }
}

/** Apart from {@link untilReady}, because an async function keeps its arguments and its variables at each wait. */
async function waitForAll<T>(waits: Waits<T>): Promise<T> {
  let promise = waits.advance(false, undefined);
  while (promise !== undefined) {
    let failed: boolean;
    let value: unknown;
    try {
      value = await promise;
      failed = false;
    } catch (error) {
      value = error;
      failed = true;
    }
    promise = waits.advance(failed, value);
  }
  return waits.finish();
}

/** The same for a call with limits, which it closes. */
async function waitLimited<T>(waits: Waits<T>, limited: LimitedCall): Promise<T> {
  try {
    let promise = limited.turn(() => waits.advance(false, undefined));
    while (promise !== undefined) {
      let failed = false;
      let value: unknown;
      try {
        if (!limited.isEnding) value = await limited.wait(promise);
      } catch (error) {
        value = error;
        failed = true;
      }
      if (limited.isEnding) throw limited.unwind(() => waits.end());
      promise = limited.turn(() => waits.advance(failed, value));
    }
    return waits.finish();
  } finally {
    limited.close();
  }
}

/**
 * Calls the imports that a parked call asks for, waits for their promises, and goes on with it, until it is no longer parked; then gives what `finish` returns. An async
 * function's own waiting keeps what AsyncLocalStorage holds, and lets V8 name the callers in an error's stack, which callbacks given to `then` would not. Requires: the addon has
 * just parked the call. `known` is what others know it by, where they do; `limited` what may end it.
 */
export function untilReady<T>(engine: Engine, takes: number, finish: () => T, known?: Held, limited?: LimitedCall): Promise<T> {
  const waits = new Waits(engine, takes, finish, known, limited);
  return limited === undefined ? waitForAll(waits) : waitLimited(waits, limited);
}

/** An exception for WebAssembly to catch: its address. Throws a TypeError where the values do not fit. */
export function makeException(engine: Engine, tag: TagObject, values: readonly unknown[]): number {
  const { params } = engine.types.type(tag.type);
  const raw = engine.convert.toWasmAll(params, values);
  const cells = mapped(params, (type, i) => cellOf(type, raw[i] ?? 0));
  const address = engine.native.createException(tag.address, params.length, 0);
  each(cells, (cell, i) => {
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

/**
 * Running a continuation until it gives something: its results, or a suspension.
 */
import { isCancellation } from '../errors/catalog.js';
import { LIMIT } from '../generated/abi.js';
import { cellOf, storeCell } from '../instance/cells.js';
import type { Engine } from '../instance/engine.js';
import { CANCELLED, exceptionSlot } from '../instance/exceptions.js';
import type { TagObject } from '../instance/objects.js';
import type { ValueType } from '../validate/description.js';
import type { Held } from './held.js';

/** What came of a resumption. */
export type Step =
  | { readonly done: true; readonly value: unknown }
  | { readonly done: false; readonly tag: TagObject; readonly payload: readonly unknown[] };

/** The step that the addon has just made. Requires: it is not parked. `results` are the types of the function's results. */
export function stepOf(engine: Engine, results: readonly ValueType[], raw: unknown): Step {
  const { suspensions } = engine;
  if (suspensions.ending === LIMIT.endingReturned) return { done: true, value: engine.resultsFromWasm(results, raw) };
  const tag = engine.tagAt(suspensions.tag);
  const { params } = engine.types.type(tag.type);
  const payload = (raw as readonly unknown[]).map((value, i) => engine.convert.fromWasm(params[i] ?? 0x7f, value));
  return { done: false, tag, payload };
}

/**
 * Goes on with a parked continuation, again and again, until it no longer is, and gives what `finish` makes of what the addon returns then. An async function's own
 * waiting costs less than a promise for each step, and keeps what AsyncLocalStorage holds. Requires: the engine has just parked it.
 */
export async function untilReady<T>(engine: Engine, held: Held, takes: number, finish: (raw: unknown) => T): Promise<T> {
  const { suspensions } = engine;
  for (;;) {
    const { promise, convert } = suspensions.take();
    let failed = false;
    let value: unknown;
    try {
      value = convert(await promise);
    } catch (error) {
      failed = true;
      value = error;
    }
    const raw = held.settle(failed, value, takes);
    if (suspensions.ending !== LIMIT.endingParked) return finish(raw);
  }
}

/** An exception for WebAssembly to catch: its address. Throws a TypeError where the values do not fit. */
export function makeException(engine: Engine, tag: TagObject, values: readonly unknown[]): number {
  const { params } = engine.types.type(tag.type);
  const cells = params.map((type, i) => cellOf(type, engine.toWasm(type, values[i])));
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
  if (held.state === 'over') return;
  try {
    held.throwInto(makeException(engine, engine.exceptions.cancellationTag, []), LIMIT.takesCancellation);
  } catch (error) {
    if (error !== CANCELLED && !isCancellation(error)) throw error;
  }
}

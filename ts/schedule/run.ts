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

/**
 * Calls the imports that a parked call asks for, waits for their promises, and goes on with it, until it is no longer parked; then gives what `finish` returns. An async
 * function's own waiting costs less than a promise for each step, and keeps what AsyncLocalStorage holds. Requires: the addon has just parked it. `known` is what stands for it,
 * where something does already.
 */
export async function untilReady<T>(engine: Engine, takes: number, finish: () => T, known?: Held): Promise<T> {
  const { mailbox } = engine;
  // Made when there is something to wait for: a call whose imports give plain values needs none.
  let held = known;
  let done = false;
  held?.release();
  try {
    do {
      const call = engine.pendingImport();
      const { index, generation } = mailbox;
      let failed = false;
      let value: unknown;
      try {
        value = call.call();
        if (isAwaitable(value)) {
          held ??= Held.make(engine);
          held.park(index, generation);
          value = await value;
        }
      } catch (error) {
        failed = true;
        value = error;
      }
      if (held?.isParked) held.release();
      settle(engine, call, index, generation, failed, value, takes);
    } while (mailbox.ending === PARKED);
    done = true;
    known?.note();
    return finish();
  } finally {
    if (known === undefined) held?.recycle();
    else if (!done) known.close();
  }
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

/**
 * promising: calls that may wait for promises, in the shape of V8's promise integration.
 */
import { defineConstant, rejected, resolved, weakGet, weakSet } from '../base/intrinsics.js';
import { wrongArgument } from '../errors/catalog.js';
import { LIMIT } from '../generated/abi.js';
import { type Engine, theEngine } from '../instance/engine.js';
import type { AnyFunction, ExportedFunction } from '../instance/functions/callable.js';
import type { RawValue } from '../instance/functions/mailbox.js';
import type { RegisteredType } from '../validate/registry.js';
import { type CallLimits, LimitedCall, limitsOf } from './limit.js';
import { untilReady } from './run.js';

/** What `promising` makes of an exported function. */
export type PromisingFunction<F extends AnyFunction = ExportedFunction> = (...args: Parameters<F>) => Promise<ReturnType<F>>;

/** The export that a function made by {@link promising} stands for. */
const originals = new WeakMap<object, ExportedFunction>();

function begin(engine: Engine, start: () => void, type: RegisteredType, args: readonly RawValue[]): Promise<unknown> {
  const { mailbox } = engine;
  const finish = (): unknown => engine.convert.resultsFromMailbox(type.results);
  mailbox.putAll(type.params, args);
  mailbox.takes(LIMIT.takesPromises);
  try {
    start();
    return mailbox.ending === LIMIT.endingParked ? untilReady(engine, LIMIT.takesPromises, finish) : resolved(finish());
  } catch (error) {
    return rejected(error);
  }
}

/** {@link begin} of a call that may be ended. */
function beginLimited(
  engine: Engine,
  start: () => void,
  type: RegisteredType,
  args: readonly RawValue[],
  values: readonly unknown[],
  limits: CallLimits,
): Promise<unknown> {
  const { mailbox } = engine;
  const finish = (): unknown => engine.convert.resultsFromMailbox(type.results);
  let limited: LimitedCall | undefined;
  let waits = false;
  try {
    limited = new LimitedCall(engine, limits, 'the call');
    // Only now: to look at the caller's signal may run JavaScript, which may use the mailbox, and a collection.
    mailbox.putAll(type.params, engine.convert.renewHandles(type.params, args, values));
    mailbox.takes(LIMIT.takesPromises);
    limited.turn(start);
    waits = mailbox.ending === LIMIT.endingParked;
    return waits ? untilReady(engine, LIMIT.takesPromises, finish, undefined, limited) : resolved(finish());
  } catch (error) {
    return rejected(error);
  } finally {
    if (!waits) limited?.close();
  }
}

/** The exported function that `promising` was given for this one; the function itself where it was given to none. */
export function originalOf(fn: object): ExportedFunction {
  return (weakGet(originals, fn) ?? fn) as ExportedFunction;
}

/** The exported function that a value is, or stands for; a TypeError for others. */
export function exportOf(value: unknown, what: string): number {
  if (typeof value !== 'function') throw wrongArgument(`${what} takes an exported function`);
  const address = theEngine().exports.addressOf(originalOf(value));
  if (address === undefined) throw wrongArgument(`${what} takes a function that WebAssembly of Heddle exports`);
  return address;
}

/**
 * A function that calls an exported function and returns a promise of its results. Within it an import of `Suspending` may wait for a promise. Any number
 * of such calls may be under way. Arguments are converted at once, and what that throws is thrown; the promise is rejected with what WebAssembly throws.
 * Options, which V8's function of this name has not, say what ends each call. Throws a TypeError for anything but an exported function, and for other options.
 *
 * @example
 * ```js
 * import { parseWat, WebAssembly } from 'heddle';
 *
 * const bytes = parseWat(`(module
 *   (import "host" "twice" (func $twice (param i32) (result i32)))
 *   (func (export "next") (param i32) (result i32) (i32.add (call $twice (local.get 0)) (i32.const 1))))`);
 * const twice = new WebAssembly.Suspending(async (n) => 2 * n);
 * const { instance } = await WebAssembly.instantiate(bytes, { host: { twice } });
 * const next = WebAssembly.promising(instance.exports.next, { timeout: 1000 });
 * console.log(await Promise.all([next(1), next(2)])); // [ 3, 5 ]
 * ```
 */
export function promising<F extends AnyFunction>(fn: F, options: CallLimits | undefined = undefined): PromisingFunction<F> {
  const engine = theEngine();
  const address = exportOf(fn, 'promising');
  const type = engine.types.type(engine.exports.typeOf(address));
  const start = engine.exports.starterOf(address);
  const limits = limitsOf('promising', options);
  const made: PromisingFunction =
    limits === undefined
      ? (...args) => begin(engine, start, type, engine.convert.argumentsToWasm(type, args))
      : (...args) => beginLimited(engine, start, type, engine.convert.argumentsToWasm(type, args), args, limits);
  // asks: the function's own name
  defineConstant(made, 'name', fn.name);
  defineConstant(made, 'length', type.params.length);
  weakSet(originals, made, engine.exports.functionAt(address));
  return made as PromisingFunction<F>;
}

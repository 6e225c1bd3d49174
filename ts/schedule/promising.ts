/**
 * promising: calls that may wait for promises, in the shape of V8's promise integration.
 */
import { wrongArgument } from '../errors/catalog.js';
import { LIMIT } from '../generated/abi.js';
import { type Engine, type ExportedFunction, theEngine } from '../instance/engine.js';
import type { ValueType } from '../validate/description.js';
import { Parked } from './parked.js';

/** What `promising` makes. */
export type PromisingFunction = (...args: unknown[]) => Promise<unknown>;

/** The export that a function made by {@link promising} stands for. */
const originals = new WeakMap<object, ExportedFunction>();

/**
 * Runs a call to its end. An async function's own waiting costs less than a promise for each step, and keeps what Node's AsyncLocalStorage holds.
 */
async function run(engine: Engine, start: ExportedFunction, args: readonly unknown[], results: readonly ValueType[]): Promise<unknown> {
  const { suspensions } = engine;
  let raw = start(...args);
  if (suspensions.ending === LIMIT.endingParked) {
    const parked = new Parked(engine);
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
      raw = parked.settle(failed, value, LIMIT.takesPromises);
      if (suspensions.ending !== LIMIT.endingParked) break;
      parked.note();
    }
  }
  return engine.resultsFromWasm(results, raw);
}

/**
 * A function that calls an exported function and returns a promise of its results. Within it an import of `Suspending` may wait for a promise. Any number
 * of such calls may be under way. Arguments are converted at once, and what that throws is thrown; the promise is rejected with what WebAssembly throws.
 * Throws a TypeError for anything but an exported function.
 */
export function promising(fn: unknown): PromisingFunction {
  if (typeof fn !== 'function') throw wrongArgument('promising takes an exported function');
  const engine = theEngine();
  const target = originals.get(fn) ?? fn;
  const address = engine.addressOf(target);
  if (address === undefined) throw wrongArgument('promising takes a function that WebAssembly of Heddle exports');
  const type = engine.types.type(engine.typeOf(address));
  const start = engine.native.createStarter(address);
  const made: PromisingFunction = (...args) => run(engine, start, engine.argumentsToWasm(type, args), type.results);
  Object.defineProperty(made, 'name', { value: fn.name, configurable: true });
  Object.defineProperty(made, 'length', { value: type.params.length, configurable: true });
  originals.set(made, target as ExportedFunction);
  return made;
}

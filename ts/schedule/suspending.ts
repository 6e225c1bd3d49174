/**
 * Suspending: marks an import whose caller waits for the promise that it returns.
 */
import { wrongArgument } from '../errors/catalog.js';
import { theEngine } from '../instance/engine.js';
import type { ExportedFunction } from '../instance/functions/callable.js';

/** An import that may return a promise: the WebAssembly that called it waits, while the event loop goes on. Shaped like V8's. */
export class Suspending {
  readonly #fn: ExportedFunction;

  /** Throws a TypeError for what is no function, and for a function of WebAssembly's. */
  constructor(fn: (...args: never[]) => unknown) {
    if (typeof fn !== 'function') throw wrongArgument('Suspending takes a function');
    if (theEngine().exports.addressOf(fn) !== undefined)
      throw wrongArgument('Suspending takes a function of JavaScript, not one of WebAssembly');
    this.#fn = fn as ExportedFunction;
  }

  /** The function of a Suspending, undefined for other values. @internal */
  static unwrap(value: unknown): ExportedFunction | undefined {
    return typeof value === 'object' && value !== null && #fn in value ? value.#fn : undefined;
  }
}

Object.defineProperty(Suspending.prototype, Symbol.toStringTag, { value: 'WebAssembly.Suspending', configurable: true });

/**
 * Suspending: marks an import whose caller waits for the promise that it returns.
 */
import { inspected, view } from '../base/inspection.js';
import { wrongArgument } from '../errors/catalog.js';
import { theEngine } from '../instance/engine.js';
import type { AnyFunction, ExportedFunction } from '../instance/functions/callable.js';

/** The function of a Suspending, undefined for other values. @internal */
export let suspendingOf: (value: unknown) => ExportedFunction | undefined;

/** An import that may return a promise: the WebAssembly that called it waits, while the event loop goes on. Shaped like V8's. */
export class Suspending<F extends AnyFunction = AnyFunction> {
  /** Only for TypeScript: the function. */
  declare private readonly wraps: F;

  readonly #fn: ExportedFunction;

  /** Throws a TypeError for what is no function, and for a function of WebAssembly's. */
  constructor(fn: F) {
    if (typeof fn !== 'function') throw wrongArgument('Suspending takes a function');
    if (theEngine().exports.addressOf(fn) !== undefined)
      throw wrongArgument('Suspending takes a function of JavaScript, not one of WebAssembly');
    this.#fn = fn as unknown as ExportedFunction;
  }

  /** What Node shows of it. @internal */
  [inspected](): object {
    return #fn in this ? view('Suspending', { function: this.#fn }, 'WebAssembly.Suspending') : this;
  }

  static {
    suspendingOf = (value) => (typeof value === 'object' && value !== null && #fn in value ? value.#fn : undefined);
  }
}

Object.defineProperty(Suspending.prototype, Symbol.toStringTag, { value: 'WebAssembly.Suspending', configurable: true });

/**
 * JavaScript functions that stand on either side of the border. Few arguments are passed one by one, because a list of them costs
 * more than the call itself.
 */
import { append, apply } from '../../base/intrinsics.js';

/** A JavaScript function that stands for a WebAssembly one. */
export type ExportedFunction = (...args: unknown[]) => unknown;

/** Any function: what keeps a function's types takes one. */
export type AnyFunction = (...args: never[]) => unknown;

/** A function that does what the one does that `find` gives, and has no [[Construct]], as the JS API asks of exports. */
export function withoutConstruct(find: () => ExportedFunction, params: number): ExportedFunction {
  switch (params) {
    case 0:
      return () => find()();
    case 1:
      return (a) => find()(a);
    case 2:
      return (a, b) => find()(a, b);
    case 3:
      return (a, b, c) => find()(a, b, c);
    case 4:
      return (a, b, c, d) => find()(a, b, c, d);
    default:
      return (...args) => apply(find(), undefined, args) as unknown;
  }
}

/**
 * A function that calls `fn` with so many arguments, which `argument` gives by their place. `fn` is called as no method: `this` is
 * undefined in it.
 */
export function withArguments(fn: ExportedFunction, argument: (place: number) => unknown, count: number): () => unknown {
  switch (count) {
    case 0:
      return () => fn();
    case 1:
      return () => fn(argument(0));
    case 2:
      return () => fn(argument(0), argument(1));
    case 3:
      return () => fn(argument(0), argument(1), argument(2));
    case 4:
      return () => fn(argument(0), argument(1), argument(2), argument(3));
    case 5:
      return () => fn(argument(0), argument(1), argument(2), argument(3), argument(4));
    default:
      return () => {
        const args: unknown[] = [];
        for (let place = 0; place < count; place++) append(args, argument(place));
        return apply(fn, undefined, args) as unknown;
      };
  }
}

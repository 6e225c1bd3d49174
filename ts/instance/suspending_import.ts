/**
 * Imports that may give a promise to wait for. The addon sets their caller aside; then they are called from here.
 */
import { wrongArgument } from '../errors/catalog.js';
import type { ValueType } from '../validate/description.js';
import type { RegisteredType } from '../validate/registry.js';
import type { Engine, ExportedFunction } from './engine.js';
import type { RawValue } from './mailbox.js';

/** Whether what an import returned is to be waited for: a promise, or anything with a `then`. What reading that throws is the import's error. */
export function isAwaitable(value: unknown): boolean {
  if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return false;
  return typeof (value as { readonly then?: unknown }).then === 'function';
}

/** An import of `Suspending` of one instance. */
export class SuspendingImport {
  /** Its number. */
  readonly #id: number;
  readonly #engine: Engine;
  readonly #fn: ExportedFunction;
  readonly #type: RegisteredType;
  readonly #crosses: boolean;

  constructor(engine: Engine, fn: ExportedFunction, id: number, type: RegisteredType, crosses: boolean) {
    this.#engine = engine;
    this.#fn = fn;
    this.#id = id;
    this.#type = type;
    this.#crosses = crosses;
  }

  /** Calls the function with the arguments in the mailbox. Returns and throws what it does. */
  call(): unknown {
    if (!this.#crosses) this.#engine.requireCrossing(this.#type);
    const { params } = this.#type;
    const fn = this.#fn; // Called as no method: `this` is undefined in it.
    const argument = (i: number): unknown => this.#argument(params, i);
    const outer = this.#engine.calling;
    this.#engine.calling = this.#id;
    try {
      // Few arguments are passed one by one, because a list of them costs more than the call itself.
      switch (params.length) {
        case 0:
          return fn();
        case 1:
          return fn(argument(0));
        case 2:
          return fn(argument(0), argument(1));
        case 3:
          return fn(argument(0), argument(1), argument(2));
        case 4:
          return fn(argument(0), argument(1), argument(2), argument(3));
        case 5:
          return fn(argument(0), argument(1), argument(2), argument(3), argument(4));
        default:
          return fn(...params.map((_, i) => argument(i)));
      }
    } finally {
      this.#engine.calling = outer;
    }
  }

  /** Makes what the function gave its results. Throws what the conversion throws. */
  convert(value: unknown): RawValue | readonly RawValue[] | undefined {
    const { results } = this.#type;
    if (results.length === 0) return undefined;
    if (results.length === 1) return this.#engine.toWasm(results[0] as ValueType, value);
    const values = [...(value as Iterable<unknown>)];
    if (values.length !== results.length) {
      throw wrongArgument(`the imported function returned ${values.length} values, its type has ${results.length}`);
    }
    return this.#engine.toWasmAll(results, values);
  }

  /** Puts what {@link convert} made into the mailbox. */
  put(results: RawValue | readonly RawValue[] | undefined): void {
    const types = this.#type.results;
    if (types.length === 1) this.#engine.mailbox.put(types[0] as ValueType, 0, results as RawValue);
    else if (types.length > 1) this.#engine.mailbox.putAll(types, results as readonly RawValue[]);
  }

  #argument(params: readonly ValueType[], i: number): unknown {
    const type = params[i] as ValueType;
    return this.#engine.convert.fromWasm(type, this.#engine.mailbox.get(type, i));
  }
}

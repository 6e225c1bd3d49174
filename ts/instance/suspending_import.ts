/**
 * Imports that may give a promise to wait for. The addon sets their caller aside; then they are called from here.
 */
import { wrongArgument } from '../errors/catalog.js';
import type { ValueType } from '../validate/description.js';
import type { RegisteredType } from '../validate/registry.js';
import type { Engine, ExportedFunction } from './engine.js';
import type { RawValue } from './mailbox.js';
import { withArguments } from './number_calls.js';

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
  /** Calls the function with the arguments in the mailbox. */
  readonly #invoke: () => unknown;
  readonly #results: readonly ValueType[];
  /** The type of the result where there is one alone. */
  readonly #result: ValueType | undefined;

  constructor(engine: Engine, fn: ExportedFunction, id: number, type: RegisteredType, crosses: boolean) {
    const { params, results } = type;
    const argument = (place: number): unknown => {
      const param = params[place] as ValueType;
      return engine.convert.fromWasm(param, engine.mailbox.get(param, place));
    };
    this.#engine = engine;
    this.#id = id;
    this.#invoke = crosses ? withArguments(fn, argument, params.length) : () => engine.requireCrossing(type);
    this.#results = results;
    this.#result = results.length === 1 ? results[0] : undefined;
  }

  /** Calls the function with the arguments in the mailbox. Returns and throws what it does. */
  call(): unknown {
    const engine = this.#engine;
    const outer = engine.calling;
    engine.calling = this.#id;
    try {
      return this.#invoke();
    } finally {
      engine.calling = outer;
    }
  }

  /** Makes what the function gave its results. Throws what the conversion throws. */
  convert(value: unknown): RawValue | readonly RawValue[] | undefined {
    if (this.#result !== undefined) return this.#engine.toWasm(this.#result, value);
    const results = this.#results;
    if (results.length === 0) return undefined;
    const values = [...(value as Iterable<unknown>)];
    if (values.length !== results.length) {
      throw wrongArgument(`the imported function returned ${values.length} values, its type has ${results.length}`);
    }
    return this.#engine.toWasmAll(results, values);
  }

  /** Puts what {@link convert} made into the mailbox. */
  put(results: RawValue | readonly RawValue[] | undefined): void {
    const { mailbox } = this.#engine;
    if (this.#result !== undefined) mailbox.put(this.#result, 0, results as RawValue);
    else if (results !== undefined) mailbox.putAll(this.#results, results as readonly RawValue[]);
  }
}

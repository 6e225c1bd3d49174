/**
 * Imports that may give a promise to wait for. The addon sets their caller aside; then they are called from here.
 */
import { wrongArgument } from '../errors/catalog.js';
import type { ValueType } from '../validate/description.js';
import type { RegisteredType } from '../validate/registry.js';
import type { Engine, ExportedFunction } from './engine.js';
import { needsConversion } from './host_values.js';
import type { RawValue } from './mailbox.js';
import { coerce, withArguments } from './number_calls.js';

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
  /** The type of the result where that is one number, else 0. */
  readonly #number: ValueType;

  constructor(engine: Engine, fn: ExportedFunction, id: number, type: RegisteredType, crosses: boolean) {
    const { params, results } = type;
    const { convert, mailbox } = engine;
    const argument = params.some(needsConversion)
      ? (place: number): unknown => convert.fromWasm(params[place] as ValueType, mailbox.get(params[place] as ValueType, place))
      : (place: number): unknown => mailbox.get(params[place] as ValueType, place);
    this.#engine = engine;
    this.#id = id;
    this.#invoke = crosses ? withArguments(fn, argument, params.length) : () => engine.requireCrossing(type);
    this.#results = results;
    this.#number = results.length === 1 && !results.some(needsConversion) ? (results[0] as ValueType) : 0;
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
  convert(value: unknown): RawValue | readonly RawValue[] {
    return this.#number === 0 ? this.#convertAll(value) : coerce(this.#number, value);
  }

  /** Puts what {@link convert} made into the mailbox. */
  put(results: RawValue | readonly RawValue[]): void {
    const { mailbox } = this.#engine;
    if (this.#number === 0) mailbox.putAll(this.#results, results as readonly RawValue[]);
    else mailbox.put(this.#number, 0, results as RawValue);
  }

  #convertAll(value: unknown): readonly RawValue[] {
    const results = this.#results;
    if (results.length === 0) return [];
    const values = results.length === 1 ? [value] : [...(value as Iterable<unknown>)];
    if (values.length !== results.length) {
      throw wrongArgument(`the imported function returned ${values.length} values, its type has ${results.length}`);
    }
    return this.#engine.toWasmAll(results, values);
  }
}

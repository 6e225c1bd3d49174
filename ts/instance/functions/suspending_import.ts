/**
 * Imports that may give a promise to wait for. The addon sets their caller aside; then they are called from here.
 */
import { some } from '../../base/intrinsics.js';
import { disposed } from '../../errors/catalog.js';
import type { ValueType } from '../../validate/description.js';
import type { RegisteredType } from '../../validate/registry.js';
import { type ExportedFunction, withArguments } from './callable.js';
import type { Conversions } from './conversions.js';
import type { Mailbox, RawValue } from './mailbox.js';
import { coerce, needsConversion } from './numbers.js';

/** What such an import needs of the thread's imports. */
export interface ImportCalls {
  readonly convert: Conversions;
  readonly mailbox: Mailbox;
  /** Number of the import of `Suspending` whose function runs, 0 for none. */
  calling: number;
}

/** Whether what an import returned is to be waited for: a promise, or anything with a `then`. What reading that throws is the import's error. */
export function isAwaitable(value: unknown): boolean {
  if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return false;
  return typeof (value as { readonly then?: unknown }).then === 'function';
}

/** An import of `Suspending` of one instance. */
export class SuspendingImport {
  /** Its number. */
  readonly #id: number;
  readonly #imports: ImportCalls;
  /** Calls the function with the arguments in the mailbox. */
  #invoke: () => unknown;
  readonly #results: readonly ValueType[];
  /** The type of the result where that is one number, else 0. */
  readonly #number: ValueType;

  constructor(imports: ImportCalls, fn: ExportedFunction, id: number, type: RegisteredType) {
    const { params, results } = type;
    const { convert, mailbox } = imports;
    const argument = some(params, needsConversion)
      ? (place: number): unknown => convert.fromMailbox(params[place] as ValueType, place)
      : (place: number): unknown => mailbox.get(params[place] as ValueType, place);
    this.#imports = imports;
    this.#id = id;
    this.#invoke = convert.crosses(type) ? withArguments(fn, argument, params.length) : () => convert.requireCrossing(type);
    this.#results = results;
    this.#number = results.length === 1 && !some(results, needsConversion) ? (results[0] as ValueType) : 0;
  }

  /** Its number, by which the thread's names have it. */
  get id(): number {
    return this.#id;
  }

  /** Lets go of the function: from now on a call throws. */
  dispose(): void {
    this.#invoke = () => {
      throw disposed();
    };
  }

  /** Calls the function with the arguments in the mailbox. Returns and throws what it does. */
  call(): unknown {
    const imports = this.#imports;
    const outer = imports.calling;
    imports.calling = this.#id;
    try {
      return this.#invoke();
    } finally {
      imports.calling = outer;
    }
  }

  /** Makes what the function gave its results. Throws what the conversion throws. */
  convert(value: unknown): RawValue | readonly RawValue[] {
    return this.#number === 0 ? this.#imports.convert.resultsToWasm(this.#results, value) : coerce(this.#number, value);
  }

  /** Puts what {@link convert} made into the mailbox. */
  put(results: RawValue | readonly RawValue[]): void {
    const { mailbox } = this.#imports;
    if (this.#number === 0) mailbox.putAll(this.#results, results as readonly RawValue[]);
    else mailbox.put(this.#number, 0, results as RawValue);
  }
}

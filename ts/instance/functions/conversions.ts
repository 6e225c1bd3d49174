/**
 * Values between JavaScript and WebAssembly, one and several. Where they are more than numbers they are references: the addon sees an
 * externref as a handle of the table of values, a function reference as the address of its VMFunction; 0 is null in both.
 */
import { append, every, item, joinedLists, listOf, mapped, NumberValue, setHas, some } from '../../base/intrinsics.js';
import { wrongArgument } from '../../errors/catalog.js';
import type { ValueType } from '../../validate/description.js';
import {
  abstractHeap,
  concreteId,
  HEAP,
  isNullable,
  isReference,
  type RegisteredType,
  type TypeRegistry,
} from '../../validate/registry.js';
import type { ExternTable } from './externs.js';
import type { Mailbox } from './mailbox.js';
import { coerce, needsConversion } from './numbers.js';

/** What conversions need of the thread's functions. */
export interface FunctionReferences {
  /** The JavaScript function of a VMFunction. */
  functionAt(address: number): unknown;
  /** The VMFunction of an exported function, undefined for other values. */
  addressOf(value: unknown): number | undefined;
  /** Canonical type id of a VMFunction. */
  typeOf(address: number): number;
}

/** Abstract heap types whose values JavaScript never sees. */
const NO_CROSSING = new Set<number>([HEAP.exn, HEAP.noexn, HEAP.cont, HEAP.nocont]);

/** The abstract heap type that a concrete type of a kind is below. */
const TOP = { func: HEAP.func, cont: HEAP.cont, struct: HEAP.any, array: HEAP.any } as const;

/** One thread's conversions. */
export class Conversions {
  readonly #types: TypeRegistry;
  readonly #externs: ExternTable;
  readonly #functions: FunctionReferences;
  readonly #mailbox: Mailbox;

  constructor(types: TypeRegistry, externs: ExternTable, functions: FunctionReferences, mailbox: Mailbox) {
    this.#types = types;
    this.#externs = externs;
    this.#functions = functions;
    this.#mailbox = mailbox;
  }

  /**
   * ToWebAssemblyValue: the number or bigint that the addon takes. Throws what the conversion throws, and a TypeError for what does not
   * fit.
   */
  toWasm(type: ValueType, value: unknown): number | bigint {
    return needsConversion(type) ? this.referenceToWasm(type, value) : coerce(type, value);
  }

  /** {@link toWasm} for references. */
  referenceToWasm(type: ValueType, value: unknown): number {
    if (!isReference(type)) throw wrongArgument('a v128 cannot come from JavaScript');
    if (value === null) {
      if (!isNullable(type)) throw wrongArgument('null does not fit a non-nullable reference type');
      if (setHas(NO_CROSSING, this.#heap(type))) throw wrongArgument('exceptions and continuations cannot come from JavaScript');
      return 0;
    }
    const heap = this.#heap(type);
    if (heap === HEAP.extern) return this.#externs.handle(value);
    const id = concreteId(type);
    if (heap === HEAP.func) {
      const address = this.#functions.addressOf(value);
      if (address !== undefined && (id === 0 || this.#types.isSubtype(this.#functions.typeOf(address), id))) return address;
      throw wrongArgument('the value is not an exported WebAssembly function of the right type');
    }
    if (heap === HEAP.any || heap === HEAP.eq || heap === HEAP.i31) {
      throw wrongArgument('garbage-collected references cannot come from JavaScript yet');
    }
    throw wrongArgument('exceptions, continuations and empty reference types cannot come from JavaScript');
  }

  /**
   * {@link toWasm} for several values. Values of JavaScript's own come last: converting a number may run the caller's code, and a
   * collection there would not see a handle that only this list has.
   */
  toWasmAll(types: readonly ValueType[], values: ArrayLike<unknown>): (number | bigint)[] {
    const raw: (number | bigint)[] = [];
    let later = false;
    for (let i = 0; i < types.length; i++) {
      const type = item(types, i);
      const waits = values[i] !== null && this.isExtern(type);
      later ||= waits;
      append(raw, waits ? 0 : this.toWasm(type, values[i]));
    }
    for (let i = 0; later && i < types.length; i++) {
      const type = item(types, i);
      if (values[i] !== null && this.isExtern(type)) raw[i] = this.toWasm(type, values[i]);
    }
    return raw;
  }

  /** ToWebAssemblyValue of the arguments of a function type. Throws a TypeError where its values do not cross. */
  argumentsToWasm(type: RegisteredType, args: readonly unknown[]): (number | bigint)[] {
    this.requireCrossing(type);
    return this.toWasmAll(type.params, args);
  }

  /** ToWebAssemblyValue of what a function of JavaScript returned for these results, of which several come as a list. */
  resultsToWasm(results: readonly ValueType[], value: unknown): (number | bigint)[] {
    if (results.length === 0) return [];
    const values = results.length === 1 ? [value] : listOf(value);
    if (values.length !== results.length) {
      throw wrongArgument(`the imported function returned ${values.length} values, its type has ${results.length}`);
    }
    return this.toWasmAll(results, values);
  }

  /**
   * What {@link toWasmAll} made some time ago, with handles of now: a collection in between has dropped those that only that list had.
   */
  renewHandles(types: readonly ValueType[], raw: readonly (number | bigint)[], values: ArrayLike<unknown>): (number | bigint)[] {
    return mapped(types, (type, i) => (this.isExtern(type) ? this.#externs.handle(values[i]) : (raw[i] ?? 0)));
  }

  /** ToJSValue: what the addon gives, as JavaScript sees it. */
  fromWasm(type: ValueType, raw: unknown): unknown {
    if (!isReference(type)) {
      if (type === 0x7b) throw wrongArgument('a v128 cannot go to JavaScript');
      return raw;
    }
    const heap = this.#heap(type);
    // Not even their null: the JS API refuses by type.
    if (setHas(NO_CROSSING, heap)) throw wrongArgument('exceptions and continuations cannot go to JavaScript');
    const number = NumberValue(raw);
    if (number === 0) return null;
    if (heap === HEAP.extern) return this.#externs.value(number);
    if (heap === HEAP.func) return this.#functions.functionAt(number);
    throw wrongArgument('garbage-collected references cannot go to JavaScript yet');
  }

  /** The values of these types in the mailbox, as what a function with such results returns. */
  resultsFromMailbox(types: readonly ValueType[]): unknown {
    if (types.length === 0) return undefined;
    if (types.length === 1) return this.fromMailbox(types[0] as ValueType, 0);
    return this.valuesFromMailbox(types);
  }

  /** The values of these types in the mailbox. */
  valuesFromMailbox(types: readonly ValueType[]): unknown[] {
    return mapped(types, (type, i) => this.fromMailbox(type, i));
  }

  /** The value of a type at a place of the mailbox. */
  fromMailbox(type: ValueType, place: number): unknown {
    return this.fromWasm(type, this.#mailbox.get(type, place));
  }

  /** What the addon returned for results of these types, as JavaScript sees it. */
  resultsFromWasm(results: readonly ValueType[], raw: unknown): unknown {
    if (results.length === 0 || !some(results, needsConversion)) return raw;
    if (results.length === 1) return this.fromWasm(results[0] ?? 0x7f, raw);
    return mapped(raw as unknown[], (x, i) => this.fromWasm(results[i] ?? 0x7f, x));
  }

  /** Whether values of a type are JavaScript's own. */
  isExtern(type: ValueType): boolean {
    return isReference(type) && this.#heap(type) === HEAP.extern;
  }

  /** Whether values of a type are functions. */
  isFunction(type: ValueType): boolean {
    return isReference(type) && this.#heap(type) === HEAP.func;
  }

  /** Whether all values of a function type may cross at all: what the JS API asks before a call. */
  crosses({ params, results }: Pick<RegisteredType, 'params' | 'results'>): boolean {
    return every(joinedLists(params, results), (type) => type !== 0x7b && !setHas(NO_CROSSING, this.#heap(type)));
  }

  /** Throws a TypeError where values of a function type do not cross to JavaScript. Of whom they are does not matter. */
  requireCrossing(type: RegisteredType, _owner?: object): void {
    if (!this.crosses(type)) throw wrongArgument('a function type with v128, exceptions or continuations does not cross to JavaScript');
  }

  /** The abstract heap type of a reference type, or the one that a concrete type is below. */
  #heap(type: ValueType): number {
    const id = concreteId(type);
    return id === 0 ? abstractHeap(type) : TOP[this.#types.type(id).kind];
  }
}

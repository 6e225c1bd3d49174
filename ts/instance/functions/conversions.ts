/**
 * Values between JavaScript and WebAssembly, one and several. Where they are more than numbers they are references: the addon sees a function reference as the
 * address of its VMFunction, what is under `any` or `extern` as the words of `host_values.ts`; 0 is null in all.
 */
import { append, every, item, joinedLists, listOf, mapped, NumberValue, setHas, setItem, some } from '../../base/intrinsics.js';
import { wrongArgument } from '../../errors/catalog.js';
import type { ValueType } from '../../validate/description.js';
import {
  abstractHeap,
  concreteId,
  concreteReference,
  HEAP,
  isNullable,
  isReference,
  type RegisteredType,
  type TypeRegistry,
} from '../../validate/registry.js';
import { type HostValues, i31Word, WITH_I31 } from './host_values.js';
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

/** Abstract heap types whose values are words of `host_values.ts`. */
const HOST = new Set<number>([HEAP.extern, HEAP.any, HEAP.eq, HEAP.i31, HEAP.struct, HEAP.array]);

/** One thread's conversions. */
export class Conversions {
  readonly #types: TypeRegistry;
  readonly #values: HostValues;
  readonly #functions: FunctionReferences;
  readonly #mailbox: Mailbox;

  constructor(types: TypeRegistry, values: HostValues, functions: FunctionReferences, mailbox: Mailbox) {
    this.#types = types;
    this.#values = values;
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
    if (heap === HEAP.extern) return this.#values.word(value);
    const id = concreteId(type);
    if (heap === HEAP.func) {
      const address = this.#functions.addressOf(value);
      if (address !== undefined && (id === 0 || this.#types.isSubtype(this.#functions.typeOf(address), id))) return address;
      throw wrongArgument('the value is not an exported WebAssembly function of the right type');
    }
    if (setHas(HOST, heap)) return this.#anyToWasm(type, value);
    throw wrongArgument('exceptions, continuations and empty reference types cannot come from JavaScript');
  }

  /** {@link toWasm} for a value, not null, of a type under `any`. */
  #anyToWasm(type: ValueType, value: unknown): number {
    const heap = abstractHeap(type);
    if (heap === HEAP.any) return this.#values.word(value);
    const number = i31Word(value);
    if (number !== undefined && setHas(WITH_I31, heap)) return number;
    const address = this.#values.addressOf(value);
    if (address !== undefined && this.#types.matches(concreteReference(this.#values.typeOf(address)), type)) return address;
    throw wrongArgument('the value is not a structure, array or small integer of the right type');
  }

  /**
   * {@link toWasm} for several values. What is under `any` and `extern` comes last: converting a number may run the caller's code, and a
   * collection there would not see a handle that only this list has.
   */
  toWasmAll(types: readonly ValueType[], values: ArrayLike<unknown>): (number | bigint)[] {
    const raw: (number | bigint)[] = [];
    let later = false;
    for (let i = 0; i < types.length; i++) {
      const type = item(types, i);
      const waits = values[i] !== null && this.isHost(type);
      later ||= waits;
      append(raw, waits ? 0 : this.toWasm(type, values[i]));
    }
    for (let i = 0; later && i < types.length; i++) {
      const type = item(types, i);
      if (values[i] !== null && this.isHost(type)) setItem(raw, i, this.toWasm(type, values[i]));
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
    return mapped(types, (type, i) => (this.isHost(type) ? this.referenceToWasm(type, values[i]) : (raw[i] ?? 0)));
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
    if (setHas(HOST, heap)) return this.#values.value(number);
    if (heap === HEAP.func) return this.#functions.functionAt(number);
    throw wrongArgument('a value of an empty reference type cannot go to JavaScript');
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

  /** Whether values of a type are of any kind, under `extern`. */
  isExtern(type: ValueType): boolean {
    return isReference(type) && this.#heap(type) === HEAP.extern;
  }

  /** Whether values of a type are under `any` or `extern`, and may be JavaScript's own or refer to such. */
  isHost(type: ValueType): boolean {
    return isReference(type) && setHas(HOST, this.#heap(type));
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

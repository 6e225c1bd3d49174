/**
 * Values between JavaScript and WebAssembly where they are more than numbers: references. The addon sees an externref as a handle of the
 * table of values, a function reference as the address of its VMFunction; 0 is null in both.
 */
import { wrongArgument } from '../errors/catalog.js';
import type { TypeDescription, ValueType } from '../validate/description.js';
import { abstractHeap, concreteId, HEAP, isNullable, isReference } from '../validate/registry.js';
import type { ExternTable } from './externs.js';

/** What conversions need of the thread. */
export interface FunctionReferences {
  /** The JavaScript function of a VMFunction. */
  functionAt(address: number): unknown;
  /** The VMFunction of an exported function, undefined for other values. */
  addressOf(value: unknown): number | undefined;
  /** Canonical type id of a VMFunction. */
  typeOf(address: number): number;
  /** Whether a function type id is another's or below it. */
  isSubtype(sub: number, sup: number): boolean;
  /** What a type id is. */
  kindOf(id: number): TypeDescription['kind'];
}

/** Whether values of a type are more than numbers to the addon. */
export function needsConversion(type: ValueType): boolean {
  return isReference(type) || type === 0x7b;
}

/** Abstract heap types whose values JavaScript never sees. */
const NO_CROSSING = new Set<number>([HEAP.exn, HEAP.noexn, HEAP.cont, HEAP.nocont]);

/** The abstract heap type that a concrete type of a kind is below. */
const TOP = { func: HEAP.func, cont: HEAP.cont, struct: HEAP.any, array: HEAP.any } as const;

/** Converts one value type's values; made once per type and place. */
export class Conversions {
  readonly #externs: ExternTable;
  readonly #functions: FunctionReferences;

  constructor(externs: ExternTable, functions: FunctionReferences) {
    this.#externs = externs;
    this.#functions = functions;
  }

  /** ToWebAssemblyValue for references: the number that the addon takes. Throws a TypeError for what does not fit. */
  toWasm(type: ValueType, value: unknown): unknown {
    if (!isReference(type)) {
      if (type === 0x7b) throw wrongArgument('a v128 cannot come from JavaScript');
      return value;
    }
    if (value === null) {
      if (!isNullable(type)) throw wrongArgument('null does not fit a non-nullable reference type');
      if (NO_CROSSING.has(this.#heap(type))) throw wrongArgument('exceptions and continuations cannot come from JavaScript');
      return 0;
    }
    const heap = this.#heap(type);
    if (heap === HEAP.extern) return this.#externs.handle(value);
    const id = concreteId(type);
    if (heap === HEAP.func) {
      const address = this.#functions.addressOf(value);
      if (address !== undefined && (id === 0 || this.#functions.isSubtype(this.#functions.typeOf(address), id))) return address;
      throw wrongArgument('the value is not an exported WebAssembly function of the right type');
    }
    if (heap === HEAP.any || heap === HEAP.eq || heap === HEAP.i31) {
      throw wrongArgument('garbage-collected references cannot come from JavaScript yet');
    }
    throw wrongArgument('exceptions, continuations and empty reference types cannot come from JavaScript');
  }

  /** ToJSValue: what the addon gives, as JavaScript sees it. */
  fromWasm(type: ValueType, raw: unknown): unknown {
    if (!isReference(type)) {
      if (type === 0x7b) throw wrongArgument('a v128 cannot go to JavaScript');
      return raw;
    }
    const heap = this.#heap(type);
    // Not even their null: the JS API refuses by type.
    if (NO_CROSSING.has(heap)) throw wrongArgument('exceptions and continuations cannot go to JavaScript');
    const number = Number(raw);
    if (number === 0) return null;
    if (heap === HEAP.extern) return this.#externs.value(number);
    if (heap === HEAP.func) return this.#functions.functionAt(number);
    throw wrongArgument('garbage-collected references cannot go to JavaScript yet');
  }

  /** Whether values of a type are JavaScript's own. */
  isExtern(type: ValueType): boolean {
    return isReference(type) && this.#heap(type) === HEAP.extern;
  }

  /** Whether a value of this type may cross at all: what the JS API asks before a call. */
  crosses(type: ValueType): boolean {
    return type !== 0x7b && !NO_CROSSING.has(this.#heap(type));
  }

  /** The abstract heap type of a reference type, or the one that a concrete type is below. */
  #heap(type: ValueType): number {
    const id = concreteId(type);
    return id === 0 ? abstractHeap(type) : TOP[this.#functions.kindOf(id)];
  }
}

/**
 * The thread's types: equal types of all modules get one id, so that a check of two ids is a check of types. Recursion groups are compared
 * whole, as the specification asks: references inside a group by their place in it, others by id.
 *
 * A canonical value type is a value type word whose concrete index is a type id.
 */
import type { ModuleDescription, TypeDescription, ValueType } from './description.js';

const REFERENCE = 0x8000_0000;
const NULLABLE = 0x4000_0000;
const CONCRETE = 0x2000_0000;
const INDEX = 0xf_ffff;

/** A canonical type. */
export interface RegisteredType {
  readonly id: number;
  readonly kind: TypeDescription['kind'];
  readonly final: boolean;
  /** Ids of all supertypes, nearest first. */
  readonly supers: readonly number[];
  /** Of a function type: canonical value types. */
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
  /** Of a continuation type: id of its function type; else 0. */
  readonly cont: number;
}

/** Whether a value type is a reference. */
export function isReference(type: ValueType): boolean {
  return type >= REFERENCE;
}

/** Whether a reference type has a null. */
export function isNullable(type: ValueType): boolean {
  return (type & NULLABLE) !== 0;
}

/** The type id of a concrete canonical reference type, 0 for others. */
export function concreteId(type: ValueType): number {
  return isReference(type) && (type & CONCRETE) !== 0 ? type & INDEX : 0;
}

/** Abstract heap types' bytes. */
export const HEAP = {
  func: 0x70,
  extern: 0x6f,
  any: 0x6e,
  eq: 0x6d,
  i31: 0x6c,
  struct: 0x6b,
  array: 0x6a,
  none: 0x71,
  noextern: 0x72,
  nofunc: 0x73,
  exn: 0x69,
  noexn: 0x74,
  cont: 0x68,
  nocont: 0x75,
} as const;

/** Byte of an abstract reference type; -1 for others. */
export function abstractHeap(type: ValueType): number {
  return isReference(type) && (type & CONCRETE) === 0 ? type & 0xff : -1;
}

/** What each abstract heap type is directly below. */
const ABOVE = new Map<number, readonly number[]>([
  [HEAP.eq, [HEAP.any]],
  [HEAP.i31, [HEAP.eq]],
  [HEAP.struct, [HEAP.eq]],
  [HEAP.array, [HEAP.eq]],
  [HEAP.none, [HEAP.i31, HEAP.struct, HEAP.array]],
  [HEAP.nofunc, [HEAP.func]],
  [HEAP.noextern, [HEAP.extern]],
  [HEAP.noexn, [HEAP.exn]],
  [HEAP.nocont, [HEAP.cont]],
]);
const KIND_HEAP = { func: HEAP.func, cont: HEAP.cont, struct: HEAP.struct, array: HEAP.array } as const;
const BOTTOM = new Map<TypeDescription['kind'], number>([
  ['func', HEAP.nofunc],
  ['cont', HEAP.nocont],
  ['struct', HEAP.none],
  ['array', HEAP.none],
]);

function abstractBelow(sub: number, sup: number): boolean {
  return sub === sup || (ABOVE.get(sub) ?? []).some((next) => abstractBelow(next, sup));
}

/** Called for every new type, in order of ids. */
export type TypeListener = (type: RegisteredType) => void;

/** Types by id; ids count from 1. */
export class TypeRegistry {
  readonly #types: RegisteredType[] = [];
  readonly #groups = new Map<string, number>();
  readonly #listener: TypeListener;

  constructor(listener: TypeListener) {
    this.#listener = listener;
  }

  /** A type by id. */
  type(id: number): RegisteredType {
    const type = this.#types[id - 1];
    if (type === undefined) throw new RangeError(`type id ${id} is not registered`);
    return type;
  }

  /** The ids of a module's types, by type index. */
  register(description: Pick<ModuleDescription, 'types'>): Uint32Array {
    const { types } = description;
    const ids = new Uint32Array(types.length);
    for (let start = 0; start < types.length; ) {
      let end = start + 1;
      while (end < types.length && types[end]?.group === types[start]?.group) end++;
      const first = this.#group(types.slice(start, end), start, (index) => ids[index] ?? 0);
      for (let i = start; i < end; i++) ids[i] = first + i - start;
      start = end;
    }
    return ids;
  }

  /** The id of a function type made of canonical value types, as a module with that type alone would get. */
  functionType(params: readonly ValueType[], results: readonly ValueType[]): number {
    const type: TypeDescription = { kind: 'func', group: 0, final: true, super: -1, params, results };
    // The value types are canonical already, and the group of one type begins before every index, so none points into it.
    return this.#group([type], -1, (id) => id);
  }

  /** The canonical form of a value type of a module whose type ids are given. */
  canonical(type: ValueType, ids: Uint32Array): ValueType {
    if (!isReference(type) || (type & CONCRETE) === 0) return type;
    return ((type & ~INDEX) | (ids[type & INDEX] ?? 0)) >>> 0;
  }

  /** Whether a type id is another's or below it. */
  isSubtype(sub: number, sup: number): boolean {
    return sub === sup || this.type(sub).supers.includes(sup);
  }

  /** Whether values of one canonical value type are values of another. */
  matches(sub: ValueType, sup: ValueType): boolean {
    if (sub === sup) return true;
    if (!isReference(sub) || !isReference(sup)) return false;
    if (isNullable(sub) && !isNullable(sup)) return false;
    const subId = concreteId(sub);
    const supId = concreteId(sup);
    if (subId !== 0 && supId !== 0) return this.isSubtype(subId, supId);
    if (subId !== 0) return abstractBelow(KIND_HEAP[this.type(subId).kind], abstractHeap(sup));
    if (supId !== 0) return BOTTOM.get(this.type(supId).kind) === abstractHeap(sub);
    return abstractBelow(abstractHeap(sub), abstractHeap(sup));
  }

  #group(group: readonly TypeDescription[], start: number, outside: (index: number) => number): number {
    const end = start + group.length;
    // In the key a reference into the group is its place there, marked by a bit that ids never reach.
    const keyWord = (word: ValueType): string => {
      if (!isReference(word) || (word & CONCRETE) === 0) return String(word);
      const index = word & INDEX;
      const head = (word & ~INDEX) >>> 0;
      return index >= start && index < end ? `${head}r${index - start}` : `${head}i${outside(index)}`;
    };
    const keyIndex = (index: number): string =>
      index < 0 ? '' : index >= start && index < end ? `r${index - start}` : `i${outside(index)}`;
    const key = JSON.stringify(
      group.map((type) => [
        type.kind,
        type.final,
        keyIndex(type.super),
        type.kind === 'func'
          ? [type.params.map(keyWord), type.results.map(keyWord)]
          : type.kind === 'cont'
            ? keyIndex(type.cont)
            : type.fields.map(([storage, mutable]) => [keyWord(storage), mutable]),
      ]),
    );
    const first = this.#types.length + 1;
    const real = (index: number): number => (index >= start && index < end ? first + index - start : outside(index));
    const word = (type: ValueType): ValueType =>
      isReference(type) && (type & CONCRETE) !== 0 ? ((type & ~INDEX) | real(type & INDEX)) >>> 0 : type;
    return this.#add(key, group, word, real);
  }

  #add(key: string, group: readonly TypeDescription[], word: (type: ValueType) => ValueType, real: (index: number) => number): number {
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    const first = this.#types.length + 1;
    this.#groups.set(key, first);
    const added = group.map(
      (type, i): RegisteredType => ({
        id: first + i,
        kind: type.kind,
        final: type.final,
        supers: this.#supers(type.super < 0 ? 0 : real(type.super), first, group, real),
        params: type.kind === 'func' ? type.params.map(word) : [],
        results: type.kind === 'func' ? type.results.map(word) : [],
        cont: type.kind === 'cont' ? real(type.cont) : 0,
      }),
    );
    this.#types.push(...added);
    for (const type of added) this.#listener(type);
    return first;
  }

  /** All supertypes of a type whose direct supertype has id `id`; a supertype comes before its subtypes, in this group or an earlier one. */
  #supers(id: number, first: number, group: readonly TypeDescription[], real: (index: number) => number): number[] {
    if (id === 0) return [];
    if (id < first) return [id, ...this.type(id).supers];
    const type = group[id - first];
    return [id, ...this.#supers(type === undefined || type.super < 0 ? 0 : real(type.super), first, group, real)];
  }
}

/**
 * The thread's types: equal types of all modules get one id, so that a check of two ids is a check of types. Recursion groups are compared
 * whole, as the specification asks: references inside a group by their place in it, others by id. How ids live and die: docs/decisions/0016.
 *
 * A canonical value type is a value type word whose concrete index is a type id.
 *
 * Nothing here asks what a program can patch: words of typed arrays, but not their length, loops over indices, and what was captured when this was loaded.
 */
import { bareList, setItem } from '../base/intrinsics.js';
import { internal, tooManyTypes } from '../errors/catalog.js';
import type { TypeDescription, ValueType } from './description.js';
import { type ObjectLayout, storageSizeLog2, structLayout } from './object_layout.js';
import { FINAL, FIRST, KIND, KIND_CONT, KIND_FUNC, KIND_STRUCT, NO_SUPER, TYPE_KINDS, TYPES_HEAD } from './type_words.js';
import { hashWords } from './word_hash.js';

const { prototype } = Array;
const { set } = Uint32Array.prototype;
const { apply, setPrototypeOf } = Reflect;
const Words = Uint32Array;

const REFERENCE = 0x8000_0000;
const NULLABLE = 0x4000_0000;
const CONCRETE = 0x2000_0000;
/** In the words of a group: what follows is a place in the group, not an id. */
const INSIDE = 0x1000_0000;
const INDEX = 0xf_ffff;

/** Types that a thread can have at a time: an id is not 0, and fits the index of a value type. */
export const MOST_TYPES = INDEX;

/** A canonical type. */
export interface RegisteredType {
  readonly id: number;
  readonly kind: TypeDescription['kind'];
  readonly final: boolean;
  /** Id of the declared supertype; 0 where there is none. */
  readonly super: number;
  /** Of a function type: canonical value types. */
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
  /** Of a continuation type: id of its function type; else 0. */
  readonly cont: number;
  /** Of a structure or array type: storage types, whose concrete indices are ids, and whether they are mutable. */
  readonly fields: readonly RegisteredField[];
}

/** A field of a structure, or the elements of an array. */
export interface RegisteredField {
  readonly storage: number;
  readonly mutable: boolean;
}

/** Whether a value type is a reference. */
export function isReference(type: ValueType): boolean {
  return type >= REFERENCE;
}

/** Whether a reference type has a null. */
export function isNullable(type: ValueType): boolean {
  return (type & NULLABLE) !== 0;
}

function isConcrete(type: ValueType): boolean {
  return isReference(type) && (type & CONCRETE) !== 0;
}

/** The type id of a concrete canonical reference type, 0 for others. */
export function concreteId(type: ValueType): number {
  return isConcrete(type) ? type & INDEX : 0;
}

/** The reference to a type by its id, without null. */
export function concreteReference(id: number): ValueType {
  return (REFERENCE | CONCRETE | id) >>> 0;
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

const KIND_HEAP = { func: HEAP.func, cont: HEAP.cont, struct: HEAP.struct, array: HEAP.array } as const;
const KIND_BOTTOM = { func: HEAP.nofunc, cont: HEAP.nocont, struct: HEAP.none, array: HEAP.none } as const;

/** Whether one abstract heap type is another or below it. */
function abstractBelow(sub: number, sup: number): boolean {
  if (sub === sup) return true;
  switch (sub) {
    case HEAP.eq:
      return sup === HEAP.any;
    case HEAP.i31:
    case HEAP.struct:
    case HEAP.array:
      return sup === HEAP.eq || sup === HEAP.any;
    case HEAP.none:
      return sup === HEAP.i31 || sup === HEAP.struct || sup === HEAP.array || sup === HEAP.eq || sup === HEAP.any;
    case HEAP.nofunc:
      return sup === HEAP.func;
    case HEAP.noextern:
      return sup === HEAP.extern;
    case HEAP.noexn:
      return sup === HEAP.exn;
    case HEAP.nocont:
      return sup === HEAP.cont;
    default:
      return false;
  }
}

/** Who else knows types by their ids. */
export interface TypeUser {
  /** New types (contract/formats.md, section 8). What it throws, `register` throws, and has then registered nothing. */
  define(words: Uint32Array): void;
  /** Ids that no type has any more. */
  forget(ids: Uint32Array): void;
  /** There is no id left: collects, with a call of `sweep`, all that nothing names any more. */
  reclaim(): void;
}

/** Offsets in the words of a group; its ids follow, then its types. */
const GROUP_HASH = 0;
/** Words of the group in all. */
const GROUP_SIZE = 1;
/** Number of types. */
const GROUP_COUNT = 2;
const GROUP_IDS = 3;

/** Offsets in the words of a type; what follows is as in contract/formats.md, section 2. */
const TYPE_HEAD = 0;
const TYPE_SUPER = 1;
const TYPE_REST = 2;

/** Offsets in the words of a definition, as the user takes it: id, supertype, kind, two words that depend on the kind; what follows depends on it as well. */
const DEFINED_SUPER = 1;
const DEFINED_KIND = 2;
const DEFINED_REST = 3;
const DEFINED_HEAD = 5;

/** Words of the definition of a type whose own are `size` words. */
function definitionSize(words: Uint32Array, at: number, size: number): number {
  const kind = word(words, at) & KIND;
  if (kind === KIND_FUNC) return DEFINED_HEAD + size - TYPE_REST - 2;
  return kind === KIND_CONT ? DEFINED_HEAD : DEFINED_HEAD + 1;
}

/** Of an array: binary logarithm of an element's bytes, and whether elements are references. */
function arrayLayout(storage: number): ObjectLayout {
  return { bytes: storageSizeLog2(storage), low: isReference(storage) ? 1 : 0, high: 0 };
}

/** Words of a type of a module or of a group, from its head on. */
function typeSize(words: Uint32Array, at: number): number {
  const kind = word(words, at) & KIND;
  if (kind === KIND_CONT) return TYPE_REST + 1;
  const count = word(words, at + TYPE_REST);
  return kind === KIND_FUNC ? TYPE_REST + 2 + count + word(words, at + TYPE_REST + 1) : TYPE_REST + 1 + 2 * count;
}

function word(words: Uint32Array, at: number): number {
  return words[at] ?? 0;
}

/** The words in a longer array. */
function grown(words: Uint32Array, capacity: number): Uint32Array<ArrayBuffer> {
  const made = new Words(capacity);
  apply(set, made, [words]);
  return made;
}

/** What `size` is doubled to so that it is at least `least`. */
function doubled(size: number, least: number): number {
  while (size < least) size *= 2;
  return size;
}

/** Bits by id, which may be shared with the addon. */
function setBit(bits: Uint32Array, id: number): void {
  bits[id >>> 5] = word(bits, id >>> 5) | (1 << (id & 31));
}

function hasBit(bits: Uint32Array, id: number): boolean {
  return ((word(bits, id >>> 5) >>> (id & 31)) & 1) !== 0;
}

const BITS = (MOST_TYPES + 1) >>> 5;
/** Words of an array that grows. */
const LEAST = 64;

/**
 * Types by id; ids count from 1.
 *
 * All that counts is `#words` up to `#used`: group behind group. What is behind was begun and not finished. Everything else is derived from them, and is made anew where
 * something was begun: whatever throws, wherever it does, leaves nothing behind.
 */
export class TypeRegistry {
  /**
   * A bit for each id. At the end of a collection: what the collector found; {@link sweep} adds what that names, and then they are the ids of all types there are.
   */
  readonly marks = new Words(BITS);

  readonly #user: TypeUser;
  #words = new Words(LEAST);
  #room = LEAST;
  #used = 0;
  /** Whether something was begun. */
  #begun = false;

  #groups = 0;
  /** Offsets of groups, plus 1, by their hashes; a power of two, at most half full. */
  #table = new Words(LEAST);
  #places = LEAST;
  /** By id, below `#ids`: offsets of the type's group and of its own words; 0 for the latter where the id is free. */
  #groupOf = new Words(LEAST);
  #typeOf = new Words(LEAST);
  #ids = LEAST;
  /** Free ids up to `#last`, and how many they are. */
  #free = new Words(LEAST);
  #freeCount = 0;
  #last = 0;
  /** By id, what {@link type} gives. */
  #known: (RegisteredType | undefined)[] = bareList();

  constructor(user: TypeUser) {
    this.#user = user;
  }

  /** Number of types. */
  get size(): number {
    this.#settle();
    return this.#last - this.#freeCount;
  }

  /** A type by id. */
  type(id: number): RegisteredType {
    const at = this.#offset(id);
    const known = this.#known[id];
    if (known !== undefined) return known;
    const words = this.#words;
    const head = word(words, at + TYPE_HEAD);
    const kind = head & KIND;
    const params = kind === KIND_FUNC ? word(words, at + TYPE_REST) : 0;
    const results = kind === KIND_FUNC ? word(words, at + TYPE_REST + 1) : 0;
    const group = word(this.#groupOf, id);
    const made: RegisteredType = {
      id,
      kind: TYPE_KINDS[kind] ?? 'func',
      final: (head & FINAL) !== 0,
      super: idIn(words, group, word(words, at + TYPE_SUPER)),
      params: valueTypes(words, group, at + TYPE_REST + 2, params),
      results: valueTypes(words, group, at + TYPE_REST + 2 + params, results),
      cont: kind === KIND_CONT ? idIn(words, group, word(words, at + TYPE_REST)) : 0,
      fields: kind === KIND_FUNC || kind === KIND_CONT ? NO_FIELDS : fields(words, group, at + TYPE_REST + 1, word(words, at + TYPE_REST)),
    };
    setItem(this.#known, id, made);
    return made;
  }

  /** The ids of a module's types (contract/formats.md, section 2), by type index. Throws a RangeError where a thread cannot have so many: then it has none of them. */
  register(types: Uint32Array): Uint32Array {
    return this.#retrying(() => this.#register(types));
  }

  /** The id of a function type made of canonical value types, as a module with that type alone would get. */
  functionType(params: readonly ValueType[], results: readonly ValueType[]): number {
    const source = new Words(TYPE_REST + 2 + params.length + results.length);
    source[TYPE_HEAD] = KIND_FUNC | FINAL | FIRST;
    source[TYPE_SUPER] = NO_SUPER;
    source[TYPE_REST] = params.length;
    source[TYPE_REST + 1] = results.length;
    for (let i = 0; i < params.length; i++) source[TYPE_REST + 2 + i] = params[i] ?? 0;
    for (let i = 0; i < results.length; i++) source[TYPE_REST + 2 + params.length + i] = results[i] ?? 0;
    const ids = this.#retrying(() => this.#registerOne(source));
    return word(ids, 0);
  }

  /** The canonical form of a value type of a module whose type ids are given. */
  canonical(type: ValueType, ids: Uint32Array): ValueType {
    return isConcrete(type) ? ((type & ~INDEX) | word(ids, type & INDEX)) >>> 0 : type;
  }

  /** Whether a type id is another's or below it. */
  isSubtype(sub: number, sup: number): boolean {
    // At most 63 steps: deeper declarations are not valid.
    for (let id = sub; id !== 0; ) {
      if (id === sup) return true;
      const at = this.#offset(id);
      id = idIn(this.#words, word(this.#groupOf, id), word(this.#words, at + TYPE_SUPER));
    }
    return false;
  }

  /** Whether values of one canonical value type are values of another. */
  matches(sub: ValueType, sup: ValueType): boolean {
    if (sub === sup) return true;
    if (!isReference(sub) || !isReference(sup)) return false;
    if (isNullable(sub) && !isNullable(sup)) return false;
    const subId = concreteId(sub);
    const supId = concreteId(sup);
    if (subId !== 0 && supId !== 0) return this.isSubtype(subId, supId);
    if (subId !== 0) return abstractBelow(KIND_HEAP[this.#kind(subId)], abstractHeap(sup));
    if (supId !== 0) return KIND_BOTTOM[this.#kind(supId)] === abstractHeap(sub);
    return abstractBelow(abstractHeap(sub), abstractHeap(sup));
  }

  /** After a collection that found what `marks` say: drops every group of which nothing names a type. */
  sweep(): void {
    this.#settle();
    const live = this.#close();
    if (live === this.#groups) return;
    this.#user.forget(this.#keepMarked());
  }

  /** Marks what marked types name, and the rest of their groups. Returns how many groups that are. */
  #close(): number {
    const { marks } = this;
    const words = this.#words;
    const reached = new Words((this.#last >>> 5) + 1);
    const open = new Words(this.#groups);
    let groups = 0;
    let depth = 0;
    const reach = (group: number): void => {
      const first = word(words, group + GROUP_IDS);
      if (hasBit(reached, first)) return;
      setBit(reached, first);
      open[depth++] = group;
      groups++;
      const count = word(words, group + GROUP_COUNT);
      for (let i = 0; i < count; i++) setBit(marks, word(words, group + GROUP_IDS + i));
    };
    const named = (id: number): void => {
      if (id !== 0 && (id & INSIDE) === 0) reach(word(this.#groupOf, id));
    };
    const value = (type: ValueType): void => {
      if (isConcrete(type) && (type & INSIDE) === 0) reach(word(this.#groupOf, type & INDEX));
    };
    for (let id = 1; id <= this.#last; id++) {
      if (hasBit(marks, id) && word(this.#typeOf, id) !== 0) reach(word(this.#groupOf, id));
      while (depth > 0) {
        const group = word(open, --depth);
        const end = group + word(words, group + GROUP_SIZE);
        let at = group + GROUP_IDS + word(words, group + GROUP_COUNT);
        for (; at < end; at += typeSize(words, at)) eachName(words, at, named, value);
      }
    }
    return groups;
  }

  /** Keeps the groups whose types are marked. Returns the ids of the others. */
  #keepMarked(): Uint32Array {
    const { marks } = this;
    const words = this.#words;
    let size = 0;
    let dropped = 0;
    for (let group = 0; group < this.#used; group += word(words, group + GROUP_SIZE)) {
      if (hasBit(marks, word(words, group + GROUP_IDS))) size += word(words, group + GROUP_SIZE);
      else dropped += word(words, group + GROUP_COUNT);
    }
    const room = doubled(LEAST, size);
    const kept = new Words(room);
    const ids = new Words(dropped);
    size = 0;
    dropped = 0;
    for (let group = 0; group < this.#used; group += word(words, group + GROUP_SIZE)) {
      if (hasBit(marks, word(words, group + GROUP_IDS))) {
        const end = group + word(words, group + GROUP_SIZE);
        for (let i = group; i < end; i++) kept[size++] = word(words, i);
        continue;
      }
      for (let i = 0; i < word(words, group + GROUP_COUNT); i++) ids[dropped++] = word(words, group + GROUP_IDS + i);
    }
    this.#begun = true;
    this.#words = kept;
    this.#room = room;
    this.#used = size;
    this.#settle();
    return ids;
  }

  /** Runs a registration; once more after a collection where ids have run out. */
  #retrying(run: () => Uint32Array | undefined): Uint32Array {
    let ids = run();
    if (ids !== undefined) return ids;
    this.#user.reclaim();
    ids = run();
    if (ids === undefined) throw tooManyTypes(MOST_TYPES);
    return ids;
  }

  /** The ids of a module's types; undefined where there are not enough. */
  #register(types: Uint32Array): Uint32Array | undefined {
    this.#settle();
    this.#begun = true;
    const count = word(types, 0);
    const ids = new Words(count);
    let end = this.#used;
    for (let first = 0; first < count; ) {
      let next = first + 1;
      while (next < count && (word(types, word(types, TYPES_HEAD + next)) & FIRST) === 0) next++;
      const at = word(types, TYPES_HEAD + first);
      const after = this.#intern({ source: types, at, first, count: next - first, ids }, end);
      if (after < 0) return undefined;
      end = after;
      first = next;
    }
    this.#commit(end);
    return ids;
  }

  /** The id of one type that is already made of ids. */
  #registerOne(source: Uint32Array): Uint32Array | undefined {
    this.#settle();
    this.#begun = true;
    const ids = new Words(1);
    const end = this.#intern({ source, at: 0, first: -1, count: 1, ids }, this.#used);
    if (end < 0) return undefined;
    this.#commit(end);
    return ids;
  }

  /** Tells the user of what is new, and keeps it. */
  #commit(end: number): void {
    if (end > this.#used) this.#user.define(this.#definitions(end));
    for (let group = this.#used; group < end; group += word(this.#words, group + GROUP_SIZE)) {
      for (let i = 0; i < word(this.#words, group + GROUP_COUNT); i++) setBit(this.marks, word(this.#words, group + GROUP_IDS + i));
    }
    this.#used = end;
    this.#begun = false;
  }

  /** Puts a group of a module behind `end`, unless there is such a one, and its ids among the module's. Returns the new end; -1 without ids. */
  #intern(group: SourceGroup, end: number): number {
    const { count, first, ids } = group;
    this.#write(group, end);
    const words = this.#words;
    const size = word(words, end + GROUP_SIZE);
    const hash = hashWords(words, end + GROUP_IDS + count, end + size);
    words[end + GROUP_HASH] = hash;
    const place = this.#find(end);
    const found = word(this.#table, place);
    const from = found === 0 ? end : found - 1;
    if (found === 0) {
      if (count > MOST_TYPES - this.#last + this.#freeCount) return -1;
      this.#place(end, end);
      this.#table[place] = end + 1;
      this.#groups++;
      if (this.#groups * 2 > this.#places) this.#rehash(end + size);
    }
    const base = first < 0 ? 0 : first;
    for (let i = 0; i < count; i++) ids[base + i] = word(words, from + GROUP_IDS + i);
    return found === 0 ? end + size : end;
  }

  /** Writes the words of a group of a module, but hash and ids. */
  #write(group: SourceGroup, end: number): void {
    const { source, at, count } = group;
    let size = 0;
    for (let i = 0, from = at; i < count; i++) {
      const own = typeSize(source, from);
      size += own;
      from += own;
    }
    size += GROUP_IDS + count;
    const room = doubled(this.#room, end + size);
    if (room > this.#room) {
      this.#words = grown(this.#words, room);
      this.#room = room;
    }
    const words = this.#words;
    words[end + GROUP_SIZE] = size;
    words[end + GROUP_COUNT] = count;
    let to = end + GROUP_IDS + count;
    for (let i = 0, from = at; i < count; i++) {
      const head = word(source, from);
      const own = typeSize(source, from);
      words[to + TYPE_HEAD] = head & ~FIRST;
      const sup = word(source, from + TYPE_SUPER);
      words[to + TYPE_SUPER] = sup === NO_SUPER ? 0 : nameOf(group, sup);
      const kind = head & KIND;
      // Counts and what says whether a field is mutable are as small as no reference is.
      if (kind === KIND_CONT) words[to + TYPE_REST] = nameOf(group, word(source, from + TYPE_REST));
      else for (let k = TYPE_REST; k < own; k++) words[to + k] = valueNameOf(group, word(source, from + k));
      from += own;
      to += own;
    }
  }

  /** The place in the table of a group equal to that at `end`, or the free place where that belongs. */
  #find(end: number): number {
    const words = this.#words;
    const mask = this.#places - 1;
    const size = word(words, end + GROUP_SIZE);
    const start = GROUP_IDS + word(words, end + GROUP_COUNT);
    for (let place = word(words, end + GROUP_HASH) & mask; ; place = (place + 1) & mask) {
      const entry = word(this.#table, place);
      if (entry === 0) return place;
      const other = entry - 1;
      let same = true;
      for (let i = 0; same && i < GROUP_IDS; i++) same = word(words, other + i) === word(words, end + i);
      for (let i = start; same && i < size; i++) same = word(words, other + i) === word(words, end + i);
      if (same) return place;
    }
  }

  /** Gives the types of a new group ids. */
  #place(group: number, end: number): void {
    const words = this.#words;
    const count = word(words, group + GROUP_COUNT);
    let at = group + GROUP_IDS + count;
    for (let i = 0; i < count; i++) {
      const id = this.#freeCount > 0 ? word(this.#free, --this.#freeCount) : ++this.#last;
      words[end + GROUP_IDS + i] = id;
      this.#note(id, group, at);
      at += typeSize(words, at);
    }
  }

  #note(id: number, group: number, at: number): void {
    const ids = doubled(this.#ids, id + 1);
    if (ids > this.#ids) {
      this.#groupOf = grown(this.#groupOf, ids);
      this.#typeOf = grown(this.#typeOf, ids);
      this.#ids = ids;
    }
    this.#groupOf[id] = group;
    this.#typeOf[id] = at;
  }

  /** The definitions of the types from `#used` up to `end`, as the user takes them. */
  #definitions(end: number): Uint32Array {
    const words = this.#words;
    const each = (visit: (group: number, place: number, at: number, own: number) => void): void => {
      for (let group = this.#used; group < end; group += word(words, group + GROUP_SIZE)) {
        const count = word(words, group + GROUP_COUNT);
        for (let i = 0, at = group + GROUP_IDS + count; i < count; i++) {
          const own = typeSize(words, at);
          visit(group, i, at, own);
          at += own;
        }
      }
    };
    let size = 0;
    each((_group, _place, at, own) => {
      size += definitionSize(words, at, own);
    });
    const made = new Words(size);
    let to = 0;
    each((group, place, at, own) => {
      const kind = word(words, at) & KIND;
      made[to] = word(words, group + GROUP_IDS + place);
      made[to + DEFINED_SUPER] = idIn(words, group, word(words, at + TYPE_SUPER));
      made[to + DEFINED_KIND] = kind + 1;
      if (kind === KIND_FUNC) {
        made[to + DEFINED_REST] = word(words, at + TYPE_REST);
        made[to + DEFINED_REST + 1] = word(words, at + TYPE_REST + 1);
        for (let i = TYPE_REST + 2; i < own; i++) {
          const value = word(words, at + i);
          made[to + DEFINED_HEAD + i - TYPE_REST - 2] = isReference(value) ? HEAP.extern : value;
        }
      } else if (kind !== KIND_CONT) {
        const { bytes, low, high } =
          kind === KIND_STRUCT ? structLayout(words, at + TYPE_REST) : arrayLayout(word(words, at + TYPE_REST + 1));
        made[to + DEFINED_REST] = bytes;
        made[to + DEFINED_REST + 1] = low;
        made[to + DEFINED_HEAD] = high;
      }
      to += definitionSize(words, at, own);
    });
    return made;
  }

  /** Where the words of a type begin. */
  #offset(id: number): number {
    this.#settle();
    const at = word(this.#typeOf, id);
    if (at === 0) throw internal(`type id ${id} is not registered`);
    return at;
  }

  #kind(id: number): RegisteredType['kind'] {
    return TYPE_KINDS[word(this.#words, this.#offset(id)) & KIND] ?? 'func';
  }

  /** Where something was begun and not finished: makes all that is derived from the words anew. */
  #settle(): void {
    if (!this.#begun) return;
    this.#groups = 0;
    this.#last = 0;
    this.#known = bareList();
    for (let id = 0; id < this.#ids; id++) this.#typeOf[id] = 0;
    const words = this.#words;
    for (let group = 0; group < this.#used; group += word(words, group + GROUP_SIZE)) {
      const count = word(words, group + GROUP_COUNT);
      let at = group + GROUP_IDS + count;
      for (let i = 0; i < count; i++) {
        const id = word(words, group + GROUP_IDS + i);
        if (id > this.#last) this.#last = id;
        this.#note(id, group, at);
        at += typeSize(words, at);
      }
      this.#groups++;
    }
    this.#freeCount = 0;
    this.#free = new Words(this.#last);
    // The least comes first again.
    for (let id = this.#last; id > 0; id--) if (word(this.#typeOf, id) === 0) this.#free[this.#freeCount++] = id;
    this.#rehash(this.#used);
    this.#begun = false;
  }

  /** The table of the groups up to `end`. */
  #rehash(end: number): void {
    const size = doubled(LEAST, this.#groups * 4);
    const table = new Words(size);
    const words = this.#words;
    for (let group = 0; group < end; group += word(words, group + GROUP_SIZE)) {
      let place = word(words, group + GROUP_HASH) & (size - 1);
      while (word(table, place) !== 0) place = (place + 1) & (size - 1);
      table[place] = group + 1;
    }
    this.#table = table;
    this.#places = size;
  }
}

/** A recursion group of a module. */
interface SourceGroup {
  readonly source: Uint32Array;
  /** Where its words begin. */
  readonly at: number;
  /** Index of its first type; -1 where the source is made of ids. */
  readonly first: number;
  readonly count: number;
  /** The module's ids by index. */
  readonly ids: Uint32Array;
}

/** A type index of a module in the words of a group. Where the source is no module's it is an id, and not of the group. */
function nameOf({ first, count, ids }: SourceGroup, index: number): number {
  if (first < 0) return index;
  return index >= first && index < first + count ? INSIDE | (index - first) : word(ids, index);
}

/** The same of a value type. */
function valueNameOf(group: SourceGroup, type: ValueType): ValueType {
  return isConcrete(type) ? ((type & ~INDEX) | nameOf(group, type & INDEX)) >>> 0 : type;
}

const NO_FIELDS: readonly RegisteredField[] = [];

/** The id that a name in a group's words stands for. */
function idIn(words: Uint32Array, group: number, name: number): number {
  return (name & INSIDE) === 0 ? name : word(words, group + GROUP_IDS + (name & INDEX));
}

/** The canonical form of a value type, or storage type, of a group. */
function canonicalOf(words: Uint32Array, group: number, type: number): ValueType {
  return isConcrete(type) ? ((type & ~(INDEX | INSIDE)) | idIn(words, group, type & (INDEX | INSIDE))) >>> 0 : type;
}

/** A list of canonical value types. */
function valueTypes(words: Uint32Array, group: number, at: number, count: number): ValueType[] {
  const list = bareList<ValueType>();
  for (let i = 0; i < count; i++) setItem(list, i, canonicalOf(words, group, word(words, at + i)));
  setPrototypeOf(list, prototype);
  return list;
}

/** The fields of a structure or array type. */
function fields(words: Uint32Array, group: number, at: number, count: number): readonly RegisteredField[] {
  const list = bareList<RegisteredField>();
  for (let i = 0; i < count; i++) {
    setItem(list, i, { storage: canonicalOf(words, group, word(words, at + 2 * i)), mutable: word(words, at + 2 * i + 1) !== 0 });
  }
  setPrototypeOf(list, prototype);
  return list;
}

/** What a type of a group names: types, and value types. */
function eachName(words: Uint32Array, at: number, named: (name: number) => void, value: (type: ValueType) => void): void {
  named(word(words, at + TYPE_SUPER));
  if ((word(words, at) & KIND) === KIND_CONT) return named(word(words, at + TYPE_REST));
  const end = at + typeSize(words, at);
  for (let i = at + TYPE_REST; i < end; i++) value(word(words, i));
}

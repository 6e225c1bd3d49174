/**
 * Table, Global and Tag of the JS API.
 */
import { BigIntValue, BooleanValue, INFINITE, listOf, mapped, NumberValue, WeakDictionary, weakGet, weakSet } from '../base/intrinsics.js';
import { outOfRange, wrongArgument } from '../errors/catalog.js';
import { theEngine } from '../instance/engine.js';
import { GlobalCell } from '../instance/global_cell.js';
import { type GlobalObject, hold, type TableObject, type TagObject } from '../instance/objects.js';
import { TableElements } from '../instance/table_elements.js';
import { abstractHeap, concreteId, HEAP, isNullable, isReference } from '../validate/registry.js';
import { asInterface } from './interface.js';
import { addressLimit, descriptorOf, isWide, typeByName, typeName } from './value_types.js';

const V128 = 0x7b;

/** Passed instead of a descriptor by this module itself, to wrap what already exists. */
class Existing {
  constructor(readonly object: object) {}
}

/** The objects of one class, by what they stand for: there is one for each. */
class Wrappers<Native extends object, Wrapper extends object, Descriptor> {
  readonly #made = new WeakDictionary<Native, Wrapper>();

  /** What a constructor was given to wrap; undefined where that is a descriptor. */
  existing(given: unknown): Native | undefined {
    return given instanceof Existing ? (given.object as Native) : undefined;
  }

  note(native: Native, wrapper: Wrapper): void {
    weakSet(this.#made, native, wrapper);
  }

  /** The object that stands for `native`, made where there is none. */
  wrap(native: Native, type: new (given: Descriptor) => Wrapper): Wrapper {
    const known = weakGet(this.#made, native);
    if (known !== undefined) return known;
    const made = new type(new Existing(native) as unknown as Descriptor);
    this.note(native, made);
    return made;
  }
}

const MAXIMUM_TABLE = 10_000_000;

/** What `new Table` takes. Limits are bigints where addresses have 64 bits. */
export interface TableDescriptor {
  readonly element: string;
  readonly initial: number | bigint;
  readonly maximum?: number | bigint;
  /** The type of indices; `i32` unless said otherwise. */
  readonly address?: 'i32' | 'i64';
}

const tables = new Wrappers<TableObject, Table, TableDescriptor>();

/** A table of references. */
export class Table {
  readonly #object: TableObject;
  readonly #elements: TableElements;

  /** Throws a TypeError for a wrong descriptor or value, a RangeError where maximum is below initial or too large. */
  constructor(descriptor: TableDescriptor, value?: unknown) {
    const existing = tables.existing(descriptor);
    if (existing !== undefined) {
      this.#object = existing;
      this.#elements = new TableElements(theEngine(), existing);
      return;
    }
    // Each member is read, then converted, in V8's order.
    const given = descriptorOf(descriptor) as TableDescriptor;
    const type = typeByName(given.element);
    if (!isReference(type)) throw wrongArgument(`${typeName(type)} is not a reference type`);
    const table64 = isWide(given.address);
    const size = addressLimit(given.initial, table64, 'initial');
    const { maximum } = given;
    const bound = maximum === undefined ? null : addressLimit(maximum, table64, 'maximum');
    if (bound !== null && bound < size) throw outOfRange('maximum is below initial');
    if (size > MAXIMUM_TABLE) throw outOfRange(`a table has at most ${MAXIMUM_TABLE} elements`);
    const engine = theEngine();
    const fill = value === undefined ? this.#default(type) : NumberValue(engine.convert.toWasm(type, value));
    const address = engine.native.createTable(size, bound ?? INFINITE, fill, concreteId(type));
    this.#object = hold(engine.native, { address, type, maximum: bound, table64 });
    this.#elements = new TableElements(engine, this.#object);
    tables.note(this.#object, this);
  }

  /** The one Table of a native table. @internal */
  static wrap(object: TableObject): Table {
    return tables.wrap(object, Table);
  }

  /** The native table of a Table, undefined for other values. @internal */
  static unwrap(value: unknown): TableObject | undefined {
    return typeof value === 'object' && value !== null && #object in value ? value.#object : undefined;
  }

  /** Elements now; a bigint where indices have 64 bits. */
  get length(): number | bigint {
    return this.#address(this.#elements.length);
  }

  /** The element at an index; a RangeError beyond the end. */
  get(index: number | bigint): unknown {
    return this.#elements.get(this.#index(index));
  }

  /** Sets an element; without a value to null (or undefined, for externref). */
  set(index: number | bigint, value?: unknown): void {
    const elements = this.#elements;
    const at = this.#index(index);
    elements.check(at);
    if (arguments.length < 2) {
      this.#default(this.#object.type);
      elements.setDefault(at);
    } else elements.set(at, value);
  }

  /** Adds elements; returns the length before. A RangeError where the table cannot grow so far. */
  grow(delta: number | bigint, value?: unknown): number | bigint {
    const engine = theEngine();
    const count = addressLimit(delta, this.#object.table64, 'delta');
    const fill = value === undefined ? this.#default(this.#object.type) : NumberValue(engine.convert.toWasm(this.#object.type, value));
    const old = engine.native.tableGrow(this.#object.address, count, fill);
    if (old < 0) throw outOfRange(`the table cannot grow by ${count}`);
    return this.#address(old);
  }

  /** An index or length as JavaScript sees it. */
  #address(value: number): number | bigint {
    return this.#object.table64 ? BigIntValue(value) : value;
  }

  #index(index: number | bigint): number {
    // Most are what the conversion makes of them.
    if (typeof index === 'number' && index >>> 0 === index && !this.#object.table64) return index >>> 0;
    return addressLimit(index, this.#object.table64, 'index');
  }

  #default(type: number): number {
    if (!isNullable(type)) throw wrongArgument('the element type has no default value');
    return abstractHeap(type) === HEAP.extern ? theEngine().externs.handle(undefined) : 0;
  }
}

/** What `new Global` takes. */
export interface GlobalDescriptor {
  readonly value: string;
  readonly mutable?: boolean;
}

const globals = new Wrappers<GlobalObject, Global, GlobalDescriptor>();

/** A global variable. */
export class Global {
  readonly #object: GlobalObject;
  readonly #cell: GlobalCell;

  /** Throws a TypeError for a wrong descriptor or value. */
  constructor(descriptor: GlobalDescriptor, value?: unknown) {
    const existing = globals.existing(descriptor);
    if (existing !== undefined) {
      this.#object = existing;
      this.#cell = new GlobalCell(theEngine(), existing);
      return;
    }
    // Read in the order of names, as Web IDL reads dictionaries.
    const { mutable, value: name } = descriptorOf(descriptor) as GlobalDescriptor;
    const type = typeByName(name);
    if (type === V128) throw wrongArgument('a global of v128 cannot be made in JavaScript');
    const engine = theEngine();
    this.#object = hold(engine.native, { address: engine.native.createGlobal(concreteId(type)), type, mutable: BooleanValue(mutable) });
    this.#cell = new GlobalCell(engine, this.#object);
    globals.note(this.#object, this);
    if (value !== undefined || abstractHeap(type) === HEAP.extern) this.#cell.value = value;
  }

  /** The one Global of a native global. @internal */
  static wrap(object: GlobalObject): Global {
    return globals.wrap(object, Global);
  }

  /** The native global of a Global, undefined for other values. @internal */
  static unwrap(value: unknown): GlobalObject | undefined {
    return typeof value === 'object' && value !== null && #object in value ? value.#object : undefined;
  }

  get value(): unknown {
    return this.#cell.value;
  }

  set value(value: unknown) {
    if (!this.#object.mutable) throw wrongArgument('the global is immutable');
    this.#cell.value = value;
  }

  valueOf(): unknown {
    return this.#cell.value;
  }
}

/** What `new Tag` takes. */
export interface TagDescriptor {
  readonly parameters: readonly string[];
  /** What a suspension with the tag is answered with; none unless said. A tag that has results is none for exceptions. */
  readonly results?: readonly string[];
}

const tags = new Wrappers<TagObject, Tag, TagDescriptor>();

/** A tag for exceptions and suspensions. */
export class Tag {
  readonly #object: TagObject;

  constructor(descriptor: TagDescriptor) {
    const existing = tags.existing(descriptor);
    if (existing !== undefined) {
      this.#object = existing;
      return;
    }
    const { parameters, results } = descriptorOf(descriptor) as TagDescriptor;
    const engine = theEngine();
    const types = (names: unknown): number[] => mapped(listOf(descriptorOf(names)), typeByName);
    const type = engine.types.functionType(types(parameters), results === undefined ? [] : types(results));
    this.#object = engine.tags.create(type, 'a tag made in JavaScript');
    tags.note(this.#object, this);
  }

  /** The one Tag of a native tag. @internal */
  static wrap(object: TagObject): Tag {
    return tags.wrap(object, Tag);
  }

  /** The native tag of a Tag, undefined for other values. @internal */
  static unwrap(value: unknown): TagObject | undefined {
    return typeof value === 'object' && value !== null && #object in value ? value.#object : undefined;
  }
}

asInterface(Table, { name: 'Table', length: 1, lengths: { grow: 1, set: 1 } });
asInterface(Global, { name: 'Global', length: 1 });
asInterface(Tag, { name: 'Tag', length: 1 });

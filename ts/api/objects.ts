/**
 * Table, Global and Tag of the JS API.
 */

import { inspected, view } from '../base/inspection.js';
import { BigIntValue, BooleanValue, INFINITE, listOf, mapped, NumberValue, WeakDictionary, weakGet, weakSet } from '../base/intrinsics.js';
import { outOfRange, wrongArgument } from '../errors/catalog.js';
import { theEngine } from '../instance/engine.js';
import { GlobalCell } from '../instance/global_cell.js';
import { typeName } from '../instance/messages/type_text.js';
import { type GlobalObject, hold, type TableObject, type TagObject } from '../instance/objects.js';
import { TableElements } from '../instance/table_elements.js';
import { abstractHeap, concreteId, HEAP, isNullable, isReference } from '../validate/registry.js';
import { asInterface } from './interface.js';
import { addressLimit, descriptorOf, isWide, typeByName, type ValueTypeMap, type ValueTypeName } from './value_types.js';

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
  /** The type of its elements. */
  readonly element: 'funcref' | 'anyfunc' | 'externref' | 'anyref' | 'eqref' | 'i31ref' | 'structref' | 'arrayref';
  /** Elements that it has at first. */
  readonly initial: number | bigint;
  /** Elements that it may have. */
  readonly maximum?: number | bigint;
  /** The type of indices; `i32` unless said otherwise. */
  readonly address?: 'i32' | 'i64';
}

const tables = new Wrappers<TableObject, Table, TableDescriptor>();

/** The native table of a Table, undefined for other values. @internal */
export let tableOf: (value: unknown) => TableObject | undefined;

/** The one Table of a native table. @internal */
export const wrapTable = (object: TableObject): Table => tables.wrap(object, Table);

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
    const given = descriptorOf(descriptor, 'a descriptor of a table, { element, initial },') as TableDescriptor;
    const type = typeByName(given.element, 'element');
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

  static {
    tableOf = (value) => (typeof value === 'object' && value !== null && #object in value ? value.#object : undefined);
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

  /** What Node shows of it. @internal */
  [inspected](): object {
    if (!(#object in this)) return this;
    const { type, maximum, table64 } = this.#object;
    const address = table64 ? 'i64' : undefined;
    const bound = maximum === null ? undefined : this.#address(maximum);
    return view('Table', { element: typeName(type), length: this.length, maximum: bound, address }, 'WebAssembly.Table');
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
export interface GlobalDescriptor<Type extends ValueTypeName = ValueTypeName> {
  /** The type of its value. */
  readonly value: Type;
  /** Whether it can be set; false unless said. */
  readonly mutable?: boolean;
}

const globals = new Wrappers<GlobalObject, Global, GlobalDescriptor>();

/** The native global of a Global, undefined for other values. @internal */
export let globalOf: (value: unknown) => GlobalObject | undefined;

/** The one Global of a native global. @internal */
export const wrapGlobal = (object: GlobalObject): Global => globals.wrap(object, Global);

/** A global variable. */
export class Global<Type extends ValueTypeName = ValueTypeName> {
  readonly #object: GlobalObject;
  readonly #cell: GlobalCell;

  /** Throws a TypeError for a wrong descriptor or value. */
  constructor(descriptor: GlobalDescriptor<Type>, value?: ValueTypeMap[Type]) {
    const existing = globals.existing(descriptor);
    if (existing !== undefined) {
      this.#object = existing;
      this.#cell = new GlobalCell(theEngine(), existing);
      return;
    }
    // Read in the order of names, as Web IDL reads dictionaries.
    const { mutable, value: name } = descriptorOf(descriptor, 'a descriptor of a global, { value, mutable },') as GlobalDescriptor;
    const type = typeByName(name, 'value');
    if (type === V128) throw wrongArgument('a global of v128 cannot be made in JavaScript');
    const engine = theEngine();
    this.#object = hold(engine.native, { address: engine.native.createGlobal(concreteId(type)), type, mutable: BooleanValue(mutable) });
    this.#cell = new GlobalCell(engine, this.#object);
    globals.note(this.#object, this);
    if (value !== undefined || abstractHeap(type) === HEAP.extern) this.#cell.value = value;
  }

  static {
    globalOf = (value) => (typeof value === 'object' && value !== null && #object in value ? value.#object : undefined);
  }

  /** What it has now. Setting it throws a TypeError where it is immutable, or the value does not fit. */
  get value(): ValueTypeMap[Type] {
    return this.#cell.value as ValueTypeMap[Type];
  }

  /** Sets it. Throws a TypeError where it is immutable, or the value does not fit. */
  set value(value: ValueTypeMap[Type]) {
    if (!this.#object.mutable) throw wrongArgument('the global is immutable');
    this.#cell.value = value;
  }

  /** What Node shows of it. @internal */
  [inspected](): object {
    if (!(#object in this)) return this;
    const { type, mutable } = this.#object;
    const { convert } = theEngine();
    const crosses = convert.crosses({ params: [type], results: [] });
    return view('Global', { type: typeName(type), mutable, ...(crosses && { value: this.#cell.value }) }, 'WebAssembly.Global');
  }

  /** The same, for operators of JavaScript's. */
  valueOf(): ValueTypeMap[Type] {
    return this.#cell.value as ValueTypeMap[Type];
  }
}

/** What `new Tag` takes. */
export interface TagDescriptor {
  /** The types of what is thrown or suspended with. */
  readonly parameters: readonly ValueTypeName[];
  /** What a suspension with the tag is answered with; none unless said. A tag that has results is none for exceptions. */
  readonly results?: readonly ValueTypeName[];
}

const tags = new Wrappers<TagObject, Tag, TagDescriptor>();

/** The native tag of a Tag, undefined for other values. @internal */
export let tagOf: (value: unknown) => TagObject | undefined;

/** The one Tag of a native tag. @internal */
export const wrapTag = (object: TagObject): Tag => tags.wrap(object, Tag);

/** A tag for exceptions and suspensions. */
export class Tag {
  readonly #object: TagObject;

  /** Throws a TypeError for a wrong descriptor. */
  constructor(descriptor: TagDescriptor) {
    const existing = tags.existing(descriptor);
    if (existing !== undefined) {
      this.#object = existing;
      return;
    }
    const { parameters, results } = descriptorOf(descriptor, 'a descriptor of a tag, { parameters },') as TagDescriptor;
    const engine = theEngine();
    const types = (names: unknown, member: string): number[] =>
      mapped(listOf(descriptorOf(names, `a list of ${member}`)), (each) => typeByName(each, `each of ${member}`));
    const params = types(parameters, 'parameters');
    const type = engine.types.functionType(params, results === undefined ? [] : types(results, 'results'));
    this.#object = engine.tags.create(type, 'a tag made in JavaScript');
    tags.note(this.#object, this);
  }

  /** What Node shows of it. @internal */
  [inspected](): object {
    if (!(#object in this)) return this;
    const { tags, types } = theEngine();
    const { params, results } = types.type(this.#object.type);
    const fields = { name: tags.nameOf(this.#object.address), parameters: mapped(params, typeName) };
    return view('Tag', { ...fields, results: results.length === 0 ? undefined : mapped(results, typeName) }, 'WebAssembly.Tag');
  }

  static {
    tagOf = (value) => (typeof value === 'object' && value !== null && #object in value ? value.#object : undefined);
  }
}

asInterface(Table, { name: 'Table', length: 1, lengths: { grow: 1, set: 1 } });
asInterface(Global, { name: 'Global', length: 1 });
asInterface(Tag, { name: 'Tag', length: 1 });

/**
 * Instantiation: a compiled module and its resolved imports become an instance.
 */

import {
  append,
  Bytes,
  bufferLength,
  Dictionary,
  Doubles,
  each,
  floor,
  INFINITE,
  Integers,
  item,
  joinedLists,
  mapGet,
  mapped,
  mapSet,
  max,
  min,
  NumberValue,
  part,
  setHas,
  some,
  subBytes,
  subWords,
  typedBuffer,
  typedLength,
  Words,
  WrongRange,
} from '../base/intrinsics.js';
import type { WebAssembly } from '../base/v8_types.js';
import { trap } from '../errors/catalog.js';
import { LIMIT, TRAP, VMAsyncify, VMFunction, VMHandlers, VMInstance, VMTable } from '../generated/abi.js';
import { experimentsOf } from '../lower/module/experiments.js';
import { exportedStackGlobal, exportedTable, invokedTypes } from '../lower/module/invokes.js';
import type { HandlerBlock } from '../lower/module/layout.js';
import { ObjectTypes } from '../lower/module/object_types.js';
import { indexSpaces } from '../lower/module/spaces.js';
import { concreteId } from '../validate/registry.js';
import { type CellWords, loadCell, numberOfCell, storeCell, ZERO_CELL } from './cells.js';
import type { CodeVariant } from './compiling.js';
import { evaluate, plainConstant } from './const_expr.js';
import type { ExportedFunction } from './functions/callable.js';
import type { InstanceKeeper } from './functions/exports.js';
import { bufferOf, type MappedMemory } from './mapped_memory.js';
import { type MemoryObject, newMemory, PAGE_SHIFT } from './memories.js';
import { type CompiledModule, type LoadedCode, nameOfTag } from './module.js';
import { type GlobalObject, hold, type TableObject, type TagObject } from './objects.js';
import type { ResolvedImports } from './resolve.js';
import { keepsItsStack, shareShadowStack } from './shadow.js';
import type { Thread } from './thread.js';

/** What an export is, before the API wraps it. */
export type ExportedObject =
  | { readonly kind: 'func'; readonly value: ExportedFunction }
  | { readonly kind: 'table'; readonly value: TableObject }
  | { readonly kind: 'memory'; readonly value: WebAssembly.Memory | MappedMemory }
  | { readonly kind: 'global'; readonly value: GlobalObject }
  | { readonly kind: 'tag'; readonly value: TagObject };

/** An instance, as what keeps it. */
export interface InstanceObject extends InstanceKeeper {
  /** What its module is called. */
  readonly label: string;
  /** Lets go of the JavaScript values that the instance holds: its imported functions, and what is in its own globals and tables. Calls of the functions fail. */
  dispose(): void;
}

/** An export and its name. */
export interface NamedExport {
  readonly name: string;
  readonly object: ExportedObject;
}

/** What {@link instantiate} gives. */
export interface MadeInstance {
  readonly object: InstanceObject;
  /** In their order. */
  readonly exports: readonly NamedExport[];
}

/** Writes the part of a context behind its fixed head. */
class ContextImage {
  /** Little-endian words, as both ISAs have them. */
  readonly words: Uint32Array<ArrayBuffer>;

  constructor(size: number) {
    this.words = new Words((size - VMInstance.$size) >> 2);
  }

  get bytes(): Uint8Array {
    return new Bytes(typedBuffer(this.words));
  }

  u32(offset: number, value: number): void {
    this.words[(offset - VMInstance.$size) >> 2] = value;
  }

  address(offset: number, value: number): void {
    this.u32(offset, value % WORD);
    this.u32(offset + 4, floor(value / WORD));
  }
}

const WORD = 0x1_0000_0000;

/** Data segments of one memory that are to be copied: where to, where from in the module, how many bytes. */
interface DataParts {
  memory: number;
  readonly ranges: Float64Array;
  count: number;
}

const DATA_RANGE = 3;
/** Bytes of the views by which segments are copied. */
const LONGEST_VIEW = 2 ** 30;

/** Low and high word of an address. */
function split(address: number): readonly [number, number] {
  return [address % WORD, floor(address / WORD)];
}

/** An instance, made in steps by {@link instantiate}. */
class Builder {
  readonly #thread: Thread;
  readonly #module: CompiledModule;
  readonly #imports: ResolvedImports;
  readonly #memories: MemoryObject[];
  #address = 0;
  readonly #tables: TableObject[] = [];
  readonly #globals: GlobalObject[] = [];
  readonly #tags: TagObject[] = [];
  readonly #objects: ObjectTypes;

  constructor(thread: Thread, module: CompiledModule, imports: ResolvedImports, memories: MemoryObject[]) {
    this.#thread = thread;
    this.#module = module;
    this.#objects = new ObjectTypes(module.description.types);
    this.#imports = imports;
    this.#memories = memories;
  }

  build(code: LoadedCode): number {
    const { layout } = this.#module;
    const { native } = this.#thread;
    this.#address = native.createInstance(code.id, layout.size, layout.functions.offset).address;
    const functions = this.#imports.functions(code);
    const image = new ContextImage(layout.size);
    each(functions, (fn, i) => image.address(layout.importedFunctions.at(i), fn));
    this.#makeTables();
    each(this.#tables, (table, i) => image.address(layout.tables.at(i), table.address));
    each(this.#memories, (memory, i) => image.address(layout.memories.at(i), memory.address));
    this.#makeTags();
    each(this.#tags, (tag, i) => image.address(layout.tags.at(i), tag.address));
    const { typeIds } = this.#module;
    const count = typedLength(typeIds);
    for (let i = 0; i < count; i++) image.u32(layout.types.at(i), typeIds[i] as number);
    each(this.#imports.globals, (global, i) => image.address(layout.globals.at(i), global.address));
    this.#functionBlocks(image, code);
    if (layout.asyncify >= 0) asyncifyBlock(image, layout.asyncify, this.#address, this.#memories[0]?.memory64 === true);
    for (let i = 0; i < layout.handlers.length; i++) {
      const block = item(layout.handlers, i);
      this.#handlerBlock(image, block);
    }
    native.write(this.#address + VMInstance.$size, image.bytes);
    this.#definedFunctions(code);
    const memory = this.#memories[0];
    if (memory !== undefined) {
      native.store(this.#address + VMInstance.memoryBase, 'u64', memory.base);
      native.store(this.#address + VMInstance.memory0, 'u64', memory.address);
    }
    this.#makeGlobals();
    this.#fillTables();
    this.#shareShadowStack();
    this.#callInvoked(code);
    return this.#address;
  }

  /** Imports `invoke_…` call the table's functions without JavaScript, where the module exports what theirs uses. */
  #callInvoked(code: LoadedCode): void {
    const { invokes } = this.#imports;
    if (invokes.length === 0) return;
    const { bytes, description, signatures, typeIds } = this.#module;
    const spaces = indexSpaces(description);
    const global = exportedStackGlobal(description, spaces, bytes);
    if (global < 0) return;
    const table = at(this.#tables, exportedTable(description, spaces)).address;
    const stack = at(this.#globals, global).address;
    const callees = invokedTypes(description, spaces);
    each(invokes, ({ address, type }) => {
      const callee = typeIds[mapGet(callees, type) ?? -1] ?? 0;
      this.#thread.native.callInvoked(address, table, stack, callee, code.entry(signatures.invoking(type)));
    });
  }

  #shareShadowStack(): void {
    const { description, options, stackPointer: pointer } = this.#module;
    if (options.shadowStack === false || (options.shadowStack === undefined && keepsItsStack(description))) return;
    shareShadowStack(this.#thread, {
      address: this.#address,
      description,
      pointer,
      helpers: pointer.kind === 'found' ? pointer.helpers : {},
      isPlain: (index) => setHas(this.#imports.plain, index),
      options: options.shadowStack ?? {},
      global: (index) => at(this.#globals, index).address,
      function: (index) => this.functionAddress(index),
    });
  }

  /** Runs active segments, then the start function. */
  start(): void {
    this.#elements();
    this.#data();
    const { start } = this.#module.description;
    if (start !== null) this.#thread.exports.functionAt(this.functionAddress(start))();
  }

  /** Address of a function's VMFunction. */
  functionAddress(index: number): number {
    const { layout } = this.#module;
    const imported = layout.importedFunctions.count;
    if (index < imported) return NumberValue(this.#thread.native.load(this.#address + layout.importedFunctions.at(index), 'u64'));
    return this.#address + layout.functions.at(index - imported);
  }

  /** What keeps the instance, and breaks cycles through it. */
  object(): InstanceObject {
    const thread = this.#thread;
    const { hostFunctions } = this.#imports;
    const own = <T>(all: readonly T[], imported: readonly unknown[]): readonly T[] => part(all, imported.length);
    const globals = own(this.#globals, this.#imports.globals);
    const tables = own(this.#tables, this.#imports.tables);
    const dispose = (): void => {
      for (let i = 0; i < hostFunctions.length; i++) {
        const address = item(hostFunctions, i);
        thread.imports.dispose(address);
      }
      for (let i = 0; i < globals.length; i++) {
        const { address, type } = item(globals, i);
        if (thread.convert.isHost(type)) storeCell(thread.native, address, ZERO_CELL);
      }
      for (let i = 0; i < tables.length; i++) {
        const table = item(tables, i);
        if (thread.convert.isHost(table.type)) thread.native.tableCopyIn(table.address, 0, new Doubles(tableLength(thread, table)));
      }
    };
    const { names, label } = this.#module;
    const functionName = (index: number): string | undefined => mapGet(names.functions, index);
    const object = { address: this.#address, label, functions: new Dictionary<number, ExportedFunction>(), functionName, dispose };
    thread.exports.keepInstance(object);
    return object;
  }

  exports(keeper: InstanceKeeper): NamedExport[] {
    return mapped(this.#module.description.exports, ({ name, kind, index }) => ({ name, object: this.#exported(kind, index, keeper) }));
  }

  #exported(kind: ExportedObject['kind'], index: number, keeper: InstanceKeeper): ExportedObject {
    switch (kind) {
      case 'func':
        return { kind, value: this.#function(index, keeper) };
      case 'table':
        return { kind, value: this.#held(at(this.#tables, index)) };
      case 'memory':
        return { kind, value: at(this.#memories, index).memory };
      case 'global':
        return { kind, value: this.#held(at(this.#globals, index)) };
      case 'tag':
        return { kind, value: this.#held(at(this.#tags, index)) };
    }
  }

  #function(index: number, keeper: InstanceKeeper): ExportedFunction {
    const { exports } = this.#thread;
    const { description, layout, typeIds } = this.#module;
    const defined = index - layout.importedFunctions.count;
    if (defined < 0) return exports.functionAt(this.functionAddress(index));
    const type = typeIds[description.functions[defined] ?? 0] ?? 0;
    return exports.functionOf(keeper, this.#address + layout.functions.at(defined), type, index);
  }

  /** An object that goes to JavaScript: it keeps what it stands for. Imported ones do already. */
  #held<T extends { readonly address: number }>(object: T): T {
    return this.#thread.native.holder(object.address) === object ? object : hold(this.#thread.native, object);
  }

  /** Modules have tens of thousands of functions: the addon writes their blocks. It is told once what follows from a type. */
  #definedFunctions(code: LoadedCode): void {
    const { description, layout, signatures, typeIds } = this.#module;
    const { functions } = description;
    const count = typedLength(functions);
    if (count === 0) return;
    const types = new Integers(3 * typedLength(typeIds));
    const known = new Bytes(typedLength(typeIds));
    for (let i = 0; i < count; i++) {
      const type = functions[i] as number;
      if (known[type] === 1) continue;
      known[type] = 1;
      const { params, results } = signatures.shape(type);
      types[3 * type] = typeIds[type] as number;
      types[3 * type + 1] = code.entry(signatures.enter(type)) - code.address;
      types[3 * type + 2] = max(params.length, results.length);
    }
    const blocks = this.#address + layout.functions.offset;
    this.#thread.native.writeFunctions(blocks, layout.importedFunctions.count, code.address, code.offsets, functions, types);
  }

  /** Those of experiments and of what their tags are made like. */
  #functionBlocks(image: ContextImage, code: LoadedCode): void {
    const { description, layout } = this.#module;
    const write = this.#functionWriter(image, code);
    const { functions } = description;
    const experiments = experimentsOf(description);
    each(experiments, ({ index, type }, i) => {
      const block = layout.functions.at(typedLength(functions) + i);
      write(block, index, type);
      if (!setHas(this.#imports.given, index)) image.address(layout.importedFunctions.at(index), this.#address + block);
    });
    each(this.#module.signatures.suspenders, ({ number, type }, i) => {
      write(layout.functions.at(typedLength(functions) + experiments.length + i), number, type);
    });
  }

  /** Writes the VMFunction of a function index whose code is the module's own. What follows from the type is looked up once. */
  #functionWriter({ words }: ContextImage, code: LoadedCode): (block: number, index: number, type: number) => void {
    const { signatures, typeIds } = this.#module;
    const { 0: contextLow, 1: contextHigh } = split(this.#address);
    const types = new Dictionary<number, { readonly enter: readonly [number, number]; readonly id: number; readonly slots: number }>();
    const typeOf = (type: number) => {
      const { params, results } = signatures.shape(type);
      const made = {
        enter: split(code.entry(signatures.enter(type))),
        id: typeIds[type] ?? 0,
        slots: max(params.length, results.length),
      };
      mapSet(types, type, made);
      return made;
    };
    return (block, index, type) => {
      const { enter, id, slots } = mapGet(types, type) ?? typeOf(type);
      const at = (block - VMInstance.$size) >> 2;
      const entry = code.entry(index);
      words[at + (VMFunction.code >> 2)] = entry % WORD;
      words[at + (VMFunction.code >> 2) + 1] = entry / WORD;
      words[at + (VMFunction.context >> 2)] = contextLow;
      words[at + (VMFunction.context >> 2) + 1] = contextHigh;
      words[at + (VMFunction.type >> 2)] = id;
      words[at + (VMFunction.index >> 2)] = index;
      words[at + (VMFunction.enter >> 2)] = enter[0];
      words[at + (VMFunction.enter >> 2) + 1] = enter[1];
      words[at + (VMFunction.slots >> 2)] = slots;
    };
  }

  #handlerBlock(image: ContextImage, block: HandlerBlock): void {
    image.u32(block.offset + VMHandlers.labels, block.labels.length);
    image.u32(block.offset + VMHandlers.switches, block.switches.length);
    if (block.barrier === true) image.address(block.offset + VMHandlers.firstTag, LIMIT.barrierTag);
    for (let i = 0; i < block.tags.length; i++) {
      const { offset, tag } = item(block.tags, i);
      image.address(offset, at(this.#tags, tag).address);
    }
  }

  #makeTables(): void {
    const { description, typeIds } = this.#module;
    const { native, types } = this.#thread;
    for (let i = 0; i < this.#imports.tables.length; i++) {
      const table = item(this.#imports.tables, i);
      append(this.#tables, table);
    }
    for (let i = 0; i < description.tables.length; i++) {
      const { type, minimum, maximum, table64 } = item(description.tables, i);
      const bound = maximum === null ? null : NumberValue(maximum);
      const element = types.canonical(type, typeIds);
      const address = native.createTable(NumberValue(minimum), bound ?? INFINITE, 0, concreteId(element));
      append(this.#tables, { address, type: element, maximum: bound, table64 });
    }
  }

  #makeTags(): void {
    const { description, names, typeIds } = this.#module;
    for (let i = 0; i < this.#imports.tags.length; i++) {
      const tag = item(this.#imports.tags, i);
      append(this.#tags, tag);
    }
    for (let i = 0; i < description.tags.length; i++) {
      const type = item(description.tags, i);
      const index = this.#tags.length;
      const id = typeIds[type] ?? 0;
      append(this.#tags, this.#thread.tags.create(id, nameOfTag(names, index)));
    }
  }

  #constant(words: ArrayLike<number>): CellWords {
    return evaluate(words, {
      global: (index) => loadCell(this.#thread.native, at(this.#globals, index).address),
      function: (index) => this.functionAddress(index),
      fields: (type) => this.#objects.fields(type),
      create: (type, length, contents) => this.#thread.native.createObject(this.#module.typeIds[type] ?? 0, length, contents),
    });
  }

  #makeGlobals(): void {
    const { description, layout, typeIds } = this.#module;
    for (let i = 0; i < this.#imports.globals.length; i++) {
      const imported = item(this.#imports.globals, i);
      append(this.#globals, imported);
    }
    for (let i = 0; i < description.globals.length; i++) {
      const { type, mutable, init } = item(description.globals, i);
      const address = this.#address + layout.globals.at(this.#globals.length);
      storeCell(this.#thread.native, address, this.#constant(init));
      append(this.#globals, { address, type: this.#thread.types.canonical(type, typeIds), mutable });
    }
  }

  #fillTables(): void {
    const imported = this.#imports.tables.length;
    each(this.#module.description.tables, ({ init, minimum }, i) => {
      if (init === null || NumberValue(minimum) === 0) return;
      const fill = numberOfCell(this.#constant(init));
      if (fill === 0) return;
      const elements = new Doubles(NumberValue(minimum));
      for (let k = 0; k < NumberValue(minimum); k++) elements[k] = fill;
      this.#thread.native.tableCopyIn(at(this.#tables, imported + i).address, 0, elements);
    });
  }

  #elements(): void {
    const words = this.#module.description.elements;
    const word = (i: number): number => words[i] ?? 0;
    const size = typedLength(words);
    for (let i = 0, segment = 0; i < size; segment++) {
      const mode = word(i);
      const table = word(i + 1);
      const offset = subWords(words, i + 4, i + 4 + word(i + 3));
      i += 4 + word(i + 3);
      const form = word(i);
      const count = word(i + 1);
      i += 2;
      const items = new Doubles(count);
      for (let k = 0; k < count; k++) {
        if (form === 0) items[k] = this.functionAddress(word(i++));
        else {
          items[k] = numberOfCell(this.#constant(subWords(words, i + 1, i + 1 + word(i))));
          i += 1 + word(i);
        }
      }
      if (mode === 0) this.#activeElements(table, offset, items);
      else if (mode === 1) this.#thread.native.setElements(this.#address, segment, items);
    }
  }

  #activeElements(table: number, offset: Uint32Array, items: Float64Array): void {
    const target = at(this.#tables, table);
    const start = this.#constant(offset);
    const position = target.table64 ? numberOfCell(start) : start[0];
    if (!this.#thread.native.tableCopyIn(target.address, position, items)) throw trap(TRAP.tableBounds);
  }

  /** Modules have tens of thousands of segments: those of one memory that follow each other are copied at once. */
  #data(): void {
    const words = this.#module.description.data;
    const word = (i: number): number => words[i] ?? 0;
    const size = typedLength(words);
    const parts: DataParts = { memory: -1, ranges: new Doubles(size), count: 0 };
    for (let i = 0, segment = 0; i < size; segment++) {
      const mode = word(i);
      const memory = word(i + 1);
      const offset = i + 3;
      const count = word(i + 2);
      i = offset + count + 2;
      const start = word(i - 2);
      const length = word(i - 1);
      if (mode !== 0) {
        this.#thread.native.setData(this.#address, segment, subBytes(this.#module.bytes, start, start + length));
        continue;
      }
      if (memory !== parts.memory) this.#copyParts(parts);
      parts.memory = memory;
      const at = DATA_RANGE * parts.count++;
      parts.ranges[at] = plainConstant(words, offset, count) ?? this.#position(memory, subWords(words, offset, offset + count));
      parts.ranges[at + 1] = start;
      parts.ranges[at + 2] = length;
    }
    this.#copyParts(parts);
  }

  #position(memory: number, expression: Uint32Array): number {
    const start = this.#constant(expression);
    return this.#module.memories[memory]?.memory64 === true ? numberOfCell(start) : start[0];
  }

  /** Copies the ranges to their memory up to the first that does not fit, which is a trap; then there are none. */
  #copyParts(parts: DataParts): void {
    const { ranges, count, memory } = parts;
    parts.count = 0;
    if (count === 0) return;
    const buffer = bufferOf(at(this.#memories, memory).memory);
    const available = bufferLength(buffer);
    for (let from = 0; from < count; ) {
      // No longer than needed: a view of all of a large memory cannot be made everywhere.
      let low = INFINITE;
      let high = 0;
      let to = from;
      for (; to < count; to++) {
        const position = ranges[DATA_RANGE * to] ?? 0;
        const end = position + (ranges[DATA_RANGE * to + 2] ?? 0);
        if (end > available || (to > from && max(high, end) - min(low, position) > LONGEST_VIEW)) break;
        low = min(low, position);
        high = max(high, end);
      }
      if (to === from) throw trap(TRAP.memoryBounds);
      const target = new Bytes(buffer as ArrayBuffer, low, high - low);
      this.#thread.native.copyParts(target, low, this.#module.bytes, ranges, from, to);
      from = to;
    }
  }
}

/** The instance's tag for asyncify, and a handler list of it alone. */
function asyncifyBlock(image: ContextImage, offset: number, instance: number, wide: boolean): void {
  const tag = instance + offset + VMAsyncify.tagType;
  image.u32(offset + VMAsyncify.tagId, LIMIT.asyncifyTag);
  image.u32(offset + VMAsyncify.width, wide ? 8 : 4);
  image.u32(offset + VMAsyncify.labels, 1);
  image.address(offset + VMAsyncify.firstTag, tag);
  image.address(offset + VMAsyncify.tag, tag);
}

function at<T>(list: readonly T[], index: number): T {
  const found = list[index];
  if (found === undefined) throw new WrongRange(`no entry ${index} of ${list.length}`);
  return found;
}

/** The memories an instance will have, imported and own. */
export function instanceMemories(thread: Thread, module: CompiledModule, imports: ResolvedImports): MemoryObject[] {
  return joinedLists(
    imports.memories,
    mapped(module.description.memories, (description) => newMemory(thread, description)),
  );
}

/** The variant of its code that an instance needs. */
export function neededVariant(thread: Thread, imports: ResolvedImports, memories: readonly MemoryObject[]): CodeVariant {
  return { checked: needsChecks(thread, memories), stackChecks: imports.mayWait };
}

/**
 * Whether the code for these memories must check every access: what is checked always does not count. Checks rely on lengths, so they are right from now on whenever
 * WebAssembly runs.
 */
function needsChecks(thread: Thread, memories: readonly MemoryObject[]): boolean {
  const isOrdinary = ({ memory64, pageSizeLog2 }: MemoryObject): boolean => !memory64 && pageSizeLog2 === PAGE_SHIFT;
  const checked = some(memories, (memory) => !memory.guarded && isOrdinary(memory));
  for (let i = 0; i < memories.length; i++) {
    const memory = item(memories, i);
    if (checked || !isOrdinary(memory)) thread.native.watchMemory(memory.address);
  }
  return checked;
}

/** Makes an instance; `memories` by {@link instanceMemories}, `code` compiled for their kind. */
export function instantiate(
  thread: Thread,
  module: CompiledModule,
  imports: ResolvedImports,
  memories: MemoryObject[],
  code: LoadedCode,
): MadeInstance {
  const builder = new Builder(thread, module, imports, memories);
  builder.build(code);
  const object = builder.object();
  const exports = builder.exports(object);
  builder.start();
  return { object, exports };
}

/** Elements of a table now. */
export function tableLength(thread: Thread, table: TableObject): number {
  return NumberValue(thread.native.load(table.address + VMTable.length, 'u64'));
}

/** Address of a table's element. */
export function tableElement(thread: Thread, table: TableObject, index: number): number {
  return NumberValue(thread.native.load(table.address + VMTable.base, 'u64')) + 8 * index;
}

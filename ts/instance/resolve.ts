/**
 * Imports: the import object of JavaScript against what a module asks for.
 */
import {
  append,
  Collection,
  Dictionary,
  each,
  getProperty,
  isInstance,
  mapGet,
  mapped,
  mapSet,
  messageOf,
  NumberValue,
  ObjectValue,
  placeOf,
  setAdd,
  startsWith,
} from '../base/intrinsics.js';
import { importNotObject, incompatibleImport, unknownImport } from '../errors/catalog.js';
import { isMemory, V8 } from '../errors/v8.js';
import { LIMIT, VMTable } from '../generated/abi.js';
import { ASYNCIFY_MODULE, asyncifyName, usesAsyncify } from '../lower/module/asyncify.js';
import { type Experiment, experimentFault, experimentName, experimentsOf } from '../lower/module/experiments.js';
import type { FunctionImport, GlobalImport, ImportDescription, MemoryImport, TableImport, TagImport } from '../validate/description.js';
import { concreteId, type RegisteredType } from '../validate/registry.js';
import { providedFor } from './builtins.js';
import { cellOf, storeCell } from './cells.js';
import type { ExportedFunction } from './functions/callable.js';
import type { ImportedFunction } from './functions/imports.js';
import { isInvokeGlue } from './functions/invoke_glue.js';
import { isMappedMemory } from './mapped_memory.js';
import { isShared, type MemoryObject, memoryMaximum, memoryObject, memoryPages } from './memories.js';
import { functionTypeText, typeName } from './messages/type_text.js';
import type { CompiledModule, LoadedCode } from './module.js';
import { type GlobalObject, hold, type TableObject, type TagObject } from './objects.js';
import type { Thread } from './thread.js';

/** How the API's classes show what they hold; the API gives these, so that this layer need not know it. */
export interface Unwrap {
  table(value: unknown): TableObject | undefined;
  global(value: unknown): GlobalObject | undefined;
  tag(value: unknown): TagObject | undefined;
  /** The function of a WebAssembly.Suspending. */
  suspending(value: unknown): ExportedFunction | undefined;
}

/** Imports by kind, in order. */
export interface ResolvedImports {
  /** Addresses of VMFunctions; functions of JavaScript get theirs here, with the importing module's trampolines. */
  functions(code: LoadedCode): number[];
  /** Those of the functions of JavaScript, once they have them. */
  readonly hostFunctions: readonly number[];
  /** Those of them that are Emscripten's `invoke_…`, with their types' indices. */
  readonly invokes: readonly { readonly address: number; readonly type: number }[];
  /** Whether a call of one of them may wait: an import of `Suspending`, or code of another module, that may itself call one. */
  readonly mayWait: boolean;
  /** Function indices of those that are JavaScript and cannot wait. */
  readonly plain: ReadonlySet<number>;
  /** Function indices of those that the import object has, though Heddle would give them. */
  readonly given: ReadonlySet<number>;
  readonly tables: readonly TableObject[];
  readonly memories: readonly MemoryObject[];
  readonly globals: readonly GlobalObject[];
  readonly tags: readonly TagObject[];
}

/** Looks every import up. Throws LinkErrors, and a TypeError where the import object is none. */
export function resolveImports(thread: Thread, module: CompiledModule, object: unknown, unwrap: Unwrap): ResolvedImports {
  return new Resolver(thread, module, unwrap).resolve(object);
}

class Resolver {
  readonly #thread: Thread;
  readonly #module: CompiledModule;
  readonly #unwrap: Unwrap;
  readonly #functions: ((code: LoadedCode) => number)[] = [];
  readonly #hostFunctions: number[] = [];
  readonly #invokes: { readonly address: number; readonly type: number }[] = [];
  readonly #tables: TableObject[] = [];
  readonly #memories: MemoryObject[] = [];
  readonly #globals: GlobalObject[] = [];
  readonly #tags: TagObject[] = [];
  readonly #plain = new Collection<number>();
  readonly #given = new Collection<number>();
  #mayWait = false;
  /** The import object has a module of the name. */
  #hasAsyncify = false;

  /** The module's experiments by function index. */
  readonly #experiments: ReadonlyMap<number, Experiment>;

  constructor(thread: Thread, module: CompiledModule, unwrap: Unwrap) {
    const experiments = new Dictionary<number, Experiment>();
    each(experimentsOf(module.description), (experiment) => mapSet(experiments, experiment.index, experiment));
    this.#experiments = experiments;
    this.#thread = thread;
    this.#module = module;
    this.#unwrap = unwrap;
  }

  resolve(object: unknown): ResolvedImports {
    const { imports } = this.#module.description;
    this.#hasAsyncify = usesAsyncify(this.#module.description) && names(object, ASYNCIFY_MODULE);
    // Values are read first, all of them, as the JS API asks; then they are checked.
    const values = mapped(imports, (entry) => this.#value(object, entry));
    each(imports, (entry, i) => this.#import(entry, values[i]));
    const functions = this.#functions;
    return {
      functions: (code) => mapped(functions, (make) => make(code)),
      hostFunctions: this.#hostFunctions,
      invokes: this.#invokes,
      mayWait: this.#mayWait || this.#tables.length > 0,
      plain: this.#plain,
      given: this.#given,
      tables: this.#tables,
      memories: this.#memories,
      globals: this.#globals,
      tags: this.#tags,
    };
  }

  /** The value of an import: what is given, unless Heddle gives it itself. */
  #value(object: unknown, entry: ImportDescription): unknown {
    const provided = providedFor(entry, this.#module.options);
    if (provided !== undefined) return provided.kind === 'string' ? provided.value : undefined;
    return this.#isProvided(entry) ? undefined : lookUp(object, entry);
  }

  /** Whether an import is not looked up, because Heddle itself gives it. */
  #isProvided(entry: ImportDescription): boolean {
    if (entry.kind !== 'func' || experimentName(entry) === undefined) return false;
    return !(this.#hasAsyncify && asyncifyName(entry) !== undefined);
  }

  #import(entry: ImportDescription, value: unknown): void {
    switch (entry.kind) {
      case 'func':
        return this.#function(entry, value);
      case 'table':
        return this.#table(entry, value);
      case 'memory':
        return this.#memory(entry, value);
      case 'global':
        return this.#global(entry, value);
      case 'tag':
        return this.#tag(entry, value);
    }
  }

  #function(entry: FunctionImport, value: unknown): void {
    const typeId = this.#module.typeIds[entry.type] ?? 0;
    const experiment = experimentName(entry);
    if (experiment !== undefined && !this.#isProvided(entry)) setAdd(this.#given, this.#functions.length);
    else if (experiment !== undefined) {
      const found = mapGet(this.#experiments, this.#functions.length);
      if (found === undefined) throw incompatible(entry, experimentFault(entry, experiment));
      this.#requireGuard(entry, found);
      // The instance puts its own function there.
      append(this.#functions, () => 0);
      return;
    }
    const index = this.#functions.length;
    const provided = providedFor(entry, this.#module.options);
    if (provided?.kind === 'function')
      return this.#hostFunction(entry, { fn: provided.builtin.on(this.#thread), name: nameOf(entry), suspending: false, index });
    const suspending = this.#unwrap.suspending(value);
    if (suspending !== undefined) this.#mayWait = true;
    if (suspending !== undefined) return this.#hostFunction(entry, { fn: suspending, name: nameOf(entry), suspending: true, index });
    if (typeof value !== 'function') throw this.#missing(entry, value, 'a function');
    const address = this.#thread.exports.addressOf(value);
    if (address !== undefined) {
      const { types, exports } = this.#thread;
      if (!types.isSubtype(exports.typeOf(address), typeId))
        throw incompatible(entry, differs('the function', types.type(exports.typeOf(address)), types.type(typeId)));
      this.#mayWait = true;
      // The function, not its address alone: it keeps its instance until the new one does.
      append(this.#functions, () => this.#thread.exports.addressOf(value) ?? address);
      return;
    }
    setAdd(this.#plain, this.#functions.length);
    this.#hostFunction(entry, { fn: value as ExportedFunction, name: nameOf(entry), suspending: false, index });
  }

  /** A stack that needs the kernel's guard pages is refused where the kernel has none. */
  #requireGuard(entry: FunctionImport, { stack }: Experiment): void {
    if (stack?.guard !== LIMIT.stackGuardKernel) return;
    const { guard, guardReason } = this.#thread.native.report();
    if (guard !== 'kernel') throw incompatible(entry, guardReason);
  }

  #hostFunction(entry: FunctionImport, imported: ImportedFunction): void {
    const { signatures, typeIds } = this.#module;
    const typeId = typeIds[entry.type] ?? 0;
    const isInvoke = !imported.suspending && this.#isInvoke(entry, imported.fn);
    append(this.#functions, (code) => {
      const trampoline = (waiting: boolean): number => code.entry(waiting ? signatures.waiting(entry.type) : signatures.import(entry.type));
      const made = this.#thread.imports.create(imported, typeId, trampoline, code.entry(signatures.enter(entry.type)));
      append(this.#hostFunctions, made);
      if (isInvoke) append(this.#invokes, { address: made, type: entry.type });
      return made;
    });
  }

  /** Whether an import is one of Emscripten's `invoke_…`: its text says so, or its name where the caller says that it counts. */
  #isInvoke({ name, type }: FunctionImport, fn: ExportedFunction): boolean {
    const { options, signatures } = this.#module;
    if (options.emscripten === false || signatures.invoking(type) < 0) return false;
    if (options.emscripten === true && startsWith(name, 'invoke_')) return true;
    return isInvokeGlue(fn, signatures.shape(type).params.length);
  }

  #table(entry: TableImport, value: unknown): void {
    const table = this.#unwrap.table(value);
    if (table === undefined) throw this.#missing(entry, value, 'a Table');
    const wanted = this.#thread.types.canonical(entry.type, this.#module.typeIds);
    const { types, native } = this.#thread;
    if (!types.matches(table.type, wanted) || !types.matches(wanted, table.type))
      throw incompatible(entry, `the elements are of type ${typeName(table.type)}, not ${typeName(wanted)}`);
    if (table.table64 !== entry.table64)
      throw incompatible(entry, `the table has ${table.table64 ? 64 : 32}-bit addresses, the module wants ${entry.table64 ? 64 : 32}`);
    const length = NumberValue(native.load(table.address + VMTable.length, 'u64'));
    checkLimits(entry, length, table.maximum);
    append(this.#tables, table);
  }

  #memory(entry: MemoryImport, value: unknown): void {
    if (!isMappedMemory(value) && !isMemory(value)) throw this.#missing(entry, value, 'a WebAssembly.Memory');
    const shared = isShared(value);
    if (shared !== entry.shared) throw incompatible(entry, shared ? 'the memory is shared' : 'the memory is not shared');
    const memory = memoryObject(this.#thread, value);
    if (memory.memory64 !== entry.memory64)
      throw incompatible(entry, `the memory has ${memory.memory64 ? 64 : 32}-bit addresses, the module wants ${entry.memory64 ? 64 : 32}`);
    if (memory.pageSizeLog2 !== entry.pageSizeLog2)
      throw incompatible(entry, `the memory has pages of ${2 ** memory.pageSizeLog2} bytes, the module wants ${2 ** entry.pageSizeLog2}`);
    checkLimits(entry, memoryPages(memory), entry.maximum === null ? null : memoryMaximum(memory));
    append(this.#memories, memory);
  }

  #global(entry: GlobalImport, value: unknown): void {
    const { native, types, convert } = this.#thread;
    const type = types.canonical(entry.type, this.#module.typeIds);
    const global = this.#unwrap.global(value);
    if (global !== undefined) {
      if (global.mutable !== entry.mutable)
        throw incompatible(entry, `the global is ${words(global.mutable)}, the module wants one that is ${words(entry.mutable)}`);
      const fits = types.matches(global.type, type) && (!entry.mutable || types.matches(type, global.type));
      if (!fits) throw incompatible(entry, 'the types differ');
      append(this.#globals, global);
      return;
    }
    if (entry.mutable || isForeign(value, 'Global')) throw this.#missing(entry, value, 'a Global');
    const address = native.createGlobal(concreteId(type));
    storeCell(
      native,
      address,
      cellOf(
        type,
        this.#constant(entry, type, value, (v) => convert.referenceToWasm(type, v)),
      ),
    );
    append(this.#globals, hold(this.#thread.native, { address, type, mutable: false }));
  }

  /** A value that is given for an immutable global. */
  #constant(entry: GlobalImport, type: number, value: unknown, reference: (value: unknown) => unknown): number | bigint {
    switch (type) {
      case 0x7f:
      case 0x7d:
      case 0x7c:
        if (typeof value !== 'number') throw this.#missing(entry, value, 'a number');
        return value;
      case 0x7e:
        if (typeof value !== 'bigint') throw this.#missing(entry, value, 'a bigint');
        return value;
      case 0x7b:
        throw incompatible(entry, 'a v128 cannot come from JavaScript');
    }
    try {
      return reference(value) as number;
    } catch (error) {
      throw incompatible(entry, messageOf(error));
    }
  }

  #tag(entry: TagImport, value: unknown): void {
    const tag = this.#unwrap.tag(value);
    if (tag === undefined) throw this.#missing(entry, value, 'a Tag');
    const typeId = this.#module.typeIds[entry.type] ?? 0;
    const { types } = this.#thread;
    if (tag.type !== typeId) throw incompatible(entry, differs('the tag', types.type(tag.type), types.type(typeId)));
    append(this.#tags, tag);
  }

  #missing(entry: ImportDescription, value: unknown, wanted: string): Error {
    if (value === undefined) return unknownImport(entry.module, entry.name);
    const kind = FOREIGN[placeOf(FOREIGN, (name) => isForeign(value, name))];
    const remedy = kind === undefined ? '' : `: V8's own ${kind} cannot be used, make it with Heddle's WebAssembly.${kind}`;
    return incompatible(entry, `it is not ${wanted}${remedy}`);
  }
}

function nameOf(entry: ImportDescription): string {
  return `${entry.module}.${entry.name}`;
}

/** Classes that V8 and Heddle both have. */
const FOREIGN = ['Table', 'Global', 'Tag', 'Suspending'] as const;

/** Whether a value is V8's own object of such a class. */
function isForeign(value: unknown, kind: (typeof FOREIGN)[number]): boolean {
  const made: unknown = getProperty(V8, kind);
  return typeof made === 'function' && isInstance(value, made as new () => unknown);
}

/** Whether an import object has something of a module's name. */
function names(object: unknown, module: string): boolean {
  if (object === undefined || object === null) return false;
  const found: unknown = getProperty(ObjectValue(object) as object, module);
  return found !== undefined && found !== null;
}

/** Says of a function or tag what its type is, and what it should be. */
function differs(what: string, is: RegisteredType, wanted: RegisteredType): string {
  const one = functionTypeText(is);
  const other = functionTypeText(wanted);
  return one === other ? `${what} has another type than ${other}, with the same values` : `${what} is of type ${one}, not ${other}`;
}

function incompatible(entry: ImportDescription, why: string): Error {
  return incompatibleImport(entry.module, entry.name, why);
}

function lookUp(object: unknown, entry: ImportDescription): unknown {
  if (object === undefined || object === null) throw importNotObject(entry.module);
  const module: unknown = getProperty(ObjectValue(object) as object, entry.module);
  if ((typeof module !== 'object' && typeof module !== 'function') || module === null) throw importNotObject(entry.module);
  return getProperty(module, entry.name);
}

const words = (mutable: boolean): string => (mutable ? 'mutable' : 'immutable');
const counted = (count: number | bigint | string, unit: string): string => `${count} ${unit}${`${count}` === '1' ? '' : 's'}`;

function checkLimits(entry: TableImport | MemoryImport, length: number, maximum: number | null): void {
  const unit = entry.kind === 'memory' ? 'page' : 'element';
  if (length < NumberValue(entry.minimum))
    throw incompatible(entry, `it has ${counted(length, unit)}, the module wants at least ${entry.minimum}`);
  if (entry.maximum === null) return;
  if (maximum === null) throw incompatible(entry, `it has no maximum, the module wants one of at most ${counted(entry.maximum, unit)}`);
  if (maximum > NumberValue(entry.maximum))
    throw incompatible(entry, `its maximum is ${counted(maximum, unit)}, the module wants at most ${entry.maximum}`);
}

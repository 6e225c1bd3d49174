/**
 * What all modules and instances of a thread share: the addon, the types, the references, and the names that backtraces need.
 */
import { performance } from 'node:perf_hooks';
import { Cache } from '../compile/cache.js';
import type { CompileOptions } from '../compile/compile.js';
import { importInTheWay, internal, notPromising, platform, trap, wrongArgument } from '../errors/catalog.js';
import { LIMIT, TRAP, TRAP_MESSAGE, VMFunction, VMTag } from '../generated/abi.js';
import { addon } from '../link/addon.js';
import { GUARDS, type Native, type NativeOptions, type NativeStatistics, STRATEGIES, type StackUsage } from '../link/native.js';
import type { ValueType } from '../validate/description.js';
import { type RegisteredType, TypeRegistry } from '../validate/registry.js';
import { notify, wait } from './atomics.js';
import { backtrace, type FrameNames } from './backtrace.js';
import { ExceptionObjects } from './exceptions.js';
import { ExternTable } from './externs.js';
import { Conversions, type FunctionReferences, needsConversion } from './host_values.js';
import { type FiberTree, fiberTree } from './inspect.js';
import { Mailbox } from './mailbox.js';
import type { CodeVariant, ModuleOptions } from './module.js';
import { coerce, isOfNumbers, numberExport, numberImport } from './number_calls.js';
import type { TagObject } from './objects.js';
import { amount, nested, oneOf, optionsOf } from './options.js';
import { pointerChoice } from './shadow.js';
import { SuspendingImport } from './suspending_import.js';

/** Counters of a thread's engine. */
export interface EngineStatistics extends NativeStatistics {
  /** JavaScript values that WebAssembly refers to. */
  readonly externrefs: number;
  /** Types that differ. */
  readonly types: number;
  /** Milliseconds spent compiling on this thread. */
  readonly compileTime: number;
}

/** A JavaScript function that stands for a WebAssembly one. */
export type ExportedFunction = (...args: unknown[]) => unknown;

/** Ids of types, which live as long as this object does. */
export interface TypeIds {
  readonly address: number;
  readonly ids: Uint32Array;
}

/** A JavaScript function as an import. */
export interface ImportedFunction {
  readonly fn: ExportedFunction;
  /** Module and name, for messages. */
  readonly name: string;
  /** Whether its caller waits for a promise that it returns. */
  readonly suspending: boolean;
  /** Function index in the importing module. */
  readonly index: number;
}

/** Returns what it gets. */
const same = (value: unknown): unknown => value;

/**
 * A function that does what `fn` does and has no [[Construct]], as the JS API asks of exports. Few arguments are passed one by one, because a
 * list of them costs more than the call itself.
 */
function withoutConstruct(fn: ExportedFunction, params: number): ExportedFunction {
  switch (params) {
    case 0:
      return () => fn();
    case 1:
      return (a) => fn(a);
    case 2:
      return (a, b) => fn(a, b);
    case 3:
      return (a, b, c) => fn(a, b, c);
    case 4:
      return (a, b, c, d) => fn(a, b, c, d);
    default:
      return (...args) => fn(...args);
  }
}

/** The CPU's features that code may use: all, or those that HEDDLE_CPU names, separated by commas. Throws an error for one that this CPU has not. */
export function usableFeatures(native: Native): string[] {
  const features = native.cpuFeatures();
  const names = process.env['HEDDLE_CPU'];
  if (names === undefined) return features;
  const wanted = names.split(',').filter((name) => name !== '');
  const missing = wanted.filter((name) => !features.includes(name));
  if (missing.length > 0) throw platform(`HEDDLE_CPU names ${missing.join(', ')}: this CPU has ${features.join(', ') || 'none of these'}`);
  return features.filter((feature) => wanted.includes(feature));
}

/** Where in a VMFunction its starter is held. */
const STARTER = 8;

/** What ran out, by the detail of trap too_many_stacks, and what raises it. */
const REFUSALS: ReadonlyMap<number, string> = new Map<number, string>([
  [LIMIT.refusedMaximum, 'as many continuations have stacks as the option stack.maximum allows'],
  [
    LIMIT.refusedMemory,
    'their memory would be more than the option stack.memory allows, which is half of what the machine, the cgroup (memory.max) and ulimit -v leave this process',
  ],
  [LIMIT.refusedSystem, 'the kernel gives no memory for another: the sysctl vm.max_map_count, or ulimit -v, raises what it gives'],
  [LIMIT.refusedDepth, '262,144 fibers wait for each other, each resumed by the one before'],
  [LIMIT.refusedRecords, 'all records of continuations are in use: the option stack.memory decides how many there are'],
]);

/** Why calls that wait would overwrite each other's frames, by the detail of trap shadow_stack. */
const SHADOW_REFUSALS: ReadonlyMap<number, string> = new Map<number, string>([
  [LIMIT.shadowAmbiguous, 'several globals may be its stack pointer; the option shadowStack.pointer says which it is'],
  [
    LIMIT.shadowUnsized,
    'the size of its stack in linear memory is not known; the option shadowStack.low or shadowStack.allocator gives it space',
  ],
]);

/** By the detail of trap shadow_overflow: the bytes that the call has. */
function shadowOverflow(room: number): string {
  if (room === LIMIT.shadowFailed) return 'its allocator threw an exception';
  if (room > LIMIT.shadowFailed) return `its allocator failed: ${TRAP_MESSAGE[room - LIMIT.shadowFailed] ?? 'a trap'}`;
  if (room === 0)
    return 'calls that wait have all of it; the option shadowStack.size makes parts smaller, shadowStack.allocator gives it space';
  return `the call has ${room} bytes of it; the option shadowStack.size says how many`;
}

const nativeOptions = optionsOf('configure', {
  stack: nested({
    strategy: oneOf(STRATEGIES),
    size: amount,
    guard: oneOf(GUARDS),
    maximum: amount,
    memory: amount,
    warm: amount,
    budget: amount,
  }),
  entryStackSize: amount,
  collect: oneOf(['automatic', 'always']),
});

/** One thread's engine. */
export class Engine implements FunctionReferences {
  readonly native: Native;
  readonly types: TypeRegistry;
  readonly externs: ExternTable;
  readonly exceptions: ExceptionObjects;
  readonly convert: Conversions;
  readonly mailbox = new Mailbox();
  /** Number of the import of `Suspending` whose function runs, 0 for none. A number, because to note an object costs V8 more. */
  calling = 0;
  /** Milliseconds spent compiling on this thread. */
  compileTime = 0;

  readonly #addresses = new WeakMap<object, number>();
  readonly #codes = new Map<number, FrameNames>();
  readonly #tagNames = new Map<number, string>();
  /** By number of an import; a barrier's own is 0. */
  readonly #importNames = new Map([[0, 'heddle.barrier']]);
  #imports = 0;
  readonly #importNumbers = new Map<string, number>();
  /** By number. */
  readonly #suspendingImports: (SuspendingImport | undefined)[] = [];
  #tags = 0;
  #cache: Cache | undefined;
  #onInterrupt: (() => void) | undefined;

  constructor(native: Native) {
    this.native = native;
    this.externs = new ExternTable(native);
    this.convert = new Conversions(this.externs, this);
    this.types = new TypeRegistry({
      define: (words) => native.defineTypes(words),
      forget: (ids) => native.forgetTypes(ids),
      reclaim: () => native.reclaim(),
    });
    native.shareTypes(this.types.marks);
    this.exceptions = new ExceptionObjects(this);
    native.hooks(
      {
        trap: (code, frames, detail) => this.#trap(code, frames, detail),
        coerce,
        poll: () => this.#onInterrupt?.(),
        thrown: (exception) => this.exceptions.thrown(exception),
        caught: (value) => this.exceptions.caught(value),
        collected: (tags, codes, imports) => this.#collected(tags, codes, imports),
        suspendError: (fn, way) => this.#suspendError(fn, way),
        wait,
        notify,
      },
      this.mailbox.words,
    );
  }

  /** Sets options; they hold from the first call on, so this comes before any instance. */
  configure(options: NativeOptions): void {
    this.native.configure(nativeOptions(options));
  }

  statistics(): EngineStatistics {
    return { ...this.native.statistics(), externrefs: this.externs.size, types: this.types.size, compileTime: this.compileTime };
  }

  /** What the stacks take; asks the kernel about each. */
  stackUsage(): StackUsage {
    return this.native.stackUsage();
  }

  /** The fibers of now, at most `limit` of them. */
  inspect(limit: number): FiberTree {
    return fiberTree(this.native.inspect(limit), { codes: this.#codes, imports: this.#importNames });
  }

  /** From now on {@link trapFibers} has them. */
  keepTrapFibers(): void {
    this.native.keepTrapFibers();
  }

  /** The fibers of the last trap, as they were then; undefined where there was none. */
  trapFibers(): FiberTree | undefined {
    const tree = this.native.trapFibers();
    return tree === undefined ? undefined : fiberTree(tree, { codes: this.#codes, imports: this.#importNames });
  }

  /**
   * From now on `action` runs when the process gets the signal, given by its number, and this thread is in a long stretch of WebAssembly. {@link takeSignal} says whether it came in
   * the meantime; JavaScript's own listeners are called as ever.
   */
  onSignalInside(signal: number, action: () => void): void {
    this.native.noteSignal(signal);
    this.#onInterrupt = () => {
      if (this.takeSignal()) action();
    };
  }

  /** Whether the signal came since this was last asked. */
  takeSignal(): boolean {
    return this.native.takeSignal();
  }

  /** How modules are compiled for this machine. */
  compileOptions({ interruptible, shadowStack }: ModuleOptions, hash?: string, variant: Partial<CodeVariant> = {}): CompileOptions {
    this.#cache ??= Cache.fromEnvironment();
    return {
      target: this.native.arch,
      cpu: usableFeatures(this.native),
      cache: this.#cache,
      stackPointer: pointerChoice(shadowStack),
      ...(interruptible !== undefined && { interruptible }),
      ...(hash !== undefined && { hash }),
      ...variant,
    };
  }

  /** ToWebAssemblyValue: the number or bigint that the addon takes. Throws what the conversion throws, and a TypeError for what does not fit. */
  toWasm(type: ValueType, value: unknown): number | bigint {
    return needsConversion(type) ? (this.convert.toWasm(type, value) as number) : coerce(type, value);
  }

  /**
   * {@link toWasm} for several values. Values of JavaScript's own come last: converting a number may run the caller's code, and a collection there would not
   * see a handle that only this list has.
   */
  toWasmAll(types: readonly ValueType[], values: ArrayLike<unknown>): (number | bigint)[] {
    const later = (type: ValueType, i: number): boolean => this.convert.isExtern(type) && values[i] !== null;
    const raw = types.map((type, i) => (later(type, i) ? 0 : this.toWasm(type, values[i])));
    types.forEach((type, i) => {
      if (later(type, i)) raw[i] = this.toWasm(type, values[i]);
    });
    return raw;
  }

  /** What {@link toWasmAll} made some time ago, with handles of now: a collection in between has dropped those that only that list had. */
  renewHandles(types: readonly ValueType[], raw: readonly (number | bigint)[], values: ArrayLike<unknown>): (number | bigint)[] {
    return types.map((type, i) => (this.convert.isExtern(type) ? this.externs.handle(values[i]) : (raw[i] ?? 0)));
  }

  /** Runs something and adds its time to `compileTime`. */
  timeCompile<T>(run: () => T): T {
    const start = performance.now();
    try {
      return run();
    } finally {
      this.compileTime += performance.now() - start;
    }
  }

  /** {@link timeCompile} for promises. */
  async timeCompileAsync<T>(run: () => Promise<T>): Promise<T> {
    const start = performance.now();
    try {
      return await run();
    } finally {
      this.compileTime += performance.now() - start;
    }
  }

  /** Tells backtraces who the functions of a piece of code are. */
  nameCode(code: number, names: FrameNames): void {
    this.#codes.set(code, names);
  }

  /** Lets a JavaScript object keep what its address refers to, for as long as V8 keeps the object. */
  hold<T extends { readonly address: number }>(object: T): T {
    this.native.hold(object.address, object);
    return object;
  }

  /** Ids of types, and what keeps them. */
  holdTypes(ids: Uint32Array): TypeIds {
    return this.hold({ address: this.native.createTypes(ids), ids });
  }

  /** A new tag; `name` is for messages. */
  createTag(type: number, name: string): TagObject {
    const id = ++this.#tags;
    this.#tagNames.set(id, name);
    return this.hold({ address: this.native.createTag(type, id), type });
  }

  /** The tag at an address. */
  tagAt(address: number): TagObject {
    const known = this.native.holder(address) as TagObject | undefined;
    return known ?? this.hold({ address, type: Number(this.native.load(address + VMTag.type, 'u32')) });
  }

  /** A tag's name, for messages. */
  tagName(address: number): string {
    return this.#tagNames.get(Number(this.native.load(address + VMTag.id, 'u32'))) ?? 'a tag';
  }

  typeOf(address: number): number {
    return Number(this.native.load(address + VMFunction.type, 'u32'));
  }

  isSubtype(sub: number, sup: number): boolean {
    return this.types.isSubtype(sub, sup);
  }

  kindOf(id: number): RegisteredType['kind'] {
    return this.types.type(id).kind;
  }

  addressOf(value: unknown): number | undefined {
    return typeof value === 'function' ? this.#addresses.get(value) : undefined;
  }

  functionAt(address: number): ExportedFunction {
    const known = this.native.holder(address) as ExportedFunction | undefined;
    if (known !== undefined) return known;
    const made = this.#makeFunction(address);
    this.native.hold(address, made);
    this.#addresses.set(made, address);
    return made;
  }

  /** Calls the function of a VMFunction so that it may be set aside (Native.createStarter). */
  starterOf(address: number): () => void {
    // The function itself stands for the VMFunction's address: its starter stands for the one behind, which keeps it as well.
    const known = this.native.holder(address + STARTER) as (() => void) | undefined;
    if (known !== undefined) return known;
    const starter = this.native.createStarter(address);
    this.native.hold(address + STARTER, starter);
    return starter;
  }

  /** Calls an exported function; a call that takes longer than `deadline` milliseconds traps. */
  call(fn: ExportedFunction, args: readonly unknown[], deadline: number): unknown {
    const address = this.addressOf(fn);
    if (address === undefined) throw wrongArgument('the function is not an export of a Heddle instance');
    const type = this.types.type(this.typeOf(address));
    return this.resultsFromWasm(type.results, this.native.invoke(address, this.argumentsToWasm(type, args), deadline));
  }

  /** Makes a JavaScript function callable by WebAssembly: address of its VMFunction. `index` is its function index, by which it is named where it is exported again. */
  hostFunction({ fn, name, suspending, index }: ImportedFunction, typeId: number, trampoline: number, enter: number): number {
    const type = this.types.type(typeId);
    const id = suspending ? this.#newImport(name) : this.#importNumber(name);
    if (suspending) this.#suspendingImports[id] = new SuspendingImport(this, fn, id, type, this.#crosses(type));
    let kind: number = LIMIT.hostValues;
    let wrapper = fn;
    if (suspending) kind = LIMIT.hostSuspending;
    else if (isOfNumbers(type)) [kind, wrapper] = [LIMIT.hostNumbers, numberImport(this.mailbox, fn, type)];
    else wrapper = this.#importWrapper(fn, type);
    const address = this.native.createHostFunction(wrapper, typeId, trampoline, enter, id, kind);
    this.native.store(address + VMFunction.index, 'u32', index);
    return address;
  }

  /** Lets go of the function of an import, given by the address of its VMFunction. */
  disposeHostFunction(address: number): void {
    delete this.#suspendingImports[this.native.disposeHostFunction(address)];
  }

  #newImport(name: string): number {
    this.#importNames.set(++this.#imports, name);
    return this.#imports;
  }

  /** A number for the name of an import that does not wait; those of one name share it. */
  #importNumber(name: string): number {
    let number = this.#importNumbers.get(name);
    if (number === undefined) {
      number = this.#newImport(name);
      this.#importNumbers.set(name, number);
    }
    return number;
  }

  /** The import that the addon has just set a call aside for. */
  pendingImport(): SuspendingImport {
    const found = this.#suspendingImports[this.mailbox.import];
    if (found === undefined) throw internal('no call was set aside');
    return found;
  }

  /** Whether an import that is called now could wait for a promise. */
  canSuspend(): boolean {
    return this.native.canSuspend() ?? this.calling !== 0;
  }

  /** ToWebAssemblyValue of the arguments of a function type. Throws a TypeError where its values do not cross. */
  argumentsToWasm(type: RegisteredType, args: readonly unknown[]): (number | bigint)[] {
    this.requireCrossing(type);
    return this.toWasmAll(type.params, args);
  }

  /** The values of these types in the mailbox, as what a function with such results returns. */
  resultsFromMailbox(types: readonly ValueType[]): unknown {
    if (types.length === 0) return undefined;
    if (types.length === 1) return this.#fromMailbox(types[0] as ValueType, 0);
    return this.valuesFromMailbox(types);
  }

  /** The values of these types in the mailbox. */
  valuesFromMailbox(types: readonly ValueType[]): unknown[] {
    return types.map((type, i) => this.#fromMailbox(type, i));
  }

  #fromMailbox(type: ValueType, place: number): unknown {
    return this.convert.fromWasm(type, this.mailbox.get(type, place));
  }

  /** What the addon returned for results of these types, as JavaScript sees it. */
  resultsFromWasm(results: readonly ValueType[], raw: unknown): unknown {
    if (results.length === 0 || !results.some(needsConversion)) return raw;
    if (results.length === 1) return this.convert.fromWasm(results[0] ?? 0x7f, raw);
    return (raw as unknown[]).map((x, i) => this.convert.fromWasm(results[i] ?? 0x7f, x));
  }

  #crosses({ params, results }: RegisteredType): boolean {
    return [...params, ...results].every((type) => this.convert.crosses(type));
  }

  /** Throws a TypeError where values of a function type do not cross to JavaScript. */
  requireCrossing(type: RegisteredType): void {
    if (!this.#crosses(type)) throw wrongArgument('a function type with v128, exceptions or continuations does not cross to JavaScript');
  }

  #importWrapper(fn: ExportedFunction, type: RegisteredType): ExportedFunction {
    if (!this.#crosses(type)) return () => this.requireCrossing(type);
    const take = this.#importTaker(fn, type);
    const give = this.#importResults(type);
    if (give === same) return take;
    return (...raw) => give(take(...raw));
  }

  /** `fn` with what the addon gives as arguments. */
  #importTaker(fn: ExportedFunction, { params }: RegisteredType): ExportedFunction {
    if (!params.some(needsConversion)) return fn;
    // spread: as many as a function has params
    return (...raw) => fn(...raw.map((x, i) => this.convert.fromWasm(params[i] ?? 0x7f, x)));
  }

  /** Makes what an import returned the results that the addon takes. */
  #importResults({ results }: RegisteredType): (value: unknown) => unknown {
    if (results.length < 2 && !results.some(needsConversion)) return same;
    if (results.length === 1) return (value) => this.toWasm(results[0] ?? 0x7f, value);
    return (value) => {
      const values = [...(value as Iterable<unknown>)];
      if (values.length !== results.length) {
        throw wrongArgument(`the imported function returned ${values.length} values, its type has ${results.length}`);
      }
      return this.toWasmAll(results, values);
    };
  }

  #makeFunction(address: number): ExportedFunction {
    const type = this.types.type(this.typeOf(address));
    const name = String(this.native.load(address + VMFunction.index, 'u32'));
    const fn = isOfNumbers(type)
      ? numberExport(this.mailbox, this.native.createNumberExport(address), type)
      : this.#exportWrapper(this.native.createExport(address, name), type);
    Object.defineProperty(fn, 'name', { value: name, configurable: true });
    Object.defineProperty(fn, 'length', { value: type.params.length, configurable: true });
    return fn;
  }

  #exportWrapper(direct: ExportedFunction, type: RegisteredType): ExportedFunction {
    const { params } = type;
    if (!this.#crosses(type)) return () => this.requireCrossing(type);
    if (![...params, ...type.results].some(needsConversion)) return withoutConstruct(direct, params.length);
    // spread: as many as a function has params
    return (...args) => this.resultsFromWasm(type.results, direct(...this.toWasmAll(params, args)));
  }

  #collected(tags: readonly number[], codes: readonly number[], imports: readonly number[]): void {
    this.externs.sweep();
    this.types.sweep();
    for (const tag of tags) this.#tagNames.delete(tag);
    for (const code of codes) this.#codes.delete(code);
    for (const number of imports) {
      delete this.#suspendingImports[number];
      this.#importNames.delete(number);
    }
  }

  #suspendError(fn: number, way: number): Error {
    const name = this.#importNames.get(fn) ?? '';
    const between = way < 0 ? this.calling : way;
    if (way < 0 && between === 0) return notPromising(name);
    return importInTheWay(name, this.#importNames.get(between) ?? 'without a name');
  }

  /** What the number that a trap carries stands for. */
  #detailName(code: number, detail: number): string | undefined {
    if (code === TRAP.unhandledTag) return this.#tagNames.get(detail);
    if (code === TRAP.tooManyStacks) return REFUSALS.get(detail);
    if (code === TRAP.shadowStack) return SHADOW_REFUSALS.get(detail);
    if (code === TRAP.shadowOverflow) return shadowOverflow(detail);
    if (code === TRAP.stackOverflow && detail === LIMIT.hostStack) return "calls nest too deep on the thread's own stack";
    return code === TRAP.barrier ? this.#importNames.get(detail) : undefined;
  }

  #trap(code: number, frames: Float64Array, detail: number): Error {
    const error = trap(code, detail < 0 ? undefined : this.#detailName(code, detail));
    backtrace(error, frames, this.#codes);
    return error;
  }
}

let engine: Engine | undefined;

/**
 * Where the addon's exports keep the engine. Several copies of this TypeScript on one thread, as bundlers and test runners make them, share the addon, and with it types, the
 * mailbox and handles: so they share the engine as well.
 */
const SHARED = Symbol.for('heddle.engine');

/** This thread's engine, made when first needed. */
export function theEngine(): Engine {
  if (engine === undefined) {
    const native = addon();
    const exports = Object.getPrototypeOf(native) as { [SHARED]?: Engine };
    exports[SHARED] ??= new Engine(native);
    engine = exports[SHARED];
  }
  return engine;
}

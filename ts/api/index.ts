/**
 * What users import.
 */
import { defineConstant, setEnumerable } from '../base/intrinsics.js';
import { type ErrorClass, loadedWebAssembly, type MemoryClass, type SuspendErrorClass, type WebAssembly as V8 } from '../base/v8_types.js';
import { SuspendError } from '../errors/suspend_error.js';
import type * as compiling from '../instance/compiling.js';
import type { ModuleOptions } from '../instance/compiling.js';
import { type EngineStatistics, theEngine } from '../instance/engine.js';
import type { AnyFunction, ExportedFunction } from '../instance/functions/callable.js';
import type { StackUsage } from '../link/native.js';
import type { NativeOptions } from '../link/native_options.js';
import type { CallLimits } from '../schedule/limit.js';
import { type PromisingFunction, promising } from '../schedule/promising.js';
import type * as suspending from '../schedule/suspending.js';
import { Suspending } from '../schedule/suspending.js';
import type { BytesSource } from '../source/bytes.js';
import { amount, flag, optionsOf } from '../source/options.js';
import type * as exceptions from './exception.js';
import { Exception, type ExceptionOptions, jsTag } from './exception.js';
import type * as objects from './objects.js';
import { Global, type GlobalDescriptor, Table, type TableDescriptor, Tag, type TagDescriptor } from './objects.js';
import type * as values from './value_types.js';
import type { ValueTypeMap, ValueTypeName } from './value_types.js';
import type * as parts from './web_assembly.js';
import {
  compile,
  compileStreaming,
  dispose,
  type ExportDescriptor,
  type Exports,
  type ImportDescriptor,
  type Imports,
  Instance,
  type InstantiatedSource,
  instantiate,
  instantiateStreaming,
  Module,
  validate,
} from './web_assembly.js';

const { Memory, CompileError, LinkError, RuntimeError } = loadedWebAssembly;

/** Shaped like V8's `WebAssembly`; Memory and the error classes are V8's own. Writable and extensible, for glue that wraps its functions. */
export const WebAssembly = {
  /** Compiles bytes, large modules with worker threads. Rejects with a CompileError that has `offset` and `code`. */
  compile,
  // Methods, and so no constructors, as the async functions are none.
  /** Whether bytes are a module that would compile with these options: valid, and within the limits of docs/limits.md. */
  validate(bytes: BytesSource, options: ModuleOptions | undefined = undefined): boolean {
    return validate(bytes, options);
  },
  /**
   * A function that calls an exported function and returns a promise of its results. Within it an import of `Suspending` may wait for a promise. Options, which V8's
   * function of this name has not, say what ends each call.
   */
  promising<F extends AnyFunction>(fn: F, options: CallLimits | undefined = undefined): PromisingFunction<F> {
    return promising(fn, options);
  },
  /** Makes an instance of a module, or of bytes, which it compiles first. */
  instantiate,
  /** `compile` of a response's body, once all of it is there. */
  compileStreaming,
  /** `instantiate` of a response's body, once all of it is there. */
  instantiateStreaming,
  /** A compiled module. It may be posted to other threads. */
  Module,
  /** A module with its imports: what runs. */
  Instance,
  /** A linear memory, of V8's own class. */
  Memory: Memory as MemoryClass,
  /** A table of references. */
  Table,
  /** A global variable. */
  Global,
  /** A tag for exceptions and suspensions. */
  Tag,
  /** A WebAssembly exception. */
  Exception,
  /** A getter: the tag is made when first asked for. */
  get JSTag(): Tag {
    return jsTag();
  },
  /** Marks an import whose caller waits for the promise that it returns. */
  Suspending,
  /** The module is not valid, or is not one that can be compiled. V8's own class. */
  CompileError: CompileError as ErrorClass<V8.CompileError>,
  /** The imports are not those that the module needs. V8's own class. */
  LinkError: LinkError as ErrorClass<V8.LinkError>,
  /** A trap. V8's own class. */
  RuntimeError: RuntimeError as ErrorClass<V8.RuntimeError>,
  /** WebAssembly would have to wait for a promise, and cannot. */
  SuspendError: SuspendError as SuspendErrorClass,
};
for (const [name, { get, value }] of Object.entries(Object.getOwnPropertyDescriptors(WebAssembly))) {
  if (get !== undefined || /^[A-Z]/.test(name)) setEnumerable(WebAssembly, name, false);
  // A bundler may have changed it.
  else defineConstant(value as object, 'name', name);
}
defineConstant(WebAssembly, Symbol.toStringTag, 'WebAssembly');

/** The types of what it has, by the names that TypeScript's own declarations of the JS API have. (By way of a namespace: a name in here would mean itself.) */
export declare namespace WebAssembly {
  /** A compiled module. */
  type Module = parts.Module;
  /** An instance of a module. `E` is what the caller knows of its exports. */
  type Instance<E extends Exports = Exports> = parts.Instance<E>;
  /** A linear memory. */
  type Memory = V8.Memory;
  /** A table of references. */
  type Table = objects.Table;
  /** A global variable. */
  type Global<Type extends ValueTypeName = ValueTypeName> = objects.Global<Type>;
  /** A tag for exceptions and suspensions. */
  type Tag = objects.Tag;
  /** A WebAssembly exception. */
  type Exception = exceptions.Exception;
  /** An import whose caller waits for the promise that it returns. */
  type Suspending<F extends AnyFunction = AnyFunction> = suspending.Suspending<F>;
  /** The module is not valid, or is not one that can be compiled. */
  type CompileError = V8.CompileError;
  /** The imports are not those that the module needs. */
  type LinkError = V8.LinkError;
  /** A trap. */
  type RuntimeError = V8.RuntimeError;
  /** WebAssembly would have to wait for a promise, and cannot. */
  type SuspendError = V8.SuspendError;
  /** Exports by name. */
  type Exports = parts.Exports;
  /** Imports by module and name. */
  type Imports = parts.Imports;
  /** What `new Memory` takes. */
  type MemoryDescriptor = V8.MemoryDescriptor;
  /** What `new Table` takes. */
  type TableDescriptor = objects.TableDescriptor;
  /** What `new Global` takes. */
  type GlobalDescriptor<Type extends ValueTypeName = ValueTypeName> = objects.GlobalDescriptor<Type>;
  /** What JavaScript sees of values, by the names of their types. */
  type ValueTypeMap = values.ValueTypeMap;
  /** The names of value types. */
  type ValueType = ValueTypeName;
  /** What `new Tag` takes. */
  type TagDescriptor = objects.TagDescriptor;
  /** What `new Exception` takes besides tag and payload. */
  type ExceptionOptions = exceptions.ExceptionOptions;
  /** Options of `compile`, `instantiate`, `validate` and `Module`. */
  type ModuleOptions = compiling.ModuleOptions;
  /** One export of a module. */
  type ModuleExportDescriptor = ExportDescriptor;
  /** One import of a module. */
  type ModuleImportDescriptor = ImportDescriptor;
  /** What `instantiate` of bytes gives. */
  type WebAssemblyInstantiatedSource<E extends Exports = Exports> = InstantiatedSource<E>;
}

/** Options of one call. */
export interface CallOptions {
  /** Milliseconds, 0 for no limit; a call that takes longer traps with code HEDDLE_TRAP_DEADLINE. */
  readonly deadline?: number;
}

const callOptions = optionsOf('call', { deadline: amount });

/**
 * Calls an exported function with options.
 *
 * @example
 * ```js
 * import { call, parseWat, WebAssembly } from 'heddle';
 *
 * const bytes = parseWat('(module (func (export "spin") (loop $again (br $again))))');
 * const { instance } = await WebAssembly.instantiate(bytes);
 * try {
 *   call(instance.exports.spin, [], { deadline: 50 });
 * } catch (error) {
 *   console.log(error.code); // HEDDLE_TRAP_DEADLINE
 * }
 * ```
 */
export function call<F extends AnyFunction>(fn: F, args: Readonly<Parameters<F>> | readonly [] = [], options?: CallOptions): ReturnType<F> {
  return theEngine().exports.call(fn as unknown as ExportedFunction, args, callOptions(options).deadline ?? 0) as ReturnType<F>;
}

/**
 * Whether the import whose JavaScript runs could make its caller wait: its call was begun by `promising`, and no other JavaScript is in between.
 *
 * @example
 * ```js
 * import { canSuspend, parseWat, WebAssembly } from 'heddle';
 *
 * const bytes = parseWat('(module (import "host" "ask" (func $ask)) (func (export "run") (call $ask)))');
 * const ask = new WebAssembly.Suspending(() => {
 *   console.log(canSuspend()); // true
 * });
 * const { instance } = await WebAssembly.instantiate(bytes, { host: { ask } });
 * await WebAssembly.promising(instance.exports.run)();
 * console.log(canSuspend()); // false
 * ```
 */
export function canSuspend(): boolean {
  return theEngine().imports.canSuspend();
}

/**
 * Sets the options of this thread's engine; before the first instance.
 *
 * @example
 * ```js
 * import { configure, parseWat, statistics, WebAssembly } from 'heddle';
 *
 * configure({ stack: { size: 256 * 1024, maximum: 10_000 } });
 * await WebAssembly.instantiate(parseWat('(module)'));
 * console.log(statistics().stacksLive); // 0
 * ```
 */
export function configure(options: NativeOptions): void {
  theEngine().configure(options);
}

/**
 * Frees what WebAssembly does not refer to any more: dropped continuations with their stacks, exceptions, instances, code, JavaScript values. It happens by itself;
 * this is for who wants it now. What a JavaScript object stands for stays until V8 has freed that object.
 */
export function collect(): void {
  theEngine().native.collect();
}

/**
 * Puts everything that is suspended aside: what is on the stacks is copied out, and their pages go back to the kernel. A resume brings a stack back. It happens by
 * itself where stacks take more than the option `stack.budget`; this is for who wants it now. Returns how many stacks became empty.
 */
export function hibernate(): number {
  return theEngine().native.hibernate();
}

const statisticsOptions = optionsOf('statistics', { stacks: flag });

/**
 * Counters of this thread's engine. With `stacks` what stacks take as well; that asks the kernel about every one, about two microseconds each (two seconds for a
 * million).
 *
 * @example
 * ```js
 * import { Continuation, parseWat, statistics, WebAssembly } from 'heddle';
 *
 * const bytes = parseWat('(module (tag $pause) (func (export "run") (suspend $pause)))');
 * const { instance } = await WebAssembly.instantiate(bytes);
 * const { continuation } = new Continuation(instance.exports.run).resume();
 * console.log(statistics().stacksLive, continuation.state); // 1 suspended
 * ```
 */
export function statistics(options: { readonly stacks: true }): EngineStatistics & StackUsage;
export function statistics(options?: { readonly stacks?: boolean }): EngineStatistics;
export function statistics(options?: { readonly stacks?: boolean }): EngineStatistics {
  const engine = theEngine();
  return statisticsOptions(options).stacks ? { ...engine.statistics(), ...engine.stackUsage() } : engine.statistics();
}

export type { AnyFunction, ExportedFunction } from '../instance/functions/callable.js';
export type { FiberInfo, FiberStack, FiberState, FiberTree } from '../instance/inspect.js';
export type { MappedMemory } from '../instance/mapped_memory.js';
export type { ProgramFrame } from '../instance/messages/backtrace.js';
export type { ShadowStackOptions } from '../instance/shadow.js';
export type { TaskEnd, TaskEndMessage, TaskMessage } from '../schedule/diagnostics.js';
export type { TaskGroup } from '../schedule/group.js';
export { type InspectOptions, inspect } from '../schedule/inspect.js';
export type { CallLimits } from '../schedule/limit.js';
export type { PromisingFunction } from '../schedule/promising.js';
export { Scheduler, type SchedulerOptions, type SchedulerStatistics } from '../schedule/scheduler.js';
export type { SpawnOptions } from '../schedule/spawn_options.js';
export type { Task, TaskState } from '../schedule/task.js';
export { type BytesSource, parseWat } from '../source/bytes.js';
export type { ContinuationState, Resumption, Returned, Suspended } from './continuation.js';
export { Continuation } from './continuation.js';
export { createMemory, type MemoryDescriptor } from './memory.js';
export type {
  EngineStatistics,
  ExceptionOptions,
  ExportDescriptor,
  Exports,
  GlobalDescriptor,
  ImportDescriptor,
  Imports,
  InstantiatedSource,
  TableDescriptor,
  TagDescriptor,
  ValueTypeMap,
  ValueTypeName,
};
export { dispose };

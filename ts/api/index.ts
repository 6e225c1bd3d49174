/**
 * What users import.
 */
import { defineConstant, setEnumerable } from '../base/intrinsics.js';
import { SuspendError } from '../errors/suspend_error.js';
import type { ModuleOptions } from '../instance/compiling.js';
import { type EngineStatistics, theEngine } from '../instance/engine.js';
import type { ExportedFunction } from '../instance/functions/callable.js';
import type { StackUsage } from '../link/native.js';
import type { NativeOptions } from '../link/native_options.js';
import type { CallLimits } from '../schedule/limit.js';
import { type PromisingFunction, promising } from '../schedule/promising.js';
import { Suspending } from '../schedule/suspending.js';
import type { BytesSource } from '../source/bytes.js';
import { amount, flag, optionsOf } from '../source/options.js';
import { Exception, jsTag } from './exception.js';
import { Global, Table, Tag } from './objects.js';
import { compile, compileStreaming, dispose, Instance, instantiate, instantiateStreaming, Module, validate } from './web_assembly.js';

const { Memory, CompileError, LinkError, RuntimeError } = globalThis.WebAssembly;

/** Shaped like V8's `WebAssembly`; Memory and the error classes are V8's own. Writable and extensible, for glue that wraps its functions. */
export const WebAssembly = {
  compile,
  // Methods, and so no constructors, as the async functions are none.
  validate(bytes: BytesSource, options: ModuleOptions | undefined = undefined): boolean {
    return validate(bytes, options);
  },
  promising(fn: unknown, options: CallLimits | undefined = undefined): PromisingFunction {
    return promising(fn, options);
  },
  instantiate,
  compileStreaming,
  instantiateStreaming,
  Module,
  Instance,
  Memory,
  Table,
  Global,
  Tag,
  Exception,
  /** A getter: the tag is made when first asked for. */
  get JSTag(): Tag {
    return jsTag();
  },
  Suspending,
  CompileError,
  LinkError,
  RuntimeError,
  SuspendError,
};
for (const [name, { get, value }] of Object.entries(Object.getOwnPropertyDescriptors(WebAssembly))) {
  if (get !== undefined || /^[A-Z]/.test(name)) setEnumerable(WebAssembly, name, false);
  // A bundler may have changed it.
  else defineConstant(value as object, 'name', name);
}
defineConstant(WebAssembly, Symbol.toStringTag, 'WebAssembly');

/** Options of one call. */
export interface CallOptions {
  /** Milliseconds, 0 for no limit; a call that takes longer traps with code HEDDLE_TRAP_DEADLINE. */
  readonly deadline?: number;
}

const callOptions = optionsOf('call', { deadline: amount });

/** Calls an exported function with options. */
export function call(fn: ExportedFunction, args: readonly unknown[] = [], options?: CallOptions): unknown {
  return theEngine().exports.call(fn, args, callOptions(options).deadline ?? 0);
}

/**
 * Whether the import whose JavaScript runs could make its caller wait: its call was begun by `promising`, and no other JavaScript is in between.
 */
export function canSuspend(): boolean {
  return theEngine().imports.canSuspend();
}

/** Sets the options of this thread's engine; before the first instance. */
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
 */
export function statistics(options: { readonly stacks: true }): EngineStatistics & StackUsage;
export function statistics(options?: { readonly stacks?: boolean }): EngineStatistics;
export function statistics(options?: { readonly stacks?: boolean }): EngineStatistics {
  const engine = theEngine();
  return statisticsOptions(options).stacks ? { ...engine.statistics(), ...engine.stackUsage() } : engine.statistics();
}

export type { FiberInfo, FiberStack, FiberState, FiberTree } from '../instance/inspect.js';
export type { MappedMemory } from '../instance/mapped_memory.js';
export type { ProgramFrame } from '../instance/messages/backtrace.js';
export type { ShadowStackOptions } from '../instance/shadow.js';
export type { TaskEnd, TaskEndMessage, TaskMessage } from '../schedule/diagnostics.js';
export type { TaskGroup } from '../schedule/group.js';
export { type InspectOptions, inspect } from '../schedule/inspect.js';
export type { CallLimits } from '../schedule/limit.js';
export { Scheduler, type SchedulerOptions, type SchedulerStatistics } from '../schedule/scheduler.js';
export type { SpawnOptions } from '../schedule/spawn_options.js';
export type { Task, TaskState } from '../schedule/task.js';
export { parseWat } from '../source/bytes.js';
export type { ContinuationState, Resumption, Returned, Suspended } from './continuation.js';
export { Continuation } from './continuation.js';
export { createMemory, type MemoryDescriptor } from './memory.js';
export { dispose };

/**
 * What users import.
 */
import { type ExportedFunction, theEngine } from '../instance/engine.js';
import type { NativeOptions } from '../link/native.js';
import { Exception, jsTag } from './exception.js';
import { Global, Table, Tag } from './objects.js';
import { compile, Instance, instantiate, Module, validate } from './web_assembly.js';

const { Memory, CompileError, LinkError, RuntimeError } = globalThis.WebAssembly;

/** Shaped like V8's `WebAssembly`; Memory and the error classes are V8's own. */
export const WebAssembly = Object.freeze({
  compile,
  instantiate,
  validate,
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
  CompileError,
  LinkError,
  RuntimeError,
  [Symbol.toStringTag]: 'WebAssembly',
});

/** Options of one call. */
export interface CallOptions {
  /** Milliseconds; a call that takes longer traps with code HEDDLE_TRAP_DEADLINE. */
  readonly deadline?: number;
}

/** Calls an exported function with options. */
export function call(fn: ExportedFunction, args: readonly unknown[] = [], options: CallOptions = {}): unknown {
  return theEngine().call(fn, args, options.deadline ?? 0);
}

/** Sets the options of this thread's engine; before the first instance. */
export function configure(options: NativeOptions): void {
  theEngine().configure(options);
}

/** Counters of this thread's engine. */
export function statistics(): ReturnType<ReturnType<typeof theEngine>['statistics']> {
  return theEngine().statistics();
}

export type { MappedMemory } from '../instance/mapped_memory.js';
export { parseWat } from '../source/bytes.js';
export { createMemory, type MemoryDescriptor } from './memory.js';

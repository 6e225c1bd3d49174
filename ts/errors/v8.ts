/**
 * V8's own `WebAssembly`, as it was when Heddle was loaded. Whoever puts Heddle's in its place (`globalThis.WebAssembly = …`) must not send Heddle,
 * whose code generator is WebAssembly that V8 runs, to itself.
 */

import { uncurried } from '../base/intrinsics.js';
import { loadedWebAssembly, type V8WebAssembly, type WebAssembly } from '../base/v8_types.js';

export const V8 = Object.freeze(Object.create(null, Object.getOwnPropertyDescriptors(loadedWebAssembly))) as V8WebAssembly;

const { Memory, Module } = V8;

/** The accessor `buffer` of memories, and their `grow`: to be called with a memory as `this`. */
export const bufferGetter = Object.getOwnPropertyDescriptor(Memory.prototype, 'buffer')?.get as () => ArrayBuffer;
export const growMethod: (delta: number) => unknown = Memory.prototype.grow;

/** A memory's buffer, whatever stands on the object or its prototypes. Throws a TypeError where it is none of V8's. */
export const memoryBuffer: (memory: WebAssembly.Memory) => ArrayBuffer | SharedArrayBuffer = uncurried(bufferGetter);

/** Whether a value is one of V8's memories; not so what only has their prototype. */
export function isMemory(value: unknown): value is WebAssembly.Memory {
  try {
    memoryBuffer(value as WebAssembly.Memory);
    return true;
  } catch {
    return false;
  }
}

/** Contents of a module's custom sections of a name. Throws a TypeError where it is none of V8's. */
export const customSections: (module: WebAssembly.Module, name: string) => ArrayBuffer[] = Module.customSections;

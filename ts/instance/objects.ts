/**
 * The objects that instances share and JavaScript can hold, below the API's classes: what they are natively and of which type.
 */
import { linkResources } from '../errors/catalog.js';
import { V8 } from '../errors/v8.js';
import type { MemoryDescription, ValueType } from '../validate/description.js';
import type { Engine } from './engine.js';

/** A table; its VMTable's address and canonical type. */
export interface TableObject {
  readonly address: number;
  /** Canonical value type of its elements. */
  readonly type: ValueType;
  /** As declared, for imports: a number, or null without bound. */
  readonly maximum: number | null;
  readonly table64: boolean;
}

/** A global: the address of its 16-byte cell. */
export interface GlobalObject {
  readonly address: number;
  readonly type: ValueType;
  readonly mutable: boolean;
}

/** A tag: the address of its VMTag. */
export interface TagObject {
  readonly address: number;
  /** Canonical type id. */
  readonly type: number;
}

/** A memory: V8's object and the VMMemory made for it. */
export interface MemoryObject {
  readonly memory: WebAssembly.Memory;
  readonly address: number;
  readonly base: number;
  readonly guarded: boolean;
}

const memories = new WeakMap<WebAssembly.Memory, MemoryObject>();

/** The VMMemory of a V8 memory; one per memory and thread. */
export function memoryObject(engine: Engine, memory: WebAssembly.Memory): MemoryObject {
  let object = memories.get(memory);
  if (object === undefined) {
    object = { memory, ...engine.native.createMemory(memory) };
    memories.set(memory, object);
  } else {
    engine.native.useMemory(object.address);
  }
  return object;
}

/** Makes a module's own memory, by V8. A LinkError where V8 has no room, even after memories that nobody uses were given up. */
export function newMemory(engine: Engine, description: MemoryDescription): WebAssembly.Memory {
  const { minimum, maximum, shared } = description;
  const descriptor: WebAssembly.MemoryDescriptor = { initial: Number(minimum) };
  // V8 takes 65,536 pages at most; a larger bound is the same as that one.
  if (maximum !== null) descriptor.maximum = Math.min(Number(maximum), 65_536);
  if (shared) descriptor.shared = true;
  try {
    return new V8.Memory(descriptor);
  } catch {
    engine.native.collect();
  }
  try {
    return new V8.Memory(descriptor);
  } catch (error) {
    throw linkResources(`a memory of ${minimum} pages: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Pages of a memory now. */
export function memoryPages(memory: WebAssembly.Memory): number {
  return memory.buffer.byteLength / 65_536;
}

interface TypedMemory {
  /** V8's type reflection, where it has it. */
  type?(): { readonly maximum?: number };
}

const declared = new WeakMap<WebAssembly.Memory, number | null>();

/** Notes the maximum that a memory of ours was made with. */
export function noteMaximum(memory: WebAssembly.Memory, maximum: number | null): void {
  declared.set(memory, maximum);
}

/**
 * The maximum a memory was made with, null without one. V8 does not tell: for a memory that is not of ours a throw-away module that imports
 * it finds out, by halving.
 */
export function memoryMaximum(memory: WebAssembly.Memory): number | null {
  const known = declared.get(memory);
  if (known !== undefined) return known;
  const typed = (memory as WebAssembly.Memory & TypedMemory).type?.();
  const maximum = typed !== undefined ? (typed.maximum ?? null) : probeMaximum(memory);
  declared.set(memory, maximum);
  return maximum;
}

function probeMaximum(memory: WebAssembly.Memory): number | null {
  const shared = memory.buffer instanceof SharedArrayBuffer;
  const accepts = (maximum: number): boolean => {
    const leb: number[] = [];
    for (let rest = maximum; ; rest >>>= 7) {
      leb.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
      if (rest <= 0x7f) break;
    }
    const section = [1, 0, 0, 2, shared ? 3 : 1, 0, ...leb];
    const bytes = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 2, section.length, ...section);
    try {
      new V8.Instance(new V8.Module(bytes), { '': { '': memory } });
      return true;
    } catch {
      return false;
    }
  };
  if (!accepts(65_536)) return null;
  let low = 0;
  let high = 65_536;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (accepts(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * Linear memories, below the API: V8's own where V8 can make them, else mappings of the addon's.
 */

import {
  append,
  BigIntValue,
  bufferLength,
  bytesOf,
  isSharedArrayBuffer,
  joinedLists,
  messageOf,
  min,
  NumberValue,
  setPrototypeOf,
  weakGet,
  weakSet,
} from '../base/intrinsics.js';
import type { WebAssembly } from '../base/v8_types.js';
import { linkResources, unsupported } from '../errors/catalog.js';
import { V8 } from '../errors/v8.js';
import { VMMemory } from '../generated/abi.js';
import type { MemoryDescription } from '../validate/description.js';
import { aboutMapped, bufferOf, MappedMemory, type MappedMemoryType } from './mapped_memory.js';
import type { Thread } from './thread.js';

/** Binary logarithm of the ordinary page size. */
export const PAGE_SHIFT = 16;
/** Pages that a 32-bit memory has at most. */
const MOST_PAGES = 65_536;
/** Pages that a 64-bit memory of V8's or ours has at most: 16 GiB, V8's own limit. */
const MOST_PAGES_64 = 262_144;

/** A memory: what JavaScript sees, and the VMMemory made for it. */
export interface MemoryObject {
  readonly memory: WebAssembly.Memory | MappedMemory;
  readonly address: number;
  readonly base: number;
  /** Accesses with 32-bit addresses need no check. */
  readonly guarded: boolean;
  readonly memory64: boolean;
  readonly pageSizeLog2: number;
}

const memories = new WeakMap<WebAssembly.Memory | MappedMemory, MemoryObject>();

/** The VMMemory of a memory; one per memory and thread. */
export function memoryObject(thread: Thread, memory: WebAssembly.Memory | MappedMemory): MemoryObject {
  let object = weakGet(memories, memory);
  if (object === undefined) {
    object = mappedObject(thread, memory) ?? v8Object(thread, memory as WebAssembly.Memory);
    weakSet(memories, memory, object);
  } else {
    thread.native.useMemory(object.address);
  }
  return object;
}

function v8Object(thread: Thread, memory: WebAssembly.Memory): MemoryObject {
  const memory64 = isWide(memory);
  return { memory, ...thread.native.createMemory(memory, memory64 ? 1 : 0), memory64, pageSizeLog2: PAGE_SHIFT };
}

function mappedObject(thread: Thread, memory: WebAssembly.Memory | MappedMemory): MemoryObject | undefined {
  const mapped = aboutMapped(memory);
  if (mapped === undefined) return undefined;
  const { address, type } = mapped;
  const base = NumberValue(thread.native.load(address + VMMemory.base, 'u64'));
  return { memory, address, base, guarded: false, memory64: type.memory64, pageSizeLog2: type.pageSizeLog2 };
}

/** Makes a module's own memory. Throws a LinkError where there is no room for it. */
export function newMemory(thread: Thread, { minimum, maximum, shared, memory64, pageSizeLog2 }: MemoryDescription): MemoryObject {
  const initial = NumberValue(minimum);
  const bound = maximum === null ? null : NumberValue(maximum);
  const refused = (why: string): Error => linkResources(`a memory of ${minimum} pages: ${why}`);
  if (pageSizeLog2 !== PAGE_SHIFT || (memory64 && !v8MakesWide())) {
    if (shared)
      throw unsupported(pageSizeLog2 === PAGE_SHIFT ? 'a shared 64-bit memory on this Node' : 'a shared memory with custom pages');
    return memoryObject(thread, newMappedMemory(thread, { memory64, pageSizeLog2, maximum: bound }, initial, refused));
  }
  // A bound beyond what V8 can ever reach is the same as that.
  const most = memory64 ? MOST_PAGES_64 : MOST_PAGES;
  const descriptor = descriptorOf({ initial, shared, ...(bound !== null && { maximum: min(bound, most) }) });
  const make = (): WebAssembly.Memory => new V8.Memory(memory64 ? wideDescriptor(descriptor) : descriptor);
  let memory: WebAssembly.Memory;
  try {
    memory = make();
  } catch {
    // Memories that nobody uses any more are V8's to free once Heddle has let go of them.
    thread.native.collect();
    try {
      memory = make();
    } catch (error) {
      throw refused(messageOf(error));
    }
  }
  noteType(memory, { memory64, maximum: bound });
  return memoryObject(thread, memory);
}

/** Maps a memory; `refused` makes the error that says that there is no room. */
export function newMappedMemory(thread: Thread, type: MappedMemoryType, initial: number, refused: (why: string) => Error): MappedMemory {
  const page = 2 ** type.pageSizeLog2;
  const most = (type.memory64 ? MOST_PAGES_64 : MOST_PAGES) * 2 ** PAGE_SHIFT;
  // A 32-bit length is below 4 GiB unless pages say otherwise: with pages of one byte the last is missing.
  const limit = type.memory64 || page > 1 ? most : most - 1;
  const maximum = type.maximum === null ? limit : min(type.maximum * page, limit);
  if (initial * page > limit) throw refused(`at most ${limit / page} pages`);
  const address = thread.native.createMappedMemory(initial * page, maximum, type.pageSizeLog2);
  if (address === 0) throw refused('no memory');
  const made = new MappedMemory(thread.native, address, type);
  thread.native.hold(address, made);
  return made;
}

/** Pages of a memory now. */
export function memoryPages({ memory, pageSizeLog2 }: MemoryObject): number {
  return bufferLength(bufferOf(memory)) / 2 ** pageSizeLog2;
}

/** What V8 does not tell of its memories. */
interface MemoryType {
  readonly memory64: boolean;
  readonly maximum: number | null;
}

const declared = new WeakMap<WebAssembly.Memory, MemoryType>();

function noteType(memory: WebAssembly.Memory, type: MemoryType): void {
  weakSet(declared, memory, type);
}

let makesWide: boolean | undefined;

/** Whether V8 makes memories with 64-bit addresses: Node 24 and later. */
export function v8MakesWide(): boolean {
  if (makesWide === undefined) {
    try {
      new V8.Memory(wideDescriptor({ initial: 0, maximum: 0 }));
      makesWide = true;
    } catch {
      makesWide = false;
    }
  }
  return makesWide;
}

/** A descriptor that has what it has, and nothing that somebody put on Object.prototype. */
function descriptorOf(descriptor: WebAssembly.MemoryDescriptor): WebAssembly.MemoryDescriptor {
  setPrototypeOf(descriptor, null);
  return descriptor;
}

/** As the JS API has it: `address` names the address type, and limits are bigints. */
function wideDescriptor({ initial, maximum }: { readonly initial: number; readonly maximum?: number }): WebAssembly.MemoryDescriptor {
  const wide = { address: 'i64', initial: BigIntValue(initial), ...(maximum !== undefined && { maximum: BigIntValue(maximum) }) };
  return descriptorOf(wide as unknown as WebAssembly.MemoryDescriptor);
}

/** Whether one of V8's memories has 64-bit addresses: what imports it finds out. */
function isWide(memory: WebAssembly.Memory): boolean {
  const known = weakGet(declared, memory);
  if (known !== undefined) return known.memory64;
  return v8MakesWide() && accepts(memory, WIDE, null);
}

/** The maximum a memory was made with, null without one. For a memory that is not of ours throw-away modules that import it find out, by halving. */
export function memoryMaximum({ memory, memory64 }: MemoryObject): number | null {
  const mapped = aboutMapped(memory);
  if (mapped !== undefined) return mapped.type.maximum;
  const known = weakGet(declared, memory as WebAssembly.Memory);
  if (known !== undefined) return known.maximum;
  const maximum = probeMaximum(memory as WebAssembly.Memory, memory64);
  noteType(memory as WebAssembly.Memory, { memory64, maximum });
  return maximum;
}

/** Bits of a memory's limits in the binary format. */
const BOUNDED = 1;
const SHARED = 2;
const WIDE = 4;

/** Whether V8 takes the memory for an import of that type. */
function accepts(memory: WebAssembly.Memory, flags: number, maximum: number | null): boolean {
  const limits = joinedLists(
    [flags | (isShared(memory) ? SHARED : 0) | (maximum === null ? 0 : BOUNDED), 0],
    maximum === null ? [] : leb(maximum),
  );
  const section = joinedLists([1, 0, 0, 2], limits);
  const bytes = bytesOf(joinedLists([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 2, section.length], section));
  try {
    new V8.Instance(new V8.Module(bytes), { '': { '': memory } });
    return true;
  } catch {
    return false;
  }
}

function leb(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    append(bytes, (rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    if (rest <= 0x7f) return bytes;
  }
}

/** Whether a memory is shared between threads. */
export function isShared(memory: WebAssembly.Memory | MappedMemory): boolean {
  return isSharedArrayBuffer(bufferOf(memory));
}

function probeMaximum(memory: WebAssembly.Memory, memory64: boolean): number | null {
  const flags = memory64 ? WIDE : 0;
  const fits = (maximum: number): boolean => accepts(memory, flags, maximum);
  const most = memory64 ? MOST_PAGES_64 : MOST_PAGES;
  if (!fits(most)) return null;
  let low = 0;
  let high = most;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (fits(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

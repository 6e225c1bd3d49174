/**
 * What versions of a program share: memories, globals, and whatever else the caller can save. It is put back where another version goes on.
 */
import { Buffer } from 'node:buffer';
import { hibernate } from '../api/index.js';
import type { Global } from '../api/objects.js';
import type { WebAssembly } from '../base/v8_types.js';
import { theEngine } from '../instance/engine.js';
import { mayHaveShadowFrames } from '../instance/shadow.js';

/** Memories are saved in parts of so many bytes: what has not changed since the last time is not copied again. */
const PART = 0x1_0000;

/** What was saved. */
export interface Saved {
  readonly memories: readonly (readonly Uint8Array[])[];
  readonly globals: readonly unknown[];
  /** What the caller's own `save` has given. */
  readonly own: unknown;
}

/** What is saved and put back. */
export interface Shared {
  readonly memories: readonly WebAssembly.Memory[];
  readonly globals: readonly Global[];
  readonly save: (() => unknown) | undefined;
  readonly restore: ((saved: unknown) => void) | undefined;
}

function savedMemory(memory: WebAssembly.Memory, last: readonly Uint8Array[] | undefined): readonly Uint8Array[] {
  const bytes = Buffer.from(memory.buffer);
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += PART) {
    const part = bytes.subarray(at, at + PART);
    const before = last?.[parts.length];
    parts.push(before !== undefined && part.equals(before) ? before : new Uint8Array(part));
  }
  return parts;
}

function restoreMemory(memory: WebAssembly.Memory, parts: readonly Uint8Array[]): void {
  const bytes = Buffer.from(memory.buffer);
  let at = 0;
  for (const part of parts) {
    // Compared first: a page that is not written stays where the system has put it.
    if (!bytes.subarray(at, at + part.length).equals(part)) bytes.set(part, at);
    at += part.length;
  }
  // It has grown since, and cannot shrink.
  bytes.fill(0, at);
}

export class SharedState {
  readonly #shared: Shared;
  /**
   * Whether others may have suspended since what is put back was saved, and wait still. Frames of C in linear memory are part of a version, and those of who has suspended last lie in place: they are
   * put aside first, or they would be overwritten.
   */
  readonly #isAnyOrder: boolean;
  #last: Saved | undefined;

  constructor(shared: Shared, isAnyOrder: boolean) {
    this.#shared = shared;
    this.#isAnyOrder = isAnyOrder;
  }

  save(): Saved {
    const { memories, globals, save } = this.#shared;
    this.#last = {
      memories: memories.map((memory, place) => savedMemory(memory, this.#last?.memories[place])),
      globals: globals.map(({ value }) => value),
      own: save?.(),
    };
    return this.#last;
  }

  restore(saved: Saved): void {
    const { memories, globals, restore } = this.#shared;
    if (this.#isAnyOrder && mayHaveShadowFrames(theEngine().native) && (memories.length > 0 || restore !== undefined)) hibernate();
    for (const [place, memory] of memories.entries()) restoreMemory(memory, saved.memories[place] ?? []);
    for (const [place, global] of globals.entries()) global.value = saved.globals[place];
    restore?.(saved.own);
    this.#last = saved;
  }
}

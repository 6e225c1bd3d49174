/**
 * Machine code that grows: a module's functions have slots, which are called in their stead, and are compiled when a slot is first called (docs/decisions/0037).
 */
import { changedIntrinsic } from '../base/changes.js';
import { append, Dictionary, Integers, mapDelete, mapGet, mapSet, min, typedLength } from '../base/intrinsics.js';
import type { Artifact } from '../compile/artifact.js';
import { compileLater, forgetGrowing, note } from '../compile/background.js';
import type { Cache } from '../compile/cache.js';
import { compilerOf, forgetCompiler } from '../compile/lazy.js';
import type { LazyModule } from '../compile/module_code.js';
import { moveInlined, type Part } from '../compile/part.js';
import { relocate } from '../compile/relocate.js';
import { jumpToSwitches } from '../compile/switches.js';
import { internal } from '../errors/catalog.js';
import { STUB } from '../generated/abi.js';
import type { Native } from '../link/native.js';
import { INLINED_ROW } from '../lower/function/locations.js';
import type { ModuleSignatures } from '../lower/module/signatures.js';
import { passingOverruns } from '../source/crate.js';

/** What a module's code is made with. */
export interface LazyCodeParts {
  readonly native: Native;
  readonly module: LazyModule;
  readonly signatures: ModuleSignatures;
  /** How many functions are imported: the defined ones' indices come behind. */
  readonly imported: number;
  /** Address of the object of the heap that names the module's types. */
  readonly types: number;
  /** Where the whole artifact goes, later. */
  readonly cache: Cache | undefined;
  /** Compiles all of the module where this thread must not: in another. */
  whole(): Artifact;
}

/** Bytes of code for one of a body, and besides: several times what the largest need. Of this only addresses are taken. */
const ROOM_FOR_BYTE = 128;
const LEAST_ROOM = 16 << 20;
/** A call reaches so far on both instruction sets' side. */
const MOST_ROOM = 1 << 30;

/** Code of which functions are made one by one. */
export class LazyCode {
  readonly id: number;
  readonly base: number;
  /** By function number: where it is called, from the base on; -1 for an imported function. */
  readonly offsets: Int32Array;
  /** The frames of functions that were inlined, of all that was made yet. */
  inlined: Int32Array = new Integers(0);
  readonly #parts: LazyCodeParts;
  /** What was made, for the next process; undefined where nobody is to have it. */
  #made: Part[] | undefined = [];
  #isNew = false;
  #next: number;

  private constructor(parts: LazyCodeParts, room: NonNullable<ReturnType<Native['reserveCode']>>) {
    const { module, signatures, imported } = parts;
    this.#parts = parts;
    this.id = room.id;
    this.base = room.base;
    this.#next = room.next;
    this.offsets = new Integers(typedLength(signatures.functionSignatures));
    for (let i = 0; i < typedLength(this.offsets); i++) this.offsets[i] = -1;
    const count = typedLength(module.description.functions);
    for (let i = 0; i < count; i++) this.offsets[imported + i] = room.slots + room.slotSize * i;
    this.offsets[signatures.switchStub] = STUB.switch;
    this.offsets[signatures.hostCallStub] = STUB.hostCall;
    this.#add(module.made ?? compilerOf(module.job).trampolines());
    this.#isNew = module.made === undefined;
  }

  /** Code with slots and trampolines; undefined where the system does not give room for it. Requires: built-in objects are unchanged. */
  static load(parts: LazyCodeParts): LazyCode | undefined {
    const { native, module, imported, types } = parts;
    const { bodies, functions } = module.description;
    const first = bodies[0] ?? 0;
    const room = min(MOST_ROOM, LEAST_ROOM + ROOM_FOR_BYTE * ((bodies[typedLength(bodies) - 1] ?? 0) - first));
    const reserved = native.reserveCode(imported, typedLength(functions), room, types);
    if (reserved === undefined) return undefined;
    const code = new LazyCode(parts, reserved);
    code.#keepLater();
    return code;
  }

  /** Makes a function. `ran` says whether JavaScript may have run since the last time that one was made. */
  make(fn: number, ran: boolean): void {
    const { module, imported } = this.#parts;
    if (ran && changedIntrinsic() !== undefined) this.#addWhole();
    else passingOverruns(() => this.#add(compilerOf(module.job).these([fn - imported])));
    this.#isNew = true;
    note();
  }

  /** Nothing calls the code any more. */
  forget(): void {
    const { module } = this.#parts;
    forgetCompiler(module.job);
    forgetGrowing(module);
  }

  #keepLater(): void {
    const { module, cache } = this.#parts;
    if (cache === undefined) {
      this.#made = undefined;
      return;
    }
    compileLater({
      module,
      cache,
      parts: () => (this.#isNew ? this.#made : undefined),
      done: () => {
        this.#made = undefined;
      },
    });
  }

  #add(part: Part): void {
    if (this.#made !== undefined) append(this.#made, part);
    this.#place(part);
    const { code, relocations } = jumpToSwitches(part, this.#parts.signatures.switchStub);
    relocate(code, relocations, this.offsets, this.#next);
    this.#put(part, code, 0);
  }

  /** All functions, by code that has its own stubs and trampolines. What runs goes on in the code that it has. */
  #addWhole(): void {
    const whole = this.#parts.whole();
    this.#place(whole);
    // What it has is not what compiles here would make: nobody is to have it.
    this.#made = undefined;
    // asks: an object of ours
    this.#put({ ...whole, relocations: NONE }, whole.code, 1);
  }

  /** Where functions of the next piece will be called. */
  #place({ functions }: Pick<Part, 'functions'>): void {
    for (let i = 0; i < typedLength(functions); i += 3) this.offsets[functions[i] as number] = this.#next + (functions[i + 1] as number);
  }

  #put(part: Part, code: Uint8Array, stubs: number): void {
    const { native } = this.#parts;
    // A module without functions has no trampolines.
    if (typedLength(code) === 0) return;
    const { functions, traps, calls, scopes } = part;
    const before = typedLength(this.inlined);
    // What is kept, or is a file's, stays as it is.
    const moves = before > 0 && typedLength(part.inlined) > 0;
    const sources = moves ? copiedIntegers(part.sources) : part.sources;
    const inlined = moves ? copiedIntegers(part.inlined) : part.inlined;
    moveInlined(sources, inlined, before / INLINED_ROW);
    this.#next = native.addCode(this.id, code, functions, traps, sources, calls, inlined, scopes, stubs);
    if (typedLength(inlined) > 0) this.inlined = joinedIntegers(this.inlined, inlined);
  }
}

const NONE = new Integers(0);

function joinedIntegers(first: Int32Array, second: Int32Array): Int32Array {
  const all = new Integers(typedLength(first) + typedLength(second));
  for (let i = 0; i < typedLength(first); i++) all[i] = first[i] as number;
  for (let i = 0; i < typedLength(second); i++) all[typedLength(first) + i] = second[i] as number;
  return all;
}

function copiedIntegers(words: Int32Array): Int32Array {
  return joinedIntegers(words, NONE);
}

/** A thread's code that grows, by its number. */
export class LazyCodes {
  readonly #all = new Dictionary<number, LazyCode>();

  add(code: LazyCode): void {
    mapSet(this.#all, code.id, code);
  }

  /** Hook `makeFunction`. */
  make(code: number, fn: number, ran: boolean): void {
    const found = mapGet(this.#all, code);
    if (found === undefined) throw internal(`code ${code} does not grow`);
    found.make(fn, ran);
  }

  /** Drops what a collection has freed. */
  forget(codes: readonly number[]): void {
    for (let i = 0; i < codes.length; i++) {
      const code = codes[i] as number;
      mapGet(this.#all, code)?.forget();
      mapDelete(this.#all, code);
    }
  }
}

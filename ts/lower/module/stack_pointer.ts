/**
 * The global that C, C++ and Rust keep their stack pointer in: locals whose address is taken lie in linear memory, on a _shadow stack_ below it. Modules need not
 * say which global that is, so it is looked for.
 */
import type { ModuleDescription, ValueType } from '../../validate/description.js';
import { abstractHeap, HEAP, isReference } from '../../validate/registry.js';
import { someValue, typeCount } from '../../validate/type_words.js';
import { OP, operatorEnd } from '../program/stream.js';
import { hasContinuations } from '../program/types.js';
import { usesAsyncify } from './asyncify.js';
import { usesFibers } from './experiments.js';
import { indexSpaces } from './spaces.js';
import { findStackHelpers, type StackHelpers } from './stack_helpers.js';

/**
 * How to find it. `null` looks for it, unless the module switches stacks by instructions of its own and so manages its shadow stacks itself; `true` looks for it in
 * any module, `false` in none; a number is the global's index, a string its export or name.
 */
export type StackPointerChoice = number | string | boolean | null;

/** What was found. */
export type StackPointer =
  /** No global is used as one. */
  | { readonly kind: 'none' }
  /** `by` says how: the option, an export, import or name `__stack_pointer`, or what functions begin with. */
  | {
      readonly kind: 'found';
      readonly global: number;
      readonly by: 'option' | 'export' | 'import' | 'name' | 'prologues';
      readonly helpers: StackHelpers;
    }
  /** Functions use each of these as one. */
  | { readonly kind: 'ambiguous'; readonly globals: readonly number[] }
  /** The program moves it itself where it goes from one of its stacks to another (`asyncify.ts`). */
  | { readonly kind: 'own' };

/** The option names no mutable global of the addresses' type of the module. */
export class WrongStackPointer extends Error {}

const NAME = '__stack_pointer';
const I32 = 0x7f;
const I64 = 0x7e;
const NONE = { kind: 'none' } as const;
/** Frames are multiples of this in every ABI that has a shadow stack. */
const ALIGNMENT = 16;
/** Operators of a function that are looked at. */
const PROLOGUE = 48;
/** Bytes of a function in which the first read of the pointer stands. */
const PROLOGUE_BYTES = 64;

/** Looks for the stack pointer. `operators` gives the stream of a defined function. Throws {@link WrongStackPointer}. */
export function findStackPointer(
  description: ModuleDescription,
  bytes: Uint8Array,
  operators: (definedIndex: number) => Uint32Array,
  choice: StackPointerChoice,
): StackPointer {
  const found = search(description, bytes, operators, choice);
  return found.kind === 'found' ? { ...found, helpers: findStackHelpers(description, operators) } : found;
}

type Bare = Exclude<StackPointer, { kind: 'found' }> | Found;

function search(
  description: ModuleDescription,
  bytes: Uint8Array,
  operators: (definedIndex: number) => Uint32Array,
  choice: StackPointerChoice,
): Bare {
  if (choice === false) return NONE;
  const candidates = mutableAddresses(description);
  if (usesAsyncify(description)) {
    if (choice !== null)
      throw new WrongStackPointer('the option shadowStack is not for a program that moves its stack pointer itself, by asyncify');
    return candidates.length === 0 ? NONE : { kind: 'own' };
  }
  if (typeof choice === 'number' || typeof choice === 'string') return chosen(description, bytes, candidates, choice);
  if (candidates.length === 0 || (choice === null && hasContinuations(description))) return NONE;
  return byName(description, bytes, candidates, NAME) ?? byPrologues(description, bytes, operators, candidates);
}

/** Indices of the mutable globals that hold addresses of memory 0: i32, or i64 where it has such addresses. */
function mutableAddresses(description: ModuleDescription): readonly number[] {
  const { globals, memories } = indexSpaces(description);
  const address = memories[0]?.memory64 === true ? I64 : I32;
  return globals.flatMap(({ type, mutable }, i) => (type === address && mutable ? [i] : []));
}

function chosen(description: ModuleDescription, bytes: Uint8Array, candidates: readonly number[], choice: number | string): Found {
  const global = typeof choice === 'number' ? choice : (byName(description, bytes, candidates, choice)?.global ?? -1);
  if (!candidates.includes(global)) throw new WrongStackPointer(`the module has no mutable global ${choice} of its addresses' type`);
  return { kind: 'found', global, by: 'option' };
}

type Found = Omit<Extract<StackPointer, { kind: 'found' }>, 'helpers'>;

/** The candidate that is exported, imported or called by a name. */
function byName(description: ModuleDescription, bytes: Uint8Array, candidates: readonly number[], name: string): Found | undefined {
  const exported = description.exports.find((entry) => entry.kind === 'global' && entry.name === name)?.index;
  if (exported !== undefined && candidates.includes(exported)) return { kind: 'found', global: exported, by: 'export' };
  const imported = description.imports.filter((entry) => entry.kind === 'global').findIndex((entry) => entry.name === name);
  if (candidates.includes(imported)) return { kind: 'found', global: imported, by: 'import' };
  const named = globalNames(description, bytes).get(name);
  return named !== undefined && candidates.includes(named) ? { kind: 'found', global: named, by: 'name' } : undefined;
}

/** Reads LEB128 numbers and strings. A damaged custom section is no error of the module: reading stops at its end. */
class SectionReader {
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(
    bytes: Uint8Array,
    start: number,
    readonly end: number,
  ) {
    this.#bytes = bytes;
    this.#at = start;
  }

  get isDone(): boolean {
    return this.#at >= this.end;
  }

  number(): number {
    let value = 0;
    for (let scale = 1; !this.isDone; scale *= 128) {
      const byte = this.#bytes[this.#at++] ?? 0;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
    }
    return value;
  }

  text(): string {
    const length = this.number();
    const start = this.#at;
    this.#at = Math.min(start + length, this.end);
    return new TextDecoder().decode(this.#bytes.subarray(start, this.#at));
  }

  /** The next part, of `length` bytes. */
  part(length: number): SectionReader {
    const start = this.#at;
    this.#at = Math.min(start + length, this.end);
    return new SectionReader(this.#bytes, start, this.#at);
  }
}

/** Subsection of the name section with the names of globals. */
const GLOBAL_NAMES = 7;

/** Indices of globals by their names in the name section. */
function globalNames(description: ModuleDescription, bytes: Uint8Array): ReadonlyMap<string, number> {
  const names = new Map<string, number>();
  for (const [section, start, end] of description.customs) {
    if (section !== 'name') continue;
    const reader = new SectionReader(bytes, start, end);
    while (!reader.isDone) {
      const id = reader.number();
      const part = reader.part(reader.number());
      if (id !== GLOBAL_NAMES) continue;
      for (let count = part.number(); count > 0 && !part.isDone; count--) {
        const index = part.number();
        names.set(part.text(), index);
      }
    }
  }
  return names;
}

/** The only candidate that functions lower and write back when they begin. */
function byPrologues(
  description: ModuleDescription,
  bytes: Uint8Array,
  operators: (definedIndex: number) => Uint32Array,
  candidates: readonly number[],
): Bare {
  const lowered = new Set<number>();
  const { bodies, functions } = description;
  // The first function that lowers the only candidate decides.
  for (let i = 0; i < functions.length && lowered.size < candidates.length; i++) {
    const start = bodies[2 * i] ?? 0;
    // Decoded only where the bytes could hold what matters.
    if (!bytes.subarray(start, Math.min(start + PROLOGUE_BYTES, bodies[2 * i + 1] ?? 0)).includes(OP.globalGet)) continue;
    for (const global of loweredGlobals(operators(i))) if (candidates.includes(global)) lowered.add(global);
  }
  const globals = [...lowered].sort((a, b) => a - b);
  const [global] = globals;
  if (global === undefined) return NONE;
  return globals.length === 1 ? { kind: 'found', global, by: 'prologues' } : { kind: 'ambiguous', globals };
}

/** What is known of a value: a constant, or what a global held when the function began, perhaps lowered by whole frames. */
type Known =
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'pointer'; readonly global: number; readonly lowered: boolean };

/** The globals that a function sets, among its first operators, to what they held less a constant multiple of the alignment. */
export function loweredGlobals(ops: Uint32Array): readonly number[] {
  const found: number[] = [];
  const locals = new Map<number, Known | undefined>();
  // Above a bottom of values that nothing is known of.
  let stack: (Known | undefined)[] = [];
  const runs = ops[0] ?? 0;
  for (let at = 1 + 2 * runs, seen = 0; at < ops.length && seen < PROLOGUE; at = operatorEnd(ops, at), seen++) {
    const opcode = ops[at] ?? 0;
    const immediate = ops[at + 2] ?? 0;
    switch (opcode) {
      case OP.globalGet:
        stack.push({ kind: 'pointer', global: immediate, lowered: false });
        break;
      case OP.i32Const:
        stack.push({ kind: 'constant', value: immediate | 0 });
        break;
      case OP.localGet:
        stack.push(locals.get(immediate));
        break;
      case OP.localSet:
        locals.set(immediate, stack.pop());
        break;
      case OP.localTee:
        locals.set(immediate, stack.at(-1));
        break;
      case OP.i64Const:
        stack.push({ kind: 'constant', value: immediate | 0 });
        break;
      case I64_ADD:
      case I64_SUB:
      case I64_AND:
      case I32_ADD:
      case I32_SUB:
      case I32_AND: {
        const right = stack.pop();
        const left = stack.pop();
        stack.push(combined(opcode >= I64_ADD ? opcode - I64_ADD + I32_ADD : opcode, left, right));
        break;
      }
      case OP.globalSet: {
        const value = stack.pop();
        if (value?.kind === 'pointer' && value.global === immediate && value.lowered) found.push(immediate);
        break;
      }
      default:
        stack = [];
    }
  }
  return found;
}

const I32_ADD = 0x6a;
const I32_SUB = 0x6b;
const I32_AND = 0x71;
const I64_ADD = 0x7c;
const I64_SUB = 0x7d;
const I64_AND = 0x83;

/** A frame's size is taken off, or the pointer is aligned for locals that need more than the ABI gives. */
function combined(opcode: number, left: Known | undefined, right: Known | undefined): Known | undefined {
  if (left?.kind !== 'pointer' || right?.kind !== 'constant') return undefined;
  if (opcode === I32_AND) return right.value < 0 ? left : undefined;
  const down = opcode === I32_SUB ? right.value : -right.value;
  return down > 0 && down % ALIGNMENT === 0 ? { ...left, lowered: true } : undefined;
}

/**
 * Whether the pointer of every instance's shadow stack is checked, whatever it imports: the module switches stacks itself, or others may give it functions that wait when it
 * is compiled and linked already, by a table that it exports or as values.
 */
export function alwaysChecksStack(description: ModuleDescription): boolean {
  return (
    usesFibers(description) ||
    hasContinuations(description) ||
    description.exports.some(({ kind }) => kind === 'table') ||
    takesFunctions(description)
  );
}

/** What a module's code does about its shadow stack. */
export interface ShadowCode {
  /** Index of the global that is a stack pointer whose values are checked; -1 for none. */
  readonly checkedPointer: number;
  /**
   * The instructions that switch stacks move the pointers: those of a module that has such instructions are only looked for where the option asks for that ({@link StackPointerChoice}).
   * Where several globals may be the pointer nothing moves, but that too many continuations are under way is noticed.
   */
  readonly movesShadow: boolean;
}

/** What to do about the pointer that was found; `waits` says that calls may wait by what the instance imports. */
export function shadowCode(description: ModuleDescription, pointer: StackPointer, waits: boolean): ShadowCode {
  const checks = pointer.kind === 'found' && (waits || alwaysChecksStack(description));
  return {
    checkedPointer: checks ? pointer.global : -1,
    movesShadow: pointer.kind !== 'none' && pointer.kind !== 'own' && hasContinuations(description),
  };
}

/** Whether a value of a type may be a function, or hold one. */
const mayBeFunction = (type: ValueType): boolean => isReference(type) && abstractHeap(type) !== HEAP.extern;

/** Whether functions come to a module as values: as arguments or results of anything, or in globals. */
function takesFunctions(description: ModuleDescription): boolean {
  const { types } = description;
  for (let i = 0; i < typeCount(types); i++) if (someValue(types, i, mayBeFunction)) return true;
  return indexSpaces(description).globals.some(({ type }) => mayBeFunction(type));
}

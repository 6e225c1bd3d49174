/**
 * Modules that suspend calls by the imports `start_unwind`, `stop_unwind`, `start_rewind`, `stop_rewind` of `asyncify`, as TinyGo's goroutines do (docs/go.md). They
 * are written for Binaryen's pass Asyncify, which rewrites the functions in between; here those are not changed, and run on fibers.
 */
import { every, hasOwn, some } from '../../base/intrinsics.js';
import type { ModuleDescription } from '../../validate/description.js';
import { OP, operatorEnd } from '../program/stream.js';
import { indexSpaces } from './spaces.js';
import { OUTWARD } from './stack_helpers.js';

/** The module that they are imported from. */
export const ASYNCIFY_MODULE = 'asyncify';

/** Names of the imports: which of the two kinds of functions of a program's runtime call each. */
const SIDES = { start_unwind: 'top', stop_rewind: 'top', stop_unwind: 'bottom', start_rewind: 'bottom' } as const;

/** The import's name, where it is one of the four. */
export function asyncifyName(entry: { readonly module: string; readonly name: string }): keyof typeof SIDES | undefined {
  return entry.module === ASYNCIFY_MODULE && hasOwn(SIDES, entry.name) ? (entry.name as keyof typeof SIDES) : undefined;
}

/** Whether a module imports some of them, as functions. */
export function usesAsyncify({ imports }: ModuleDescription): boolean {
  return some(imports, (entry) => entry.kind === 'func' && asyncifyName(entry) !== undefined);
}

/**
 * What a function is to Binaryen's pass, which leaves alone the functions of a program's runtime: those at the top of what is suspended, and those at its bottom.
 * Functions between are `plain`.
 */
export type Role = 'plain' | 'top' | 'bottom';

/** How a function of the runtime calls another function. */
export type AsyncifyCall =
  /** As always. */
  | 'plain'
  /** One at the top: what suspends is not suspended there, since this one is not. */
  | 'bare'
  /** On a fiber that it, or what it calls, may suspend. */
  | 'fiber';

/** A function is at the top and at the bottom. */
export class MixedRoles extends Error {
  constructor(readonly index: number) {
    super(
      `function ${index}, which both suspends (by asyncify.start_unwind or stop_rewind) and goes on with what is suspended (by stop_unwind or start_rewind; in C, __attribute__((noinline)) keeps the two apart),`,
    );
    this.name = 'MixedRoles';
  }
}

/** What one function's own operators say. */
interface Seen {
  readonly role: Role;
  readonly outward: boolean;
  readonly calls: ReadonlySet<number>;
}

/** The functions of one module. What they are follows from the module alone, so every thread finds the same. */
export class AsyncifyPlan {
  readonly #operators: (definedIndex: number) => Uint32Array;
  readonly #defined: number;
  readonly #imports: (keyof typeof SIDES | undefined)[] = [];
  readonly #seen = new Map<number, Seen>();
  readonly #suspends = new Map<number, boolean>();

  /** `operators` gives the stream of a defined function. */
  constructor(description: ModuleDescription, operators: (definedIndex: number) => Uint32Array) {
    this.#operators = operators;
    this.#defined = description.functions.length;
    for (const entry of description.imports) if (entry.kind === 'func') this.#imports.push(asyncifyName(entry));
  }

  /** What a function of this index is. Throws {@link MixedRoles}. */
  role(index: number): Role {
    return index < this.#imports.length ? 'plain' : this.#look(index).role;
  }

  /** Whether there is a function that is at the top and at the bottom. Looks at all. */
  mixesRoles(): boolean {
    try {
      for (let i = 0; i < this.#defined; i++) this.role(this.#imports.length + i);
      return false;
    } catch (error) {
      if (error instanceof MixedRoles) return true;
      throw error;
    }
  }

  /** How one with another role than `plain` calls the function of an index. */
  call(caller: Role, index: number): AsyncifyCall {
    if (index < this.#imports.length) return 'plain';
    const role = this.role(index);
    if (role === 'top') return 'bare';
    return caller === 'bottom' && role === 'plain' && this.#maySuspend(index) ? 'fiber' : 'plain';
  }

  #look(index: number): Seen {
    const known = this.#seen.get(index);
    if (known !== undefined) return known;
    const ops = this.#operators(index - this.#imports.length);
    const calls = new Set<number>();
    const sides = new Set<'top' | 'bottom'>();
    let outward = false;
    for (let at = 1 + 2 * (ops[0] ?? 0); at < ops.length; at = operatorEnd(ops, at)) {
      const opcode = ops[at] ?? 0;
      if (OUTWARD.has(opcode)) outward = true;
      if (opcode !== OP.call && opcode !== OP.returnCall) continue;
      const callee = ops[at + 2] ?? 0;
      const name = this.#imports[callee];
      if (name === undefined) calls.add(callee);
      else sides.add(SIDES[name]);
    }
    if (sides.size === 2) throw new MixedRoles(index);
    const role: Role = sides.has('top') ? 'top' : sides.has('bottom') ? 'bottom' : 'plain';
    const seen: Seen = { role, outward, calls };
    this.#seen.set(index, seen);
    return seen;
  }

  /** Whether something may suspend in a call of the function, as far as the code tells: other modules' functions may call back. */
  #maySuspend(first: number): boolean {
    const known = this.#suspends.get(first);
    if (known !== undefined) return known;
    const reached = new Set([first]);
    let found = false;
    for (const index of reached) {
      found = index < this.#imports.length;
      if (found) break;
      const { role, outward, calls } = this.#look(index);
      // What suspends below one at the bottom is that one's affair.
      if (role === 'bottom') continue;
      found = role === 'top' || outward;
      if (found) break;
      for (const callee of calls) reached.add(callee);
    }
    this.#suspends.set(first, found);
    return found;
  }
}

const I32 = 0x7f;
const I64 = 0x7e;

/** What the two imports that take a buffer take: an address of memory 0; undefined where there is no memory. */
export function bufferType(description: ModuleDescription): number | undefined {
  const memory = indexSpaces(description).memories[0];
  if (memory === undefined) return undefined;
  return memory.memory64 ? I64 : I32;
}

/** Whether an import's type is what it should be. */
export function fitsAsyncify(
  description: ModuleDescription,
  name: keyof typeof SIDES,
  { params, results }: { readonly params: readonly number[]; readonly results: readonly number[] },
): boolean {
  const buffer = bufferType(description);
  const takes = name === 'start_unwind' || name === 'start_rewind' ? 1 : 0;
  return buffer !== undefined && results.length === 0 && params.length === takes && every(params, (type) => type === buffer);
}

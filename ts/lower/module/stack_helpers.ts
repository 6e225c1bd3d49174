/**
 * What a module exports that helps with its shadow stack: Emscripten's functions of the stack's ends, and an allocator.
 */
import type { ModuleDescription } from '../../validate/description.js';
import { typeAt } from '../../validate/type_words.js';
import { OP, operatorEnd } from '../program/stream.js';
import { indexSpaces } from './spaces.js';

/** Functions and globals by their indices; absent where there are none. */
export interface StackHelpers {
  /** Gives the lowest address of the stack, once the program has set it. */
  readonly end?: number;
  /** The globals that hold the highest and the lowest address, as `emscripten_stack_set_limits` sets them. */
  readonly limits?: { readonly base: number; readonly end: number };
  /** `malloc` and `free`, where nothing can wait inside them but what they import: they reach no function that is not known. */
  readonly allocate?: number;
  readonly free?: number;
  /** The imports that these reach. */
  readonly asks?: readonly number[];
}

const I32 = 0x7f;
const I64 = 0x7e;

/** Finds them. `operators` gives the stream of a defined function. */
export function findStackHelpers(description: ModuleDescription, operators: (definedIndex: number) => Uint32Array): StackHelpers {
  const spaces = indexSpaces(description);
  const address = spaces.memories[0]?.memory64 === true ? I64 : I32;
  /** The index of an exported function of the module's own, of so many addresses to so many. */
  const exported = (name: string, params: number, results: number): number | undefined => {
    const index = description.exports.find((entry) => entry.kind === 'func' && entry.name === name)?.index;
    if (index === undefined || index < spaces.importedFunctions) return undefined;
    const type = typeAt(description.types, spaces.functions[index] ?? -1);
    if (type?.kind !== 'func' || type.params.length !== params || type.results.length !== results) return undefined;
    return [...type.params, ...type.results].every((value) => value === address) ? index : undefined;
  };
  const stream = (index: number): Uint32Array => operators(index - spaces.importedFunctions);
  const end = exported('emscripten_stack_get_end', 0, 1);
  const setter = exported('emscripten_stack_set_limits', 2, 0);
  const limits = setter === undefined ? undefined : limitGlobals(stream(setter));
  const allocate = exported('malloc', 1, 1);
  const free = exported('free', 1, 0);
  const asks = allocate === undefined || free === undefined ? undefined : importsOf([allocate, free], spaces.importedFunctions, stream);
  const allocator = allocate !== undefined &&
    free !== undefined &&
    asks !== undefined && { allocate, free, ...(asks.length > 0 && { asks }) };
  return { ...(end !== undefined && { end }), ...(limits !== undefined && { limits }), ...allocator };
}

/** The globals that a function of two params sets to the first and the second, where it does nothing else. */
function limitGlobals(ops: Uint32Array): { readonly base: number; readonly end: number } | undefined {
  const wanted: readonly [number, number?][] = [[OP.localGet, 0], [OP.globalSet], [OP.localGet, 1], [OP.globalSet], [OP.end]];
  const set: number[] = [];
  let at = 1 + 2 * (ops[0] ?? 0);
  for (const [opcode, immediate] of wanted) {
    if (ops[at] !== opcode || (immediate !== undefined && ops[at + 2] !== immediate)) return undefined;
    if (opcode === OP.globalSet) set.push(ops[at + 2] ?? 0);
    at = operatorEnd(ops, at);
  }
  const [base, end] = set;
  return base === undefined || end === undefined ? undefined : { base, end };
}

/** So many functions are looked at: an allocator has fewer. */
const MOST_FUNCTIONS = 256;

/** What calls functions that are not known from the code, and what leaves the stack. */
export const OUTWARD: ReadonlySet<number> = new Set([
  OP.callIndirect,
  OP.returnCallIndirect,
  OP.callRef,
  OP.returnCallRef,
  OP.suspend,
  OP.resume,
  OP.resumeThrow,
  OP.resumeThrowRef,
  OP.switch,
]);

/** The imports that functions reach by direct calls; undefined where they reach what is not known. */
function importsOf(roots: readonly number[], imported: number, stream: (index: number) => Uint32Array): readonly number[] | undefined {
  const seen = new Set(roots);
  for (const index of seen) {
    if (seen.size > MOST_FUNCTIONS) return undefined;
    if (index < imported) continue;
    const ops = stream(index);
    for (let at = 1 + 2 * (ops[0] ?? 0); at < ops.length; at = operatorEnd(ops, at)) {
      const opcode = ops[at] ?? 0;
      if (OUTWARD.has(opcode)) return undefined;
      if (opcode === OP.call || opcode === OP.returnCall) seen.add(ops[at + 2] ?? 0);
    }
  }
  return [...seen].filter((index) => index < imported);
}

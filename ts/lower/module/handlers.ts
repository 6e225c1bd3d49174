/**
 * Handler lists: the `on` clauses of resume instructions. Each distinct list of a module has one `VMHandlers` block in every instance, and the
 * code of a resume holds the block's offset. So the lists are collected before any function is lowered, in the order of the functions: then
 * every worker that lowers a part of the module computes the same layout.
 */
import {
  append,
  Dictionary,
  each,
  joined,
  joinedLists,
  mapHas,
  mapped,
  mapSet,
  mapValues,
  some,
  subBytes,
  typedLength,
} from '../../base/intrinsics.js';
import type { ModuleDescription } from '../../validate/description.js';
import { OP, operatorEnd } from '../program/stream.js';
import { hasContinuations } from '../program/types.js';
import { experimentsOf } from './experiments.js';

/** The clauses of one resume, without their labels. */
export interface HandlerList {
  /** Tags of the `(on $tag $label)` clauses, in order. */
  readonly labels: readonly number[];
  /** Tags of the `(on $tag switch)` clauses, in order. */
  readonly switches: readonly number[];
  /** No suspension crosses this list: the search for a handler ends here. */
  readonly barrier?: true;
}

/** One `(on $tag $label)` clause. */
export interface LabelClause {
  readonly tag: number;
  readonly depth: number;
}

/** The list of a module's start: no clause at all. Entry fibers have one too. */
export const NO_HANDLERS: HandlerList = { labels: [], switches: [] };
/** The list of the experiment `barrier`. */
export const BARRIER: HandlerList = { labels: [], switches: [], barrier: true };

/** What makes two lists equal. */
export function handlerKey(list: HandlerList): string {
  return `${joined(list.labels, ',')}|${joined(list.switches, ',')}${list.barrier === true ? '!' : ''}`;
}

/** Words before the clause count in the immediates of a resume operator, or -1 for other operators. */
function wordsBeforeClauses(opcode: number): number {
  if (opcode === OP.resume || opcode === OP.resumeThrowRef) return 1;
  return opcode === OP.resumeThrow ? 2 : -1;
}

/** Reads `[n, (kind, tag, depth)*]` at `at` in an operator stream. */
export function readClauses(
  ops: Uint32Array,
  at: number,
): { readonly list: HandlerList; readonly clauses: LabelClause[]; readonly end: number } {
  const clauses: LabelClause[] = [];
  const switches: number[] = [];
  const end = at + 1 + 3 * (ops[at] as number);
  for (let i = at + 1; i < end; i += 3) {
    const tag = ops[i + 1] as number;
    if (ops[i] === 0) append(clauses, { tag, depth: ops[i + 2] as number });
    else append(switches, tag);
  }
  return { list: { labels: mapped(clauses, (clause) => clause.tag), switches }, clauses, end };
}

/** Adds the handler lists of a function, given by its operator stream, to those that were found. */
function addHandlers(found: Map<string, HandlerList>, ops: Uint32Array): void {
  const size = typedLength(ops);
  let at = 1 + 2 * (ops[0] as number);
  while (at < size) {
    const before = wordsBeforeClauses(ops[at] as number);
    if (before >= 0) {
      const { list } = readClauses(ops, at + 2 + before);
      const key = handlerKey(list);
      if (!mapHas(found, key)) mapSet(found, key, list);
    }
    at = operatorEnd(ops, at);
  }
}

/** Every distinct handler list of some functions, in order of first appearance. `streams` are operator streams. */
export function collectHandlers(streams: readonly Uint32Array[]): HandlerList[] {
  const found = new Dictionary<string, HandlerList>();
  each(streams, (ops) => addHandlers(found, ops));
  return mapValues(found);
}

/** Whether a function body's bytes can hold a resume operator: a filter, so that only few functions are decoded twice. */
export function mayResume(body: Uint8Array): boolean {
  const size = typedLength(body);
  for (let i = 0; i < size; i++) {
    const byte = body[i];
    if (byte === OP.resume || byte === OP.resumeThrow || byte === OP.resumeThrowRef) return true;
  }
  return false;
}

/** The lists that a module has beside those of its functions. */
export function extraHandlers(description: ModuleDescription): HandlerList[] {
  return some(experimentsOf(description), ({ name }) => name === 'barrier') ? [BARRIER] : [];
}

/**
 * The handler lists of a module. Nothing is decoded where the module has no continuation type; else the functions whose bytes could hold a resume.
 * `bytes` is the module, `operators` gives the stream of a defined function.
 */
export function moduleHandlers(
  description: ModuleDescription,
  bytes: Uint8Array,
  operators: (definedIndex: number) => Uint32Array,
): HandlerList[] {
  const extra = extraHandlers(description);
  if (!hasContinuations(description)) return extra;
  const { bodies } = description;
  const found = new Dictionary<string, HandlerList>();
  const count = typedLength(description.functions);
  for (let i = 0; i < count; i++) {
    if (mayResume(subBytes(bytes, bodies[2 * i] as number, bodies[2 * i + 1]))) addHandlers(found, operators(i));
  }
  return joinedLists(mapValues(found), extra);
}

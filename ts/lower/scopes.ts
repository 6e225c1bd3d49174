/**
 * Scopes: what catches the exceptions that a call throws. A try has one, which names the scope around it; each call has a single edge, to the dispatch block of
 * its innermost scope. C++ searches the scopes in a table before anything is unwound; the dispatch block then branches to the clause that was found, or to the
 * dispatch block of the scope around. So n calls in n nested tries have n edges, not n times n.
 */
import { VMException } from '../generated/abi.js';
import { INTEGER, MEMORY, TYPE } from '../generated/clif.js';
import type { CatchClause, Frame } from './frame.js';
import type { FunctionLowering } from './function.js';
import { type Block, NONE, type Value } from './program.js';

/** The clauses of a try, in a function. */
export interface Scope {
  /** First to last, up to the first that catches everything. */
  readonly clauses: readonly CatchClause[];
  /** Where the search goes on; undefined where it ends. */
  readonly outer: Scope | undefined;
  /** Where its words begin in the function's table. */
  readonly row: number;
  /** Where calls inside go on with an exception; -1 until one needs it. */
  dispatch: Block;
}

/** Row of no scope. */
const NO_ROW = -1;
/** In the place of a tag: everything is caught. */
const EVERYTHING = -1;

/** The scopes of a function: its table `[row of the scope around or -1, n, (offset of the tag in the context, or -1 for everything)*n]*`. */
export class Scopes {
  readonly #words: number[] = [];

  /** A new scope; `tagOffset` is where the context has a tag. */
  open(all: readonly CatchClause[], around: Scope | undefined, tagOffset: (tag: number) => number): Scope {
    const last = all.findIndex(({ tag }) => tag < 0);
    const clauses = last < 0 ? all : all.slice(0, last + 1);
    const outer = last < 0 ? around : undefined;
    const row = this.#words.length;
    this.#words.push(outer?.row ?? NO_ROW, clauses.length);
    for (const { tag } of clauses) this.#words.push(tag < 0 ? EVERYTHING : tagOffset(tag));
    return { clauses, outer, row, dispatch: -1 };
  }

  /** The table's words. */
  table(): Int32Array {
    return Int32Array.from(this.#words);
  }
}

/** Moves the rows that a table of `scopes` names behind `before` words of other tables. */
export function moveScopes(scopes: Int32Array, before: number): void {
  for (let at = 0; at < scopes.length; at += 2 + (scopes[at + 1] as number)) {
    const outer = scopes[at] as number;
    if (outer !== NO_ROW) scopes[at] = outer + before;
  }
}

/** From here on the clauses catch what calls in the frame, which is the innermost, throw. */
export function openScope(f: FunctionLowering, frame: Frame, clauses: readonly CatchClause[]): void {
  frame.scope = f.scopes.open(clauses, frame.scope, (tag) => f.context.layout.tags.at(tag));
}

/** The frame's clauses catch nothing more. Returns their scope. */
export function closeScope(f: FunctionLowering, frame: Frame): Scope | undefined {
  const { scope } = frame;
  frame.scope = f.frames.at(-2)?.scope;
  return scope;
}

/** The block that calls in a scope go on at with an exception. */
export function dispatchBlock(f: FunctionLowering, scope: Scope): Block {
  if (scope.dispatch < 0) scope.dispatch = f.program.block([TYPE.I64], true);
  return scope.dispatch;
}

/**
 * The code of a scope's dispatch block; nothing branches to it after this. It gives the clauses their blocks. Returns the exception. What C++ has found catches it
 * for certain, so what could be found last needs no comparison.
 */
export function emitDispatch(f: FunctionLowering, scope: Scope): Value {
  const { program } = f;
  const exception = f.follow(dispatchBlock(f, scope), 1);
  const tests = scope.outer === undefined ? scope.clauses.slice(0, -1) : scope.clauses;
  f.aside(() => {
    const tag = tests.length === 0 ? -1 : program.load(TYPE.I64, MEMORY.trusted, exception, VMException.tag);
    for (const clause of tests) {
      const next = program.block(NONE, true);
      clause.block = program.block(NONE, true);
      const same = program.icmp(INTEGER.eq, tag, f.pointer(f.context.layout.tags.at(clause.tag)));
      program.brif(same, clause.block, NONE, next, NONE);
      f.follow(next);
    }
  });
  const last = scope.clauses[tests.length];
  if (last !== undefined) {
    last.block = program.block(NONE, true);
    program.jump(last.block);
  } else if (scope.outer !== undefined) {
    program.jump(dispatchBlock(f, scope.outer), [exception]);
  }
  return exception;
}

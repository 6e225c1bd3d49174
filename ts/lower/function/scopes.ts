/**
 * Scopes: what catches the exceptions that a call throws. A try has one, which names the scope around it; each call has a single edge, to the dispatch block of
 * its innermost scope. C++ searches the scopes in a table before anything is unwound; the dispatch block then branches to the clause that was found, or to the
 * dispatch block of the scope around. So n calls in n nested tries have n edges, not n times n.
 */
import { TYPE } from '../../generated/clif.js';
import type { Block, Program } from '../program/program.js';
import type { CatchClause, Scope } from './frame.js';

/** Row of no scope. */
const NO_ROW = -1;
/** In the place of a tag: everything is caught. */
const EVERYTHING = -1;
/** The same, where the context is the address of a VMInvoked instead. */
const INVOKED = -2;

/** The scopes of a program's functions: their table `[row of the scope around or -1, n, (offset of the tag in the context, or -1 for everything, or -2)*n]*`. */
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

  /** The row of a scope of its own for calls in the stead of an import `invoke_…`. */
  openInvoked(): number {
    const row = this.#words.length;
    this.#words.push(NO_ROW, 1, INVOKED);
    return row;
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

/** The block that calls in a scope go on at with an exception. */
export function dispatchBlock(program: Program, scope: Scope): Block {
  if (scope.dispatch < 0) scope.dispatch = program.block([TYPE.I64], true);
  return scope.dispatch;
}

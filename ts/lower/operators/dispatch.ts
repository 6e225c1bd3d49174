/**
 * Where a try's scope begins and ends in the code, and the code that an exception comes to (function/scopes.ts).
 */
import { VMException } from '../../generated/abi.js';
import { INTEGER, MEMORY, TYPE } from '../../generated/clif.js';
import type { CatchClause, Frame, Scope } from '../function/frame.js';
import type { FunctionLowering } from '../function/function.js';
import { dispatchBlock } from '../function/scopes.js';
import { NONE, type Value } from '../program/program.js';

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

/**
 * The code of a scope's dispatch block; nothing branches to it after this. It gives the clauses their blocks. Returns the exception. What C++ has found catches it
 * for certain, so what could be found last needs no comparison.
 */
export function emitDispatch(f: FunctionLowering, scope: Scope): Value {
  const { program } = f;
  const exception = f.follow(dispatchBlock(program, scope), 1);
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
    program.jump(dispatchBlock(program, scope.outer), [exception]);
  }
  return exception;
}

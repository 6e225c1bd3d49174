/**
 * Control frames.
 */
import type { Block, Value } from '../program/program.js';
import type { FunctionShape } from '../program/types.js';

/** What opened a frame; `inlined` is the body of a function that was called; `aside` frames hold what only one path of an operator's code makes. */
export type FrameKind = 'function' | 'inlined' | 'block' | 'loop' | 'if' | 'try' | 'legacy' | 'aside';

/** A catch clause of a try_table or a legacy try. */
export interface CatchClause {
  /** Tag index, -1 for the clauses that catch everything. */
  readonly tag: number;
  /** Type of the tag; undefined for the clauses that catch everything. */
  readonly shape: FunctionShape | undefined;
  /** Whether the exception itself goes to the label, after its values; of a legacy try: whether it is rethrown. */
  readonly reference: boolean;
  /** The frame that the clause branches to; of a legacy try: its own. */
  readonly target: Frame;
  /** Where the clause begins, once the dispatch of its scope is made; -1 where nothing can come there. */
  block: Block;
}

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

/** One block, loop, if, try_table or legacy try that is open, the function, or one that is inlined. */
export class Frame {
  /** Where a branch to the frame goes; -1 until one needs it. */
  label: Block = -1;
  /** Of an `if`: the block of the other arm, until it is placed; else -1. */
  otherwise: Block = -1;
  /** Of an `if`: its params, for the other arm. */
  params: readonly Value[] = [];
  /** What catches exceptions in it; undefined where nothing does. */
  scope: Scope | undefined = undefined;
  /** Of a legacy try: the clauses whose code is still to come. */
  arms: CatchClause[] = [];
  /** Of a legacy try: the exception that the current arm has caught; -1 in the body. */
  exception: Value = -1;
  /** Keys of the values made in this frame. */
  readonly shared: number[] = [];

  constructor(
    readonly kind: FrameKind,
    /** Operands below the frame's params. */
    readonly height: number,
    /** CLIF types that a branch to the frame takes: a loop's params, else the results. */
    readonly branch: readonly number[],
    /** CLIF types of the results. */
    readonly results: readonly number[],
  ) {}
}

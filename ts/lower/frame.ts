/**
 * Control frames.
 */
import type { Block, Value } from './program.js';

/** What opened a frame; `aside` frames hold what only one path of an operator's code makes. */
export type FrameKind = 'function' | 'block' | 'loop' | 'if' | 'aside';

/** One block, loop or if that is open, or the function. */
export class Frame {
  /** Where a branch to the frame goes; -1 until one needs it. */
  label: Block = -1;
  /** Of an `if`: the block of the other arm, until it is placed; else -1. */
  otherwise: Block = -1;
  /** Of an `if`: its params, for the other arm. */
  params: readonly Value[] = [];
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

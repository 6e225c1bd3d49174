/** A picture of fibers, and what stands in it. */
import type { FiberInfo, FiberTree } from '../../instance/inspect.js';

/** What is drawn. */
export interface Picture {
  /** When it was taken, such as `at the end`. */
  readonly moment: string;
  readonly tree: FiberTree;
  /** Rows that are drawn at most; all unless given. */
  readonly most?: number;
}

/** One place in a picture. */
export interface Row {
  /** The fibers that are there: one, or some that are alike in all but their numbers, tasks and bytes, as are those that wait for them and those below. */
  readonly fibers: readonly [FiberInfo, ...FiberInfo[]];
  /** How many fibers wait for each, one behind the other. */
  readonly depth: number;
  /** Index of the row of those that wait for it; undefined where none does. */
  readonly above: number | undefined;
}

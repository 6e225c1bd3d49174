/** The rows of a picture of fibers: each below the one that waits for it. */
import type { FiberInfo, FiberTree } from '../../instance/inspect.js';

/** What is drawn. */
export interface Picture {
  /** When it was taken, such as `at the end`. */
  readonly moment: string;
  readonly tree: FiberTree;
}

/** One fiber's place in a picture. */
export interface Row {
  readonly fiber: FiberInfo;
  /** How many fibers wait for it, one behind the other. */
  readonly depth: number;
  /** Index of the row of the one that waits for it; undefined where none does. */
  readonly above: number | undefined;
}

/** Fibers by the one that waits for them; 0 has those for which none does, or none that is listed. */
function byParent(fibers: readonly FiberInfo[]): ReadonlyMap<number, readonly FiberInfo[]> {
  const listed = new Set(fibers.map((fiber) => fiber.id));
  const groups = new Map<number, FiberInfo[]>();
  for (const fiber of fibers) {
    const parent = listed.has(fiber.parent) ? fiber.parent : 0;
    const group = groups.get(parent);
    if (group === undefined) groups.set(parent, [fiber]);
    else group.push(fiber);
  }
  return groups;
}

/** The rows in the order in which they are drawn. A chain may be as long as a thread has fibers, so nothing here recurs. */
export function rowsOf({ fibers }: FiberTree): readonly Row[] {
  const groups = byParent(fibers);
  const rows: Row[] = [];
  const open: Row[] = (groups.get(0) ?? []).map((fiber) => ({ fiber, depth: 0, above: undefined })).reverse();
  for (let row = open.pop(); row !== undefined; row = open.pop()) {
    const above = rows.push(row) - 1;
    // Fresh fibers have no number, and nothing below them.
    const below = row.fiber.id === 0 ? [] : (groups.get(row.fiber.id) ?? []);
    for (const fiber of [...below].reverse()) open.push({ fiber, depth: row.depth + 1, above });
  }
  return rows;
}

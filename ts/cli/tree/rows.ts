/** The rows of a picture of fibers: each below the one that waits for it. Fibers that are alike are one row. */
import type { FiberInfo, FiberTree } from '../../instance/inspect.js';
import type { Picture, Row } from './picture.js';
import { stateOf, whereOf } from './words.js';

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

/** The fibers that wait for nobody but the host, and what is below each. */
class Forest {
  readonly #groups: ReadonlyMap<number, readonly FiberInfo[]>;
  readonly #likes = new Map<FiberInfo, number>();

  constructor(fibers: readonly FiberInfo[]) {
    this.#groups = byParent(fibers);
    this.#compare();
  }

  get roots(): readonly FiberInfo[] {
    return this.#groups.get(0) ?? [];
  }

  /** Fresh fibers have no number, and nothing below them. */
  below(fiber: FiberInfo): readonly FiberInfo[] {
    return fiber.id === 0 ? [] : (this.#groups.get(fiber.id) ?? []);
  }

  /** Fibers that are alike, together, in the order of the first of each. */
  grouped(fibers: readonly FiberInfo[]): readonly [FiberInfo, ...FiberInfo[]][] {
    const groups = new Map<number | undefined, [FiberInfo, ...FiberInfo[]]>();
    for (const fiber of fibers) {
      const like = this.#likes.get(fiber);
      const group = groups.get(like);
      if (group === undefined) groups.set(like, [fiber]);
      else group.push(fiber);
    }
    return [...groups.values()];
  }

  /** Gives each fiber a number, which those that look the same have in common, with all that is below them. A chain may be as long as a thread has fibers, so nothing here recurs. */
  #compare(): void {
    const order: FiberInfo[] = [];
    const open = [...this.roots];
    for (let fiber = open.pop(); fiber !== undefined; fiber = open.pop()) {
      order.push(fiber);
      for (const below of this.below(fiber)) open.push(below);
    }
    const known = new Map<string, number>();
    for (const fiber of order.reverse()) {
      const below = this.below(fiber).map((one) => this.#likes.get(one));
      const look = JSON.stringify([fiber.function, stateOf(fiber), whereOf(fiber), below]);
      const like = known.get(look) ?? known.size;
      known.set(look, like);
      this.#likes.set(fiber, like);
    }
  }
}

/** The rows in the order in which they are drawn. */
export function rowsOf({ fibers }: FiberTree): readonly Row[] {
  const forest = new Forest(fibers);
  const rows: Row[] = [];
  const open: Row[] = [...forest.grouped(forest.roots)].reverse().map((group) => ({ fibers: group, depth: 0, above: undefined }));
  for (let row = open.pop(); row !== undefined; row = open.pop()) {
    const above = rows.push(row) - 1;
    const depth = row.depth + 1;
    const below = forest.grouped(row.fibers.flatMap((fiber) => forest.below(fiber)));
    for (const group of [...below].reverse()) open.push({ fibers: group, depth, above });
  }
  return rows;
}

/** The rows that are drawn. */
export function drawnRows({ tree, most = Number.POSITIVE_INFINITY }: Picture): readonly Row[] {
  return rowsOf(tree).slice(0, most);
}

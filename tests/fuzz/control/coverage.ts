/**
 * What programs did: operation x state of the continuation x class of the payload.
 */
import { type ContinuationState, STATES } from './fibers.js';
import { CLASSES, OPERATIONS, type Operation, type PayloadClass } from './payloads.js';

/** Counts by the number of the cell. */
export type Counts = readonly number[];

export interface Cell {
  readonly operation: Operation;
  readonly state: ContinuationState;
  readonly kind: PayloadClass;
}

/** All cells, in the order of their numbers. */
export const CELLS: readonly Cell[] = OPERATIONS.flatMap((operation) =>
  STATES.flatMap((state) => CLASSES.map((kind) => ({ operation, state, kind }))),
);

/** Why nothing can fall into a cell; undefined where something can. */
export function impossible({ operation, state }: Cell): string | undefined {
  if (operation !== 'suspend' || state === 'consumed: running' || state === 'consumed: parent') return undefined;
  return 'a suspend names no continuation: it is the running one (or the parents up to its handler) that is suspended';
}

/** A cell may be this much rarer than it is asked to be hit. */
export const HITS_PER_PROGRAM = 100 / 100_000;

export class Coverage {
  readonly counts: number[] = Array<number>(CELLS.length).fill(0);

  add(operation: Operation, state: ContinuationState, kind: PayloadClass): void {
    const cell = (OPERATIONS.indexOf(operation) * STATES.length + STATES.indexOf(state)) * CLASSES.length + CLASSES.indexOf(kind);
    this.counts[cell] = (this.counts[cell] ?? 0) + 1;
  }

  /** Whether a cell was hit. */
  has(cell: Cell): boolean {
    return (this.counts[CELLS.indexOf(cell)] ?? 0) > 0;
  }

  merge(counts: Counts): void {
    counts.forEach((count, cell) => {
      this.counts[cell] = (this.counts[cell] ?? 0) + count;
    });
  }

  /** One row for each operation and state, with the counts of the classes. */
  table(): string[] {
    const lines = [`${'operation'.padEnd(20)}${'state'.padEnd(42)}${CLASSES.map((kind) => kind.padStart(12)).join('')}`];
    for (let row = 0; row < CELLS.length; row += CLASSES.length) {
      const cell = CELLS[row] as Cell;
      if (impossible(cell) !== undefined) continue;
      const counts = this.counts.slice(row, row + CLASSES.length).map((count) => String(count).padStart(12));
      lines.push(`${cell.operation.padEnd(20)}${cell.state.padEnd(42)}${counts.join('')}`);
    }
    const reasons = new Map<string, number>();
    for (const cell of CELLS) {
      const reason = impossible(cell);
      if (reason !== undefined) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    }
    for (const [reason, count] of reasons) lines.push(`${count} cells cannot be: ${reason}`);
    return lines;
  }

  /** Cells that can be and were hit less than `least` times, and cells that were hit though they cannot be. */
  wrong(least: number): string[] {
    return CELLS.flatMap((cell, number) => {
      const count = this.counts[number] ?? 0;
      const name = `${cell.operation} / ${cell.state} / ${cell.kind}`;
      if (impossible(cell) !== undefined) return count === 0 ? [] : [`${name} cannot be, and was hit ${count} times`];
      return count >= least ? [] : [`${name} was hit ${count} times, not ${least}`];
    });
  }
}

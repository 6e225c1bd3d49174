/**
 * When turns are taken: in batches with a time budget, between which the event loop does everything else.
 */

import { now, queueMicrotask, setImmediate } from '../base/intrinsics.js';

/** Takes turns as long as there are any. */
export class Batches {
  readonly #budget: number;
  readonly #turn: () => boolean;
  /** When the batch of this round of the event loop began. */
  #began = 0;
  /** Whether a round has begun whose end is not reached. */
  #round: NodeJS.Immediate | undefined;
  #queued = false;
  #count = 0;

  /** `turn` takes one turn, where there is one, and says whether there are more; `budget` is in milliseconds. */
  constructor(turn: () => boolean, budget: number) {
    this.#turn = turn;
    this.#budget = budget;
  }

  /** Batches so far. */
  get count(): number {
    return this.#count;
  }

  /** There is a turn to take: it is taken after the JavaScript that runs now, or in the next round where this one's budget is spent. */
  request(): void {
    if (this.#queued) return;
    this.#queued = true;
    if (this.#round === undefined) this.#begin();
    else if (this.#spent()) return; // The next round takes it.
    queueMicrotask(() => this.#run());
  }

  #begin(): void {
    this.#began = now();
    this.#round = setImmediate(() => this.#nextRound());
    this.#count++;
  }

  #spent(): boolean {
    return now() - this.#began >= this.#budget;
  }

  #nextRound(): void {
    this.#round = undefined;
    if (!this.#queued) return;
    this.#begin();
    this.#run();
  }

  /** Where the budget is spent before the turns are, the round that has begun takes the rest. */
  #run(): void {
    while (this.#turn()) {
      if (this.#spent()) return;
    }
    this.#queued = false;
  }
}

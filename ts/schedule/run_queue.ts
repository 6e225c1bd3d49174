/**
 * Whose turn it is: first in, first out within a priority, and turns in proportion between priorities, so that nobody starves.
 */
import { append, item, max, part, setItem, WrongRange } from '../base/intrinsics.js';

/** Priorities are 0 to 7. */
export const PRIORITIES = 8;

/** Entries of one priority, first in, first out. */
class Lane<T> {
  #entries: (T | undefined)[] = [];
  #first = 0;
  /** Grows with each turn, by less where the priority is higher. The lane with the least is next. */
  pass = 0;

  constructor(readonly stride: number) {}

  get length(): number {
    return this.#entries.length - this.#first;
  }

  push(entry: T): void {
    append(this.#entries, entry);
  }

  shift(): T | undefined {
    const entry = this.#entries[this.#first];
    setItem(this.#entries, this.#first++, undefined);
    // Amortised: each entry is moved at most once for each time that the list doubles.
    if (this.#first > 32 && this.#first * 2 > this.#entries.length) {
      this.#entries = part(this.#entries, this.#first);
      this.#first = 0;
    }
    return entry;
  }
}

/** A lane for each priority. */
function lanes<T>(): Lane<T>[] {
  const made: Lane<T>[] = [];
  for (let priority = 0; priority < PRIORITIES; priority++) append(made, new Lane<T>(2 ** (PRIORITIES - 1 - priority)));
  return made;
}

/**
 * A queue with priorities. Where two priorities have entries, the higher one gets twice the turns for each step between them (stride scheduling).
 */
export class RunQueue<T> {
  readonly #lanes = lanes<T>();
  #length = 0;
  /** The pass of the last turn: a lane that was empty does not make up for that time. */
  #now = 0;

  get length(): number {
    return this.#length;
  }

  push(entry: T, priority: number): void {
    const lane = this.#lanes[priority];
    if (lane === undefined) throw new WrongRange(`priority ${priority}`);
    if (lane.length === 0) lane.pass = max(lane.pass, this.#now);
    lane.push(entry);
    this.#length++;
  }

  /** The next entry; undefined when there is none. */
  shift(): T | undefined {
    let next: Lane<T> | undefined;
    for (let i = 0; i < this.#lanes.length; i++) {
      const lane = item(this.#lanes, i);
      // Of equal ones the higher priority, which comes later.
      if (lane.length > 0 && (next === undefined || lane.pass <= next.pass)) next = lane;
    }
    if (next === undefined) return undefined;
    this.#now = next.pass;
    next.pass += next.stride;
    this.#length--;
    return next.shift();
  }
}

/**
 * Many programs on one engine, with some child processes, until the time or the number is reached.
 */
import type { Difference } from './compare.js';
import { expectationOf } from './compare.js';
import { Coverage } from './coverage.js';
import { programOf } from './generator.js';
import type { Program } from './program.js';
import { shrink } from './shrink.js';
import { type EngineCommand, Gone, Worker } from './worker.js';

/** A difference, with the smallest program that shows it. */
export interface Found extends Difference {
  readonly seed: number;
  readonly engine: string;
  readonly program: Program;
}

export interface Limits {
  /** The first seed. */
  readonly first: number;
  readonly programs: number;
  /** By performance.now(). */
  readonly until: number;
  /** Child processes. */
  readonly jobs: number;
}

/** Programs of one module: the more, the more of them share their types' trampolines. */
const BATCH = 100;
/** Batches after which a child makes place for a fresh one: dropped continuations keep their stacks. */
const LIFE = 60;
/** Differences that are made small; more are only counted. */
const MOST_SHRUNK = 3;

/** How a program fails on an engine, in a process of its own. */
async function differenceIn(worker: Worker, program: Program): Promise<Difference | undefined> {
  try {
    const answer = await worker.ask({ kind: 'program', program });
    return answer.kind === 'difference' ? answer.difference : undefined;
  } catch (error) {
    if (!(error instanceof Gone)) throw error;
    return { expected: [], error: error.message };
  }
}

/** Whether two differences are of the same sort: so that shrinking does not turn a wrong result into a module that is not valid. */
const alike = (a: Difference, b: Difference): boolean => (a.error === undefined) === (b.error === undefined);

function valid(program: Program): boolean {
  try {
    expectationOf(program);
    return true;
  } catch {
    return false;
  }
}

/** The smallest program that fails as this one does on an engine; undefined where it does not fail. */
export async function reproduce(command: EngineCommand, seed: number, program: Program): Promise<Found | undefined> {
  const worker = new Worker(command);
  try {
    const original = await differenceIn(worker, program);
    if (original === undefined) return undefined;
    const smallest = await shrink(program, async (candidate) => {
      const difference = valid(candidate) ? await differenceIn(worker, candidate) : undefined;
      return difference !== undefined && alike(difference, original);
    });
    const difference = (await differenceIn(worker, smallest)) ?? original;
    return { ...difference, seed, engine: command.name, program: smallest };
  } finally {
    worker.stop();
  }
}

export class Campaign {
  readonly coverage = new Coverage();
  /** One line for each program of another engine, or range of programs, at which the process was lost. */
  readonly crashes: string[] = [];
  /** One line for each program that failed. */
  readonly failures: string[] = [];
  readonly found: Found[] = [];
  compared = 0;
  skipped = 0;
  #next: number;

  constructor(
    readonly command: EngineCommand,
    readonly limits: Limits,
  ) {
    this.#next = limits.first;
  }

  async run(): Promise<void> {
    await Promise.all(Array.from({ length: this.limits.jobs }, () => this.#work()));
  }

  /** The next seeds; none where the end is reached. */
  #take(): { readonly from: number; readonly count: number } | undefined {
    const left = this.limits.first + this.limits.programs - this.#next;
    if (left <= 0 || performance.now() >= this.limits.until) return undefined;
    const from = this.#next;
    const count = Math.min(BATCH, left);
    this.#next += count;
    return { from, count };
  }

  async #work(): Promise<void> {
    const worker = new Worker(this.command);
    let age = 0;
    for (let range = this.#take(); range !== undefined; range = this.#take()) {
      await this.#compare(worker, range.from, range.count);
      if (++age % LIFE === 0) worker.stop();
    }
    worker.stop();
  }

  /** Compares some seeds; where the child is lost on the way, each of them by itself. */
  async #compare(worker: Worker, from: number, count: number): Promise<void> {
    try {
      const answer = await worker.ask({ kind: 'seeds', from, count });
      if (answer.kind !== 'batch') throw new Error(`not a batch: ${answer.kind}`);
      const { programs, skipped, counts, failures } = answer.batch;
      this.compared += programs;
      this.skipped += skipped;
      this.coverage.merge(counts);
      for (const { seed, error } of failures) await this.#failed(seed, error ?? 'the log differs');
    } catch (error) {
      if (!(error instanceof Gone)) throw error;
      if (count === 1 && this.command.name === 'heddle') {
        this.compared++;
        return this.#failed(from, error.message);
      }
      if (count === 1) {
        this.crashes.push(`seed ${from}: ${error.message}`);
        return;
      }
      const before = this.crashes.length;
      for (let seed = from; seed < from + count; seed++) await this.#compare(worker, seed, 1);
      if (this.crashes.length === before) this.crashes.push(`seeds ${from} to ${from + count - 1} together: ${error.message}`);
    }
  }

  async #failed(seed: number, why: string): Promise<void> {
    this.failures.push(`seed ${seed}: ${why}`);
    if (this.found.length >= MOST_SHRUNK) return;
    const found = await reproduce(this.command, seed, programOf(seed).program);
    if (found !== undefined) this.found.push(found);
  }
}

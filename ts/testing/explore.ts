/**
 * Runs a program through all outcomes of its choices, by snapshots: where it chooses, a version goes on for each outcome.
 */
import type { Continuation } from '../api/continuation.js';
import { checkFailed, wrongPath } from '../errors/catalog.js';
import type { ExportedFunction } from '../instance/functions/callable.js';
import { shown } from '../source/options.js';
import type { Coroutine } from '../typed/coroutine.js';
import { goesOn, later, now, resumed, type Source, type SourceStep, type Work } from '../typed/source.js';
import type { AnyTag } from '../typed/tag.js';
import { type Choice, choiceOf, type ExploreOptions, noChoice, type Plan, planOf, type ReplayOptions } from './options.js';
import { type Saved, SharedState } from './state.js';

/** A run that has returned. */
export interface Outcome<Return = unknown> {
  /** What it has returned. */
  readonly value: Return;
  /** Which outcome was chosen at each choice, counted from 0. */
  readonly path: readonly number[];
}

/** A run that has trapped or thrown, whose result was wrong, or that has suspended with what is no choice. */
export interface Failure {
  /** What was thrown: a trap, an exception, or an error with code HEDDLE_EXPLORE_CHECK. */
  readonly error: unknown;
  /** Which outcome was chosen at each choice, counted from 0: what `replay` takes. */
  readonly path: readonly number[];
}

/** What `explore` gives. */
export interface Exploration<Return = unknown> {
  /** How many have come to an end: returned, failed, come to a dead end, or were cut off. */
  readonly runs: number;
  /** What has returned, in the order in which it was found. */
  readonly outcomes: readonly Outcome<Return>[];
  /** What has failed, in the order in which it was found. */
  readonly failures: readonly Failure[];
  /** Runs that have come to a choice without outcomes. */
  readonly deadEnds: number;
  /** Runs that had more choices than `depth`. */
  readonly cut: number;
  /** The limit that was reached while there were branches left. */
  readonly stopped: 'runs' | 'outcomes' | 'failures' | 'snapshots' | undefined;
  /** Whether every run was made to its end. */
  readonly complete: boolean;
  /** The most suspended versions that were kept at a time. */
  readonly snapshots: number;
}

/** How a run that was replayed has ended; `choice`: the path was over before the run. */
export type Ending = 'returned' | 'failed' | 'deadEnd' | 'choice';

/** One choice of a run that was replayed. */
export interface ReplayStep {
  /** What the program has suspended with. */
  readonly tag: AnyTag;
  /** The tag's values. */
  readonly values: readonly unknown[];
  /** How many outcomes there were. */
  readonly outcomes: number;
  /** Which was chosen, counted from 0. Undefined for the last step where the path was over. */
  readonly index: number | undefined;
  /** What the program got for it. Undefined where `index` is. */
  readonly answer: readonly unknown[] | undefined;
}

/** What `replay` gives. */
export interface Replay<Return = unknown> {
  /** How it has ended. */
  readonly ended: Ending;
  /** Its choices, in order. */
  readonly steps: readonly ReplayStep[];
  /** What it has returned, where it has. */
  readonly value: Return | undefined;
  /** What it has thrown or trapped with, where it has failed. */
  readonly error: unknown;
}

/** The choices so far, the last first: branches share what they have in common. */
interface Path {
  readonly before: Path | undefined;
  readonly index: number;
  readonly length: number;
}

function listed(path: Path | undefined): number[] {
  const list: number[] = new Array<number>(path?.length ?? 0);
  for (let at = path; at !== undefined; at = at.before) list[at.length - 1] = at.index;
  return list;
}

/** Ends a version that nobody goes on with, so that its stack is free at once. What its handlers throw is nobody's. */
function end(source: Source): void {
  try {
    source.cancel();
  } catch {
    // As above.
  }
}

/** A choice with outcomes that were not tried yet. */
interface Branch {
  /** Waits for an outcome. */
  readonly source: Source;
  readonly choice: Choice;
  readonly path: Path | undefined;
  /** What all versions share, as it was when this suspended; undefined where nothing else runs before it goes on. */
  readonly saved: Saved | undefined;
  next: number;
}

/** Branches in the order in which they are tried. */
class Branches {
  readonly #isDepthFirst: boolean;
  #list: Branch[] = [];
  /** Where the oldest is. */
  #first = 0;

  constructor(isDepthFirst: boolean) {
    this.#isDepthFirst = isDepthFirst;
  }

  get length(): number {
    return this.#list.length - this.#first;
  }

  get next(): Branch | undefined {
    return this.#isDepthFirst ? this.#list[this.#list.length - 1] : this.#list[this.#first];
  }

  add(branch: Branch): void {
    this.#list.push(branch);
  }

  /** Takes the next away. */
  remove(): void {
    if (this.#isDepthFirst) {
      this.#list.pop();
      return;
    }
    this.#first++;
    if (this.#first * 2 <= this.#list.length) return;
    this.#list = this.#list.slice(this.#first);
    this.#first = 0;
  }

  endAll(): void {
    for (const { source } of this.#list.splice(this.#first)) end(source);
  }
}

/** How many resumptions there are between two looks at the event loop, where it waits. */
const TURN = 100;

/** What a resumption has come to. */
type Arrival =
  | { readonly kind: 'returned'; readonly value: unknown }
  | { readonly kind: 'failed'; readonly error: unknown }
  | {
      readonly kind: 'choice';
      readonly source: Source;
      readonly choice: Choice;
      readonly tag: AnyTag;
      readonly values: readonly unknown[];
    };

/** What exploring and replaying have in common: one version, from one choice to the next. */
class Runner {
  readonly plan: Plan;
  readonly state: SharedState;
  #resumptions = 0;

  constructor(plan: Plan) {
    this.plan = plan;
    // Depth first, whoever has suspended since a choice is over when another outcome of it is tried.
    this.state = new SharedState(plan.shared, plan.order === 'breadth');
  }

  *resume(source: Source, values: readonly unknown[], path: () => readonly number[]): Generator<Work, Arrival, unknown> {
    const { signal, choices, check } = this.plan;
    if (++this.#resumptions % TURN === 0) yield (isLater) => (isLater ? new Promise(setImmediate) : undefined);
    if (signal?.aborted === true) throw signal.reason;
    let step: SourceStep;
    try {
      step = (yield resumed(source, values)) as SourceStep;
    } catch (error) {
      // It was refused: nothing has run.
      if (goesOn(source)) throw error;
      return { kind: 'failed', error };
    }
    if (step.done) {
      const { value } = step;
      try {
        if (check?.(value, path()) === false) throw checkFailed(shown(value));
      } catch (error) {
        return { kind: 'failed', error };
      }
      return { kind: 'returned', value };
    }
    const { tag, payload, continuation } = step;
    let choice: Choice | undefined;
    try {
      choice = choiceOf(choices, tag, payload);
    } catch (error) {
      end(continuation);
      return { kind: 'failed', error };
    }
    if (choice !== undefined) return { kind: 'choice', source: continuation, choice, tag, values: payload };
    end(continuation);
    return { kind: 'failed', error: noChoice(tag) };
  }
}

class Search {
  readonly #runner: Runner;
  readonly #branches: Branches;
  readonly #outcomes: Outcome[] = [];
  readonly #failures: Failure[] = [];
  #runs = 0;
  #returned = 0;
  #deadEnds = 0;
  #cut = 0;
  #snapshots = 0;
  #stopped: Exploration['stopped'];
  /** The branch that what is shared belongs to now. */
  #current: Branch | undefined;

  constructor(plan: Plan) {
    this.#runner = new Runner(plan);
    this.#branches = new Branches(plan.order === 'depth');
  }

  *run(): Generator<Work, Exploration, unknown> {
    const { plan, state } = this.#runner;
    const before = state.save();
    try {
      yield* this.#go(plan.root, plan.args, undefined);
      for (let branch = this.#next(); branch !== undefined; branch = this.#next()) yield* this.#try(branch);
    } finally {
      end(plan.root);
      this.#branches.endAll();
      state.restore(before);
    }
    return {
      runs: this.#runs,
      outcomes: this.#outcomes,
      failures: this.#failures,
      deadEnds: this.#deadEnds,
      cut: this.#cut,
      stopped: this.#stopped,
      complete: this.#stopped === undefined && this.#cut === 0,
      snapshots: this.#snapshots,
    };
  }

  /** What is to be tried now; undefined at the end. */
  #next(): Branch | undefined {
    const { next } = this.#branches;
    if (next === undefined || this.#stopped !== undefined) return undefined;
    const { runs, outcomes, failures } = this.#runner.plan;
    if (this.#runs >= runs) this.#stopped = 'runs';
    else if (this.#returned >= outcomes) this.#stopped = 'outcomes';
    else if (this.#failures.length >= failures) this.#stopped = 'failures';
    return this.#stopped === undefined ? next : undefined;
  }

  /** Tries the next outcome of a branch: a copy does, and the last outcome is the original's. */
  *#try(branch: Branch): Generator<Work, void, unknown> {
    const { source, choice, saved } = branch;
    const index = branch.next++;
    const path: Path = { before: branch.path, index, length: (branch.path?.length ?? 0) + 1 };
    const isLast = branch.next === choice.count;
    if (isLast) this.#branches.remove();
    let answer: readonly unknown[];
    try {
      answer = choice.answer(index);
    } catch (error) {
      if (isLast) end(source);
      this.#fail(error, path);
      return;
    }
    const version = isLast ? source : source.snapshot();
    if (saved !== undefined && this.#current !== branch) this.#runner.state.restore(saved);
    this.#current = undefined;
    yield* this.#go(version, answer, path);
  }

  *#go(source: Source, values: readonly unknown[], path: Path | undefined): Generator<Work, void, unknown> {
    const { plan } = this.#runner;
    const arrival = yield* this.#runner.resume(source, values, () => listed(path));
    if (arrival.kind === 'failed') this.#fail(arrival.error, path);
    else if (arrival.kind === 'returned') {
      this.#runs++;
      this.#returned++;
      if (plan.keep) this.#outcomes.push({ value: arrival.value, path: listed(path) });
      plan.visit?.(arrival.value, listed(path));
    } else this.#arrive(arrival, path);
  }

  #fail(error: unknown, path: Path | undefined): void {
    this.#runs++;
    this.#failures.push({ error, path: listed(path) });
  }

  #arrive({ source, choice }: Arrival & { readonly kind: 'choice' }, path: Path | undefined): void {
    const { plan, state } = this.#runner;
    const isDeadEnd = choice.count === 0;
    if (isDeadEnd || (path?.length ?? 0) >= plan.depth) {
      this.#runs++;
      if (isDeadEnd) this.#deadEnds++;
      else this.#cut++;
      end(source);
      return;
    }
    if (this.#branches.length >= plan.snapshots) {
      this.#stopped = 'snapshots';
      end(source);
      return;
    }
    // Depth first a choice with one outcome goes on at once.
    const saved = plan.order === 'depth' && choice.count === 1 ? undefined : state.save();
    this.#current = { source, choice, path, saved, next: 0 };
    this.#branches.add(this.#current);
    this.#snapshots = Math.max(this.#snapshots, this.#branches.length);
  }
}

function* replayed(plan: Plan, path: readonly number[]): Generator<Work, Replay, unknown> {
  const runner = new Runner(plan);
  const before = runner.state.save();
  const steps: ReplayStep[] = [];
  let source = plan.root;
  try {
    let values = plan.args;
    while (true) {
      const arrival = yield* runner.resume(source, values, () => path);
      const at = steps.length;
      if (arrival.kind !== 'choice') {
        if (at < path.length) throw wrongPath(`the path has ${path.length} choices, and the run ends after ${at}`);
        const [value, error] = arrival.kind === 'returned' ? [arrival.value, undefined] : [undefined, arrival.error];
        return { ended: arrival.kind, steps, value, error };
      }
      source = arrival.source;
      const { tag, choice, values: payload } = arrival;
      const index = path[at];
      if (index === undefined) {
        steps.push({ tag, values: payload, outcomes: choice.count, index, answer: undefined });
        return { ended: choice.count === 0 ? 'deadEnd' : 'choice', steps, value: undefined, error: undefined };
      }
      if (index >= choice.count) throw wrongPath(`choice ${at} has ${choice.count} outcomes, and the path takes number ${index}`);
      values = choice.answer(index);
      steps.push({ tag, values: payload, outcomes: choice.count, index, answer: values });
    }
  } finally {
    end(source);
    runner.state.restore(before);
  }
}

function pathOf(path: unknown): readonly number[] {
  const isIndex = (index: unknown): boolean => Number.isInteger(index) && (index as number) >= 0;
  if (!Array.isArray(path) || !path.every(isIndex)) throw wrongPath('a path is a list of integers from 0 on');
  return [...(path as readonly number[])];
}

/**
 * Runs a program again and again, with all outcomes of its choices, and tells what became of each run. Memories, globals and what `restore` puts back are afterwards as they were before. The same program
 * and options give the same, in the same order.
 *
 * @example
 * ```js
 * import { parseWat, WebAssembly } from 'heddle';
 * import { explore } from 'heddle/testing';
 *
 * const bytes = parseWat(`(module
 *   (tag $choose (export "choose") (param i32) (result i32))
 *   (func (export "twoBits") (result i32)
 *     (i32.add (i32.mul (i32.const 2) (suspend $choose (i32.const 2))) (suspend $choose (i32.const 2)))))`);
 * const { choose, twoBits } = (await WebAssembly.instantiate(bytes)).instance.exports;
 * const { outcomes } = explore(twoBits, { choices: choose });
 * console.log(outcomes.map(({ value }) => value).sort()); // [ 0, 1, 2, 3 ]
 * ```
 */
export function explore<Return>(program: Coroutine<readonly [], AnyTag, Return>, options: ExploreOptions<Return>): Exploration<Return>;
export function explore<Return = unknown>(program: ExportedFunction | Continuation, options: ExploreOptions<Return>): Exploration<Return>;
export function explore(program: unknown, options: unknown): Exploration {
  return now(new Search(planOf('explore', program, options)).run());
}

/** The same as a promise: imports and handlers may wait meanwhile, and the event loop gets its turns. */
export function exploreAsync<Return>(
  program: Coroutine<readonly [], AnyTag, Return>,
  options: ExploreOptions<Return>,
): Promise<Exploration<Return>>;
export function exploreAsync<Return = unknown>(
  program: ExportedFunction | Continuation,
  options: ExploreOptions<Return>,
): Promise<Exploration<Return>>;
export async function exploreAsync(program: unknown, options: unknown): Promise<Exploration> {
  return await later(new Search(planOf('explore', program, options)).run());
}

/**
 * Makes one run again, that with this path. Throws a RangeError where the path does not fit the program.
 *
 * @example
 * ```js
 * import { parseWat, WebAssembly } from 'heddle';
 * import { replay } from 'heddle/testing';
 *
 * const bytes = parseWat(`(module
 *   (tag $choose (export "choose") (param i32) (result i32))
 *   (func (export "twoBits") (result i32)
 *     (i32.add (i32.mul (i32.const 2) (suspend $choose (i32.const 2))) (suspend $choose (i32.const 2)))))`);
 * const { choose, twoBits } = (await WebAssembly.instantiate(bytes)).instance.exports;
 * console.log(replay(twoBits, [1, 0], { choices: choose }).value); // 2
 * ```
 */
export function replay<Return>(
  program: Coroutine<readonly [], AnyTag, Return>,
  path: readonly number[],
  options: ReplayOptions<Return>,
): Replay<Return>;
export function replay<Return = unknown>(
  program: ExportedFunction | Continuation,
  path: readonly number[],
  options: ReplayOptions<Return>,
): Replay<Return>;
export function replay(program: unknown, path: unknown, options: unknown): Replay {
  const choices = pathOf(path);
  return now(replayed(planOf('replay', program, options), choices));
}

/** The same as a promise. */
export function replayAsync<Return>(
  program: Coroutine<readonly [], AnyTag, Return>,
  path: readonly number[],
  options: ReplayOptions<Return>,
): Promise<Replay<Return>>;
export function replayAsync<Return = unknown>(
  program: ExportedFunction | Continuation,
  path: readonly number[],
  options: ReplayOptions<Return>,
): Promise<Replay<Return>>;
export async function replayAsync(program: unknown, path: unknown, options: unknown): Promise<Replay> {
  const choices = pathOf(path);
  return await later(replayed(planOf('replay', program, options), choices));
}

/**
 * Many calls of WebAssembly on one event loop, in turns.
 */

import { inspected, view } from '../base/inspection.js';
import {
  append,
  clearTimeout,
  Dictionary,
  dereference,
  each,
  freeze,
  INFINITE,
  isNotANumber,
  mapSet,
  min,
  NumberValue,
  Promised,
  part,
  resolved,
  setAdd,
  setDelete,
  setEach,
  setTimeout,
  sortedBy,
  takeOut,
  WeakReference,
} from '../base/intrinsics.js';
import { wrongArgument } from '../errors/catalog.js';
import { theEngine } from '../instance/engine.js';
import type { AnyFunction } from '../instance/functions/callable.js';
import { optionsOf, positive, shown } from '../source/options.js';
import { Batches } from './batches.js';
import type { TaskEnd } from './diagnostics.js';
import { TaskGroup } from './group.js';
import { LONGEST_TIMER, TurnLimit, watchLimits } from './limit.js';
import { exportOf, originalOf } from './promising.js';
import { RunQueue } from './run_queue.js';
import { DEFAULT_PRIORITY, type SpawnOptions, spawnOptions } from './spawn_options.js';
import { Suspending } from './suspending.js';
import { Task } from './task.js';

/** How a scheduler works. */
export interface SchedulerOptions {
  /** Tasks that may be under way at a time; the others wait to begin. No limit unless given. */
  readonly maximum?: number;
  /** Milliseconds that the tasks of one round of the event loop may take before I/O gets its turn: 4 unless given. A turn that has begun is not cut short. */
  readonly budget?: number;
}

/** Counters. */
export interface SchedulerStatistics {
  /** Tasks that there have been. */
  readonly spawned: number;
  /** Not begun: too many others are under way. */
  readonly queued: number;
  /** Begun and not ended. */
  readonly active: number;
  /** Of those, the ones that wait for their turn. */
  readonly ready: number;
  /** Ended with results. */
  readonly completed: number;
  /** Ended with an error or a trap. */
  readonly failed: number;
  /** Ended by `cancel`, a signal or a timeout. */
  readonly cancelled: number;
  /** Turns that tasks have had. */
  readonly turns: number;
  /** Rounds of the event loop with turns. */
  readonly batches: number;
}

const DEFAULT_BUDGET = 4;

const schedulerOptions = optionsOf('Scheduler', { maximum: positive, budget: positive });

/** All schedulers there are. */
const schedulers = new Set<WeakRef<Scheduler>>();

/** Names of the tasks that wait, by the number of the continuation that each waits in. */
export function waitingTasks(): ReadonlyMap<number, string> {
  const names = new Dictionary<number, string>();
  setEach(schedulers, (reference) => {
    const scheduler = dereference(reference);
    if (scheduler === undefined) setDelete(schedulers, reference);
    each(scheduler?.tasks ?? [], (task) => {
      if (task.continuation !== 0) mapSet(names, task.continuation, task.name);
    });
  });
  return names;
}

/**
 * Spawns calls as tasks that take turns: a turn ends where an import of `Suspending` waits for a promise.
 *
 * @example
 * ```js
 * import { parseWat, Scheduler, WebAssembly } from 'heddle';
 *
 * const bytes = parseWat(`(module
 *   (import "host" "sleep" (func $sleep (param i32)))
 *   (func (export "wait") (param i32) (result i32) (call $sleep (local.get 0)) (local.get 0)))`);
 * const scheduler = new Scheduler({ maximum: 100 });
 * const { instance } = await WebAssembly.instantiate(bytes, { host: scheduler.imports });
 * const tasks = [2, 1].map((milliseconds) => scheduler.spawn(instance.exports.wait, [milliseconds], { timeout: 10_000 }));
 * console.log(await Promise.all(tasks.map((task) => task.promise))); // [ 2, 1 ]
 * ```
 */
export class Scheduler {
  readonly #maximum: number;
  readonly #batches: Batches;
  readonly #ready = new RunQueue<{ turn(): void }>();
  readonly #queued = new RunQueue<Task>();
  /**
   * In no order; each knows its place. No Set: one that others come to and leave is made anew again and again, each old table refers to the next, and where the collector has moved one of them to its
   * old generation, it keeps all that was ever in the later ones until it collects that.
   */
  readonly #active: Task[] = [];
  readonly #owner = {
    ready: (task: Task): void => this.#becomesReady(task, task.priority),
    ended: (task: Task, end: TaskEnd): void => this.#ended(task, end),
  };
  readonly #ends: Record<TaskEnd, number> = { completed: 0, failed: 0, cancelled: 0 };
  #current: Task | undefined;
  #spawned = 0;
  #turns = 0;

  /** Imports for modules: `sleep(milliseconds)` and `yield()`, which lets the others have their turn. */
  readonly imports = freeze({
    /** Waits so many milliseconds. */
    sleep: new Suspending((milliseconds: number | bigint) => this.sleep(NumberValue(milliseconds))),
    /** Lets the other tasks have their turn. */
    yield: new Suspending(() => this.yield()),
  });

  /** Throws a TypeError or RangeError for wrong options. */
  constructor(options?: SchedulerOptions) {
    const { maximum = INFINITE, budget = DEFAULT_BUDGET } = schedulerOptions(options);
    this.#maximum = maximum;
    this.#batches = new Batches(() => this.#turn(), budget);
    setAdd(schedulers, new WeakReference(this));
  }

  /**
   * Calls an exported function as a task. It begins after the JavaScript that runs now, at the earliest. Throws a TypeError for what is no export of Heddle's and for
   * arguments that do not convert, a RangeError for a wrong priority.
   */
  spawn<F extends AnyFunction>(fn: F, args: Readonly<Parameters<F>> | readonly [] = [], options?: SpawnOptions): Task<ReturnType<F>> {
    const { name, priority = DEFAULT_PRIORITY, signal, timeout = INFINITE, deadline = 0 } = spawnOptions(options);
    const engine = theEngine();
    const address = exportOf(fn, 'spawn');
    const type = engine.types.type(engine.exports.typeOf(address));
    const values = part(args, 0);
    const call = { start: engine.exports.starterOf(address), type, args: engine.convert.argumentsToWasm(type, values), values };
    const limit = signal === undefined && timeout === INFINITE && deadline === 0 ? undefined : new TurnLimit(engine, timeout, deadline);
    // The function keeps its instance, of which it has its name.
    const named = (): string => name ?? engine.exports.nameOf(originalOf(fn));
    const task = new Task<ReturnType<F>>(engine, this.#owner, call, ++this.#spawned, named, priority, limit);
    // asks: the signal that the caller gave, here and below
    if (signal?.aborted === true) {
      // asks: the signal
      task.cancel(signal.reason);
      return task;
    }
    if (limit !== undefined) task.onEnd(watchLimits(signal, timeout, task.title, (reason) => task.cancel(reason)));
    if (this.#active.length < this.#maximum) this.#admit(task);
    else this.#queued.push(task, priority);
    return task;
  }

  /** A group of tasks of this scheduler. */
  group(): TaskGroup {
    return new TaskGroup((fn, args, options) => this.spawn(fn, args, options));
  }

  /** The task whose turn it is: for imports. */
  get current(): Task | undefined {
    return this.#current;
  }

  /** Tasks under way, in the order of spawning. */
  get tasks(): readonly Task[] {
    return sortedBy(this.#active, (task) => task.id);
  }

  /** Resolved after that time. Called by an import, its timer ends with the task. */
  sleep(milliseconds: number): Promise<void> {
    if (typeof milliseconds !== 'number' || isNotANumber(milliseconds)) {
      throw wrongArgument(`the time to sleep must be a number, not ${shown(milliseconds)}`);
    }
    const time = min(milliseconds, LONGEST_TIMER);
    const task = this.#current;
    return new Promised((resolve) => {
      const timer = setTimeout(() => {
        forget?.();
        resolve();
      }, time);
      const forget = task?.onEnd(() => clearTimeout(timer));
    });
  }

  /** To be awaited: goes on once what is ready now had its turn. */
  yield(): Promise<void> {
    // A task that waits for a promise that is resolved already is ready again at once, behind the others. Other JavaScript takes a turn of its own.
    if (this.#current !== undefined) return resolved(undefined);
    return new Promised((resolve) => this.#becomesReady({ turn: resolve }, DEFAULT_PRIORITY));
  }

  /** Counters of this scheduler. */
  statistics(): SchedulerStatistics {
    return {
      spawned: this.#spawned,
      queued: this.#queued.length,
      active: this.#active.length,
      ready: this.#ready.length,
      ...this.#ends,
      turns: this.#turns,
      batches: this.#batches.count,
    };
  }

  /** What Node shows of it. @internal */
  [inspected](): object {
    if (!(#active in this)) return this;
    return view('Scheduler', { maximum: this.#maximum, ...this.statistics(), current: this.#current });
  }

  #admit(task: Task): void {
    task.place = append(this.#active, task) - 1;
    task.admit();
  }

  #becomesReady(entry: { turn(): void }, priority: number): void {
    this.#ready.push(entry, priority);
    this.#batches.request();
  }

  #ended(task: Task, end: TaskEnd): void {
    this.#ends[end]++;
    if (task.place >= 0) {
      const moved = takeOut(this.#active, task.place);
      if (moved !== undefined) moved.place = task.place;
      task.place = -1;
    }
    while (this.#active.length < this.#maximum) {
      const next = this.#queued.shift();
      if (next === undefined) return;
      // Others were cancelled before they began.
      if (next.state === 'queued') this.#admit(next);
    }
  }

  /** Takes one turn; whether there are more to take. */
  #turn(): boolean {
    const entry = this.#ready.shift();
    if (entry === undefined) return false;
    const outer = this.#current;
    this.#current = entry instanceof Task ? entry : undefined;
    this.#turns++;
    try {
      entry.turn();
    } finally {
      this.#current = outer;
    }
    return this.#ready.length > 0;
  }
}

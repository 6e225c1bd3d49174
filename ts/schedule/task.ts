/**
 * A call of WebAssembly that takes turns with others.
 */
import { AsyncResource } from 'node:async_hooks';
import { cancelled } from '../errors/catalog.js';
import { LIMIT } from '../generated/abi.js';
import type { Engine, ExportedFunction } from '../instance/engine.js';
import type { ValueType } from '../validate/description.js';
import { taskEnds, taskResumes, taskStarts, taskSuspends } from './diagnostics.js';
import { Held } from './held.js';
import { cancel } from './run.js';

/**
 * - queued: not begun: too many others run
 * - ready: waits for its turn
 * - running: in its turn
 * - waiting: in an import, for a promise
 * - ended: see the promise
 */
export type TaskState = 'queued' | 'ready' | 'running' | 'waiting' | 'ended';

/** How a task ended. */
export type TaskEnd = 'completed' | 'failed' | 'cancelled';

/** What a task calls. */
export interface TaskCall {
  readonly start: ExportedFunction;
  /** Arguments as the addon takes them. */
  readonly args: readonly unknown[];
  readonly results: readonly ValueType[];
}

/** What a task needs of its scheduler. */
export interface TaskOwner {
  /** The task has something to do in its next turn. */
  ready(task: Task): void;
  /** It is over. */
  ended(task: Task, end: TaskEnd): void;
}

/** A call under way. Made by `Scheduler.spawn`. */
export class Task extends AsyncResource {
  readonly id: number;
  readonly name: string;
  readonly priority: number;
  /**
   * The results; rejected with what the function throws or traps with, or with the reason of the cancellation. A rejection that nobody handles reaches Node as every
   * promise's does.
   */
  readonly promise: Promise<unknown>;

  readonly #engine: Engine;
  readonly #owner: TaskOwner;
  readonly #call: TaskCall;
  readonly #resolve: (value: unknown) => void;
  readonly #reject: (reason: unknown) => void;
  readonly #cleanups = new Set<() => void>();
  #state: TaskState = 'queued';
  #held: Held | undefined;
  /** What the promise that it waited for gave. */
  #settled: { readonly failed: boolean; readonly value: unknown } | undefined;
  /** Counts its waits, so that a promise that settles twice, or late, is not taken for another. */
  #waits = 0;
  #reason: { readonly value: unknown } | undefined;
  #controller: AbortController | undefined;

  /** @internal */
  constructor(engine: Engine, owner: TaskOwner, call: TaskCall, id: number, name: string, priority: number) {
    super('HeddleTask');
    this.id = id;
    this.name = name;
    this.priority = priority;
    this.#engine = engine;
    this.#owner = owner;
    this.#call = call;
    let resolve: (value: unknown) => void = () => {};
    let reject: (reason: unknown) => void = () => {};
    this.promise = new Promise((res, rej) => {
      resolve = res;
      reject = rej;
    });
    this.#resolve = resolve;
    this.#reject = reject;
  }

  get state(): TaskState {
    return this.#state;
  }

  /** Aborted when the task is cancelled: for what its imports do. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason.value);
    }
    return this.#controller.signal;
  }

  /**
   * Ends the task. An exception that only catch_all sees is thrown where it waits, so that its handlers run; where one of them waits, or when all have run, its stack is given
   * back. The promise is rejected with `reason`, or with what a handler throws itself. A task that runs at this moment goes on until it waits. Does nothing once it has
   * ended or been cancelled.
   */
  cancel(reason: unknown = cancelled()): void {
    if (this.#state === 'ended' || this.#reason !== undefined) return;
    this.#reason = { value: reason };
    this.#controller?.abort(reason);
    if (this.#state !== 'running') this.#unwind();
  }

  /** Calls `cleanup` when the task ends, unless the result is called before. @internal */
  onEnd(cleanup: () => void): () => void {
    this.#cleanups.add(cleanup);
    return () => this.#cleanups.delete(cleanup);
  }

  /** It may begin. @internal */
  admit(): void {
    this.#state = 'ready';
    this.#owner.ready(this);
  }

  /** Takes a turn. @internal */
  turn(): void {
    // Cancelled since it became ready.
    if (this.#state === 'ready') this.runInAsyncScope(() => this.#run());
  }

  #run(): void {
    const { suspensions } = this.#engine;
    this.#state = 'running';
    let raw: unknown;
    try {
      raw = this.#go();
      if (suspensions.ending !== LIMIT.endingParked) raw = this.#engine.resultsFromWasm(this.#call.results, raw);
    } catch (error) {
      this.#end('failed', error);
      return;
    }
    if (suspensions.ending !== LIMIT.endingParked) {
      if (this.#reason === undefined) this.#end('completed', raw);
      else this.#end('cancelled', this.#reason.value);
      return;
    }
    this.#held ??= new Held(this.#engine);
    this.#wait();
  }

  #go(): unknown {
    const settled = this.#settled;
    if (this.#held === undefined || settled === undefined) {
      taskStarts(this);
      return this.#call.start(...this.#call.args);
    }
    taskResumes(this);
    this.#settled = undefined;
    return this.#held.settle(settled.failed, settled.value, LIMIT.takesPromises);
  }

  #wait(): void {
    const { promise, convert } = this.#engine.suspensions.take();
    this.#state = 'waiting';
    taskSuspends(this);
    if (this.#reason !== undefined) {
      this.#unwind();
      return;
    }
    const wait = ++this.#waits;
    const settle = (failed: boolean, value: unknown): void => {
      if (this.#state !== 'waiting' || wait !== this.#waits) return;
      this.#settled = failed ? { failed, value } : this.#converted(convert, value);
      this.#state = 'ready';
      this.#owner.ready(this);
    };
    try {
      (promise as PromiseLike<unknown>).then(
        (value) => settle(false, value),
        (reason: unknown) => settle(true, reason),
      );
    } catch (error) {
      settle(true, error);
    }
  }

  #converted(convert: (value: unknown) => unknown, value: unknown): { readonly failed: boolean; readonly value: unknown } {
    try {
      return { failed: false, value: convert(value) };
    } catch (error) {
      return { failed: true, value: error };
    }
  }

  #unwind(): void {
    const held = this.#held;
    const reason = this.#reason?.value;
    this.#state = 'running';
    try {
      if (held !== undefined) this.runInAsyncScope(() => cancel(this.#engine, held));
      this.#end('cancelled', reason);
    } catch (error) {
      this.#end('failed', error);
    }
  }

  #end(end: TaskEnd, result: unknown): void {
    this.#state = 'ended';
    for (const cleanup of this.#cleanups) cleanup();
    this.#cleanups.clear();
    taskEnds(this, end);
    if (end === 'completed') this.#resolve(result);
    else this.#reject(result);
    this.#owner.ended(this, end);
    this.emitDestroy();
  }
}

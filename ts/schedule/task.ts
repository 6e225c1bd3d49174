/**
 * A call of WebAssembly that takes turns with others.
 */

import { AsyncResource } from 'node:async_hooks';
import { inspected, view } from '../base/inspection.js';
import { abort, append, Controller, each, mapGet, Promised, placeOf, signalOf, takeOut, uncurried } from '../base/intrinsics.js';
import { cancelled, isDeadline, isTrap, timedOut } from '../errors/catalog.js';
import { LIMIT } from '../generated/abi.js';
import type { Engine } from '../instance/engine.js';
import { Handle, type RawValue } from '../instance/functions/mailbox.js';
import { isAwaitable, type SuspendingImport } from '../instance/functions/suspending_import.js';
import { nameTask } from '../instance/messages/backtrace.js';
import type { RegisteredType } from '../validate/registry.js';
import { type TaskEnd, taskEnds, taskResumes, taskStarts, taskSuspends } from './diagnostics.js';
import { Held } from './held.js';
import { isEnd, type TurnLimit } from './limit.js';
import { cancel, settle } from './run.js';

/**
 * - queued: not begun: too many others run
 * - ready: waits for its turn
 * - running: in its turn
 * - waiting: in an import, for a promise
 * - ended: see the promise
 */
export type TaskState = 'queued' | 'ready' | 'running' | 'waiting' | 'ended';

/** What a turn gives whose call is not over. */
const GOES_ON = Symbol('goes on');

const nothing = (): void => {};

/** What a task calls. */
export interface TaskCall {
  readonly start: () => void;
  readonly type: RegisteredType;
  /** The arguments, converted, and as they were given. */
  readonly args: readonly RawValue[];
  readonly values: readonly unknown[];
}

/** A call that is set aside in an import. */
interface Parked {
  readonly call: SuspendingImport;
  readonly handle: Handle;
}

/** What a task needs of its scheduler. */
export interface TaskOwner {
  /** The task has something to do in its next turn. */
  ready(task: Task): void;
  /** It is over. */
  ended(task: Task, end: TaskEnd): void;
}

const inScope: <T extends unknown[]>(task: AsyncResource, run: (...args: T) => void, self?: undefined, ...args: T) => void = uncurried(
  AsyncResource.prototype.runInAsyncScope,
);
const emitDestroy: (task: AsyncResource) => void = uncurried(AsyncResource.prototype.emitDestroy);

/** A call under way. Made by `Scheduler.spawn`. */
export class Task<Result = unknown> extends AsyncResource {
  /** Its number in its scheduler: 1 for the first. */
  readonly id: number;
  /** 0 to 7: see the option of `spawn`. */
  readonly priority: number;
  /**
   * The results; rejected with what the function throws or traps with, or with the reason of the cancellation. A rejection that nobody handles reaches Node as every
   * promise's does.
   */
  readonly promise: Promise<Result>;

  #name: string | undefined;
  /** Names of functions are looked for where somebody asks. */
  readonly #findName: () => string;
  readonly #engine: Engine;
  readonly #owner: TaskOwner;
  readonly #call: TaskCall;
  /** Among its owner's tasks that are under way, -1 while it is none of them. @internal */
  place = -1;
  /** Of its turns; undefined where nothing but what it does itself ends them. */
  readonly #limit: TurnLimit | undefined;
  readonly #resolve: (value: unknown) => void;
  readonly #reject: (reason: unknown) => void;
  /** What {@link onEnd} was given. Most tasks have none. */
  #cleanups: (() => void)[] | undefined;
  #state: TaskState = 'queued';
  readonly #held: Held;
  #parked: Parked | undefined;
  /** What the promise that it waited for gave. */
  #settled: { readonly failed: boolean; readonly value: unknown } | undefined;
  /** Counts its waits, so that a promise that settles twice, or late, is not taken for another. */
  #waits = 0;
  #reason: { readonly value: unknown } | undefined;
  /** Whether an import of `Suspending` runs that it called. */
  #betweenEntries = false;
  #controller: AbortController | undefined;

  /** @internal */
  constructor(
    engine: Engine,
    owner: TaskOwner,
    call: TaskCall,
    id: number,
    name: () => string,
    priority: number,
    limit: TurnLimit | undefined,
  ) {
    super('HeddleTask');
    this.id = id;
    this.#findName = name;
    this.priority = priority;
    this.#engine = engine;
    this.#held = Held.make(engine);
    this.#owner = owner;
    this.#call = call;
    this.#limit = limit;
    let resolve: (value: unknown) => void = nothing;
    let reject: (reason: unknown) => void = nothing;
    this.promise = new Promised<Result>((res, rej) => {
      resolve = res as (value: unknown) => void;
      reject = rej;
    });
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** The option of `spawn`, or the function's name in its module, or as an export; its index where it has none. */
  get name(): string {
    this.#name ??= this.#findName();
    return this.#name;
  }

  /** For messages. @internal */
  get title(): string {
    return `task ${this.name}`;
  }

  /** What it does now. */
  get state(): TaskState {
    return this.#state;
  }

  /** Number of the continuation that it waits in, 0 while it does not. @internal */
  get continuation(): number {
    return this.#state === 'waiting' || this.#state === 'ready' ? (this.#parked?.handle.index ?? 0) : 0;
  }

  /** What Node shows of it, without what AsyncResource has. @internal */
  [inspected](): object {
    if (!(#held in this)) return this;
    const { id, name, priority, state } = this;
    const call = state === 'waiting' ? this.#parked?.call : undefined;
    const waits = call && mapGet(this.#engine.names.imports, call.id);
    return view('Task', { id, name, state, import: waits, priority });
  }

  /** Aborted when the task is cancelled: for what its imports do. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new Controller();
      if (this.#reason !== undefined) abort(this.#controller, this.#reason.value);
    }
    return signalOf(this.#controller);
  }

  /**
   * Ends the task. An exception that only catch_all sees is thrown where it waits, so that its handlers run; where one of them waits, or when all have run, its stack is given
   * back. The promise is rejected with `reason`, or with what a handler throws itself. A task that runs at this moment goes on until the import that runs returns. Does nothing once it has ended or been cancelled.
   */
  cancel(reason: unknown = cancelled(this.title)): void {
    if (this.#state === 'ended' || this.#reason !== undefined) return;
    this.#reason = { value: reason };
    if (this.#controller !== undefined) abort(this.#controller, reason);
    if (this.#state === 'running') this.#endTurn();
    else this.#unwind();
  }

  /** Calls `cleanup` when the task ends, unless the result is called before. @internal */
  onEnd(cleanup: () => void): () => void {
    const cleanups = this.#cleanups ?? [];
    this.#cleanups = cleanups;
    append(cleanups, cleanup);
    return () => {
      const place = placeOf(cleanups, (one) => one === cleanup);
      if (place >= 0) takeOut(cleanups, place);
    };
  }

  /** It may begin. @internal */
  admit(): void {
    this.#state = 'ready';
    this.#owner.ready(this);
  }

  /** Takes a turn. @internal */
  turn(): void {
    // Cancelled since it became ready.
    if (this.#state === 'ready') inScope(this, Task.#runs, undefined, this);
  }

  /** {@link #run}, of the argument. */
  static readonly #runs = (task: Task): void => task.#run();

  #run(): void {
    const limit = this.#limit;
    this.#state = 'running';
    let result: unknown;
    try {
      result = limit === undefined ? this.#advance() : limit.run(() => this.#advance());
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (result !== GOES_ON) {
      if (this.#reason === undefined) this.#end('completed', result);
      else this.#end('cancelled', this.#reason.value);
    } else if (this.#state === 'running') {
      this.#unwind();
    }
  }

  /** Goes on until it waits, or is to end, or has results, which are returned. */
  #advance(): unknown {
    const { mailbox } = this.#engine;
    this.#go();
    while (mailbox.ending === LIMIT.endingParked) {
      if (this.#callImport()) return GOES_ON;
    }
    return this.#engine.convert.resultsFromMailbox(this.#call.type.results);
  }

  /** It has thrown, or was ended in its turn. */
  #fail(error: unknown): void {
    const limit = this.#limit;
    if (limit?.isTimeout(error) === true && this.#reason === undefined) {
      this.#reason = { value: timedOut(this.title, limit.timeout) };
      if (this.#controller !== undefined) abort(this.#controller, this.#reason.value);
    }
    if (this.#reason !== undefined && (isEnd(error) || (limit !== undefined && isDeadline(error))))
      this.#end('cancelled', this.#reason.value);
    else {
      if (isTrap(error)) nameTask(error as Error, this.title);
      this.#end('failed', error);
    }
  }

  #go(): void {
    const settled = this.#settled;
    if (settled !== undefined) {
      taskResumes(this);
      this.#settle(settled.failed, settled.value);
      return;
    }
    taskStarts(this);
    const { type, args, values } = this.#call;
    this.#engine.mailbox.putAll(type.params, this.#engine.convert.renewHandles(type.params, args, values));
    this.#engine.mailbox.takes(LIMIT.takesPromises);
    this.#call.start();
  }

  /** Goes on with what its import gave. */
  #settle(failed: boolean, value: unknown): void {
    const { call, handle } = this.#parked as Parked;
    this.#settled = undefined;
    if (this.#held.isParked) this.#held.release();
    settle(this.#engine, call, handle, failed, value, LIMIT.takesPromises);
  }

  /** It runs, and is to end once the import returns that runs. */
  #endTurn(): void {
    if (this.#limit !== undefined) this.#limit.end();
    // An import of `Suspending` is called with nothing entered, and looks itself.
    else if (!this.#betweenEntries) this.#engine.native.endRunning();
  }

  /** Calls the import that the call was set aside for. Whether the turn ends there. */
  #callImport(): boolean {
    const call = this.#engine.imports.pending();
    const handle = new Handle();
    this.#engine.mailbox.save(handle);
    this.#parked = { call, handle };
    let failed = false;
    let value: unknown;
    let waits = false;
    this.#betweenEntries = true;
    try {
      value = call.call();
      waits = isAwaitable(value);
    } catch (error) {
      failed = true;
      value = error;
    }
    this.#betweenEntries = false;
    if (waits || this.#reason !== undefined) {
      this.#held.park(handle);
      if (this.#reason === undefined) this.#wait(value as PromiseLike<unknown>);
      return true;
    }
    this.#settle(failed, value);
    return false;
  }

  #wait(promise: PromiseLike<unknown>): void {
    this.#state = 'waiting';
    taskSuspends(this);
    const wait = ++this.#waits;
    const settled = (failed: boolean, value: unknown): void => {
      if (this.#state !== 'waiting' || wait !== this.#waits) return;
      this.#settled = { failed, value };
      this.#state = 'ready';
      this.#owner.ready(this);
    };
    try {
      // asks: what the import gave, a promise or what is like one
      promise.then(
        (value) => settled(false, value),
        (reason: unknown) => settled(true, reason),
      );
    } catch (error) {
      settled(true, error);
    }
  }

  #unwind(): void {
    const reason = this.#reason?.value;
    const limit = this.#limit;
    this.#state = 'running';
    const handlers = (): void => cancel(this.#engine, this.#held);
    try {
      inScope(this, () => (limit === undefined ? handlers() : limit.unwind(handlers)));
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#end('cancelled', reason);
  }

  #end(end: TaskEnd, result: unknown): void {
    this.#state = 'ended';
    this.#held.recycle();
    const cleanups = this.#cleanups;
    if (cleanups !== undefined) {
      this.#cleanups = undefined;
      each(cleanups, (cleanup) => cleanup());
    }
    taskEnds(this, end);
    if (end === 'completed') this.#resolve(result);
    else this.#reject(result);
    this.#owner.ended(this, end);
    emitDestroy(this);
  }
}

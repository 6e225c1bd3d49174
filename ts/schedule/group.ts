/**
 * Tasks that are awaited and cancelled as one.
 */
import { cancelled } from '../errors/catalog.js';
import type { SpawnOptions } from './spawn_options.js';
import type { Task } from './task.js';

/** How a group makes its tasks. */
export type Spawn = (fn: unknown, args: readonly unknown[], options?: SpawnOptions) => Task;

/**
 * A group of tasks. Where one fails, the others are cancelled. A failure that nobody awaits by {@link join} reaches Node as an unhandled rejection, once for the group.
 */
export class TaskGroup {
  readonly #spawn: Spawn;
  readonly #tasks: Task[] = [];
  readonly #running = new Set<Task>();
  #failure: Promise<never> | undefined;
  #cancelled: { readonly reason: unknown } | undefined;
  #idle: (() => void)[] = [];

  /** @internal */
  constructor(spawn: Spawn) {
    this.#spawn = spawn;
  }

  /** Tasks that have not ended. */
  get size(): number {
    return this.#running.size;
  }

  /** As `Scheduler.spawn`. In a group that is cancelled the task is cancelled at once. */
  spawn(fn: unknown, args: readonly unknown[] = [], options?: SpawnOptions): Task {
    const task = this.#spawn(fn, args, options);
    this.#tasks.push(task);
    this.#running.add(task);
    task.promise.then(
      () => this.#ended(task),
      (error: unknown) => {
        this.#fail(error);
        this.#ended(task);
      },
    );
    if (this.#cancelled !== undefined) task.cancel(this.#cancelled.reason);
    return task;
  }

  /** Cancels every task, and those that are spawned later. */
  cancel(reason: unknown = cancelled()): void {
    if (this.#cancelled !== undefined) return;
    this.#cancelled = { reason };
    for (const task of [...this.#running]) task.cancel(reason);
  }

  /** Waits until all have ended, those spawned meanwhile as well. Gives their results in the order of spawning; rejected with the first failure. */
  async join(): Promise<unknown[]> {
    // From here on somebody handles the failure.
    this.#failure?.catch(() => {});
    while (this.#running.size > 0) {
      await new Promise<void>((resolve) => this.#idle.push(resolve));
      this.#failure?.catch(() => {});
    }
    if (this.#failure !== undefined) return this.#failure;
    return Promise.all(this.#tasks.map((task) => task.promise));
  }

  /** Cancels what still runs, and waits for it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.cancel();
    await this.join().catch(() => {});
  }

  #fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = Promise.reject(error);
    // Who is in join() handles it.
    if (this.#idle.length > 0) this.#failure.catch(() => {});
    this.cancel(error);
  }

  #ended(task: Task): void {
    this.#running.delete(task);
    if (this.#running.size > 0) return;
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }
}

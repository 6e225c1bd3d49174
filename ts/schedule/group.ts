/**
 * Tasks that are awaited and cancelled as one.
 */

import { inspected, view } from '../base/inspection.js';
import { append, each, handled, item, Promised, part, rejected, whenSettled } from '../base/intrinsics.js';
import { cancelled } from '../errors/catalog.js';
import type { AnyFunction } from '../instance/functions/callable.js';
import type { SpawnOptions } from './spawn_options.js';
import type { Task } from './task.js';

/** How a group makes its tasks. */
export type Spawn = <F extends AnyFunction>(
  fn: F,
  args: Readonly<Parameters<F>> | readonly [],
  options?: SpawnOptions,
) => Task<ReturnType<F>>;

/**
 * A group of tasks. Where one fails, the others are cancelled. A failure that nobody awaits by {@link join} reaches Node as an unhandled rejection, once for the group.
 */
export class TaskGroup {
  readonly #spawn: Spawn;
  readonly #tasks: Task[] = [];
  /** Tasks whose end it has not heard of. */
  #running = 0;
  #failure: Promise<never> | undefined;
  #cancelled: { readonly reason: unknown } | undefined;
  #idle: (() => void)[] = [];

  /** @internal */
  constructor(spawn: Spawn) {
    this.#spawn = spawn;
  }

  /** Tasks that have not ended. */
  get size(): number {
    return this.#running;
  }

  /** As `Scheduler.spawn`. In a group that is cancelled the task is cancelled at once. */
  spawn<F extends AnyFunction>(fn: F, args: Readonly<Parameters<F>> | readonly [] = [], options?: SpawnOptions): Task<ReturnType<F>> {
    const task = this.#spawn(fn, args, options);
    append(this.#tasks, task);
    this.#running++;
    whenSettled(
      task.promise,
      () => this.#ended(),
      (error: unknown) => {
        this.#fail(error);
        this.#ended();
      },
    );
    if (this.#cancelled !== undefined) task.cancel(this.#cancelled.reason);
    return task;
  }

  /** Cancels every task, and those that are spawned later. */
  cancel(reason: unknown = cancelled('the group')): void {
    if (this.#cancelled !== undefined) return;
    this.#cancelled = { reason };
    // One that has ended takes no notice.
    each(part(this.#tasks, 0), (task) => task.cancel(reason));
  }

  /** Waits until all have ended, those spawned meanwhile as well. Gives their results in the order of spawning; rejected with the first failure. */
  async join(): Promise<unknown[]> {
    // From here on somebody handles the failure.
    this.#handle();
    while (this.#running > 0) {
      await new Promised<void>((resolve) => append(this.#idle, resolve));
      this.#handle();
    }
    if (this.#failure !== undefined) return this.#failure;
    const results: unknown[] = [];
    for (let i = 0; i < this.#tasks.length; i++) append(results, await item(this.#tasks, i).promise);
    return results;
  }

  /** Cancels what still runs, and waits for it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.cancel();
    try {
      await this.join();
    } catch {
      // Whoever awaits its tasks knows of it.
    }
  }

  /** What Node shows of it. @internal */
  [inspected](): object {
    if (!(#tasks in this)) return this;
    return view('TaskGroup', { size: this.size, spawned: this.#tasks.length, cancelled: this.#cancelled !== undefined });
  }

  #fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = rejected(error);
    // Who is in join() handles it.
    if (this.#idle.length > 0) this.#handle();
    this.cancel(error);
  }

  #handle(): void {
    if (this.#failure !== undefined) handled(this.#failure);
  }

  #ended(): void {
    if (--this.#running > 0) return;
    const idle = this.#idle;
    this.#idle = [];
    each(idle, (resolve) => resolve());
  }
}

/**
 * The picture of all fibers, with the names of tasks.
 */
import { mapGet, mapped } from '../base/intrinsics.js';
import { theEngine } from '../instance/engine.js';
import type { FiberTree } from '../instance/inspect.js';
import { amount, optionsOf } from '../source/options.js';
import { waitingTasks } from './scheduler.js';

/** How much of a picture is wanted. */
export interface InspectOptions {
  /** Fibers that are listed, at most; 10,000. Each takes some tens of microseconds. */
  readonly limit?: number;
}

const DEFAULT_LIMIT = 10_000;
const inspectOptions = optionsOf('inspect', { limit: amount });

/** Puts the names of tasks into a picture. */
export function withTasks(tree: FiberTree): FiberTree {
  const tasks = waitingTasks();
  const fibers = mapped(tree.fibers, (fiber) => {
    const task = fiber.continuation === 0 ? undefined : mapGet(tasks, fiber.continuation);
    return task === undefined ? fiber : { ...fiber, task };
  });
  return { fibers, total: tree.total };
}

/**
 * The fibers of this thread as they are now: which there are, what each does and is in, and who waits for whom. May be called at any time, in imports too.
 * A task that has not begun has no fiber: `scheduler.statistics().queued` counts those. Takes some tens of microseconds for each fiber.
 *
 * @example
 * ```js
 * import { Continuation, inspect, parseWat, WebAssembly } from 'heddle';
 *
 * const bytes = parseWat('(module (tag $pause) (func $work (export "work") (suspend $pause)))');
 * const { instance } = await WebAssembly.instantiate(bytes);
 * const { continuation } = new Continuation(instance.exports.work).resume();
 * const [fiber] = inspect().fibers;
 * console.log(fiber.function, fiber.state, fiber.tag, continuation.state); // work suspended pause suspended
 * ```
 */
export function inspect(options?: InspectOptions): FiberTree {
  const { limit = DEFAULT_LIMIT } = inspectOptions(options);
  return withTasks(theEngine().inspect(limit));
}

/** `--timeout`: what a run may take, from its beginning to its end. */
import { isHeddleError, outOfRange, timedOut } from '../errors/catalog.js';
import { theEngine } from '../instance/engine.js';
import { TurnLimit } from '../schedule/limit.js';

/** setTimeout's longest, in milliseconds. */
const LONGEST = 2 ** 31 - 1;

/** The time that is left of a run. */
export class TimeLimit {
  readonly #milliseconds: number;
  readonly #limit: TurnLimit;
  readonly #begin = performance.now();

  /** It begins now. Throws a RangeError for what is no time. */
  constructor(milliseconds: number) {
    if (!(milliseconds > 0)) throw outOfRange(`--timeout must be above 0 milliseconds, not ${milliseconds}`);
    this.#milliseconds = milliseconds;
    this.#limit = new TurnLimit(theEngine(), milliseconds, 0);
  }

  /** Milliseconds that are left: a time, though it may be over. */
  get left(): number {
    return Math.max(0.001, this.#milliseconds - (performance.now() - this.#begin));
  }

  /** Runs something that enters WebAssembly, which is ended in the middle. Throws an error with code HEDDLE_TIMEOUT, with the frames that it was in. */
  run<T>(run: () => T): T {
    try {
      return this.#limit.run(run);
    } catch (error) {
      throw this.#limit.isTimeout(error) ? this.#over(error) : error;
    }
  }

  /** Waits for something; the same error where it takes too long. What it does goes on. */
  async wait<T>(promise: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const over = new Promise<never>((_, reject) => {
      if (this.left <= LONGEST) timer = setTimeout(() => reject(this.#over()), this.left);
    });
    try {
      return await Promise.race([promise, over]);
    } catch (error) {
      // A task has been given what was left, and names that.
      throw isHeddleError(error) && error.code === 'HEDDLE_TIMEOUT' ? this.#over(error) : error;
    } finally {
      clearTimeout(timer);
    }
  }

  #over(at?: unknown): Error {
    const error = timedOut('the run', this.#milliseconds);
    const frames = at instanceof Error ? (at.stack ?? '').split('\n').filter((line) => /^ {4}at |frames left out/.test(line)) : [];
    error.stack = [`${error.name}: ${error.message}`, ...frames].join('\n');
    return error;
  }
}

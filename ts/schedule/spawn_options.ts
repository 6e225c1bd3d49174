/**
 * How a task is to run: what its caller may say, and reading it.
 */
import { INFINITE, isInteger } from '../base/intrinsics.js';
import { outOfRange, wrongArgument } from '../errors/catalog.js';
import { optionsOf, positive, type Reader, shown, text } from '../source/options.js';
import { PRIORITIES } from './run_queue.js';

/** How a task is to run. */
export interface SpawnOptions {
  /** For messages; the function's name unless given. */
  readonly name?: string;
  /** 0 to 7, 3 unless given. Of two priorities that both have work the higher one gets twice the turns for each step between them. */
  readonly priority?: number;
  /** Cancels the task, with its reason. */
  readonly signal?: AbortSignal;
  /** Milliseconds after which the task is cancelled, with a TimeoutError. */
  readonly timeout?: number;
}

export const DEFAULT_PRIORITY = 3;

/** As long as a timer of Node's can be: 24.8 days. */
export const LONGEST_TIMER = 2 ** 31 - 1;

const priorityOption: Reader<number> = (value, name) => {
  if (typeof value !== 'number') throw wrongArgument(`the option ${name} must be a number, not ${shown(value)}`);
  if (isInteger(value) && value >= 0 && value < PRIORITIES) return value;
  throw outOfRange(`the option ${name} must be an integer from 0 to ${PRIORITIES - 1}, not ${shown(value)}`);
};

const timeoutOption: Reader<number> = (value, name) => {
  const milliseconds = positive(value, name);
  if (milliseconds <= LONGEST_TIMER || milliseconds === INFINITE) return milliseconds;
  throw outOfRange(`the option ${name} must be at most ${LONGEST_TIMER} or Infinity, not ${milliseconds}`);
};

/** Also a signal of another realm, or a library's. */
const signalOption: Reader<AbortSignal> = (value, name) => {
  // asks: whatever is like one will do
  if (typeof value === 'object' && value !== null && typeof (value as AbortSignal).addEventListener === 'function' && 'aborted' in value) {
    return value as AbortSignal;
  }
  throw wrongArgument(`the option ${name} must be an AbortSignal, not ${shown(value)}`);
};

/** Reads them. */
export const spawnOptions = optionsOf('spawn', { name: text, priority: priorityOption, signal: signalOption, timeout: timeoutOption });

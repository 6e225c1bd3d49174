/**
 * How a task is to run: what its caller may say, and reading it.
 */
import { isInteger } from '../base/intrinsics.js';
import { outOfRange, wrongArgument } from '../errors/catalog.js';
import { optionsOf, type Reader, shown, text } from '../source/options.js';
import { type CallLimits, LIMIT_OPTIONS } from './limit.js';
import { PRIORITIES } from './run_queue.js';

/** How a task is to run. Its timeout begins when it is spawned. */
export interface SpawnOptions extends CallLimits {
  /** For messages; the function's name in its module or as an export, or its index, unless given. */
  readonly name?: string;
  /** 0 to 7, 3 unless given. Of two priorities that both have work the higher one gets twice the turns for each step between them. */
  readonly priority?: number;
}

export const DEFAULT_PRIORITY = 3;

const priorityOption: Reader<number> = (value, name) => {
  if (typeof value !== 'number') throw wrongArgument(`the option ${name} must be a number, not ${shown(value)}`);
  if (isInteger(value) && value >= 0 && value < PRIORITIES) return value;
  throw outOfRange(`the option ${name} must be an integer from 0 to ${PRIORITIES - 1}, not ${shown(value)}`);
};

/** Reads them. @internal */
export const spawnOptions = optionsOf('spawn', { name: text, priority: priorityOption, ...LIMIT_OPTIONS });

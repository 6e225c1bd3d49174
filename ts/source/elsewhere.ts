/**
 * A thread of Heddle's own does what this thread must not: where a program has changed JavaScript's built-in objects (ts/base/changes.ts), what compiles modules would make other code of them. Worker
 * threads have built-in objects of their own.
 */
import { changedIntrinsic } from '../base/changes.js';
import { type Errand, runElsewhere } from './errand_thread.js';

/** Runs something here, or has the thread do the same where JavaScript's built-in objects were changed. */
export function hereOrElsewhere<T>(errand: Errand, input: unknown, here: () => T): T {
  const place = changedIntrinsic();
  return place === undefined ? here() : (runElsewhere(errand, input, place) as T);
}

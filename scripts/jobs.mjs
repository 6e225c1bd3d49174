// How many processes a part of the tests has at once.
import { availableParallelism } from 'node:os';

/** HEDDLE_JOBS, which scripts/ci.mjs sets where parts run side by side; else one for each core. */
export function jobs() {
  const text = process.env.HEDDLE_JOBS;
  if (text === undefined || text === '') return availableParallelism();
  if (!/^[1-9]\d*$/.test(text)) throw new RangeError(`HEDDLE_JOBS must be a number of processes, not ${text}`);
  return Number(text);
}

/**
 * What a thread of a script runs.
 */
import { workerData } from 'node:worker_threads';
import { runThread } from './run.js';
import type { ThreadData } from './threads.js';

/** Runs the directives that the thread was given. */
export function runScriptThread(): void {
  const { job, port, done } = workerData as ThreadData;
  try {
    port.postMessage(runThread(job));
  } finally {
    Atomics.store(done, 0, 1);
    Atomics.notify(done, 0);
  }
}

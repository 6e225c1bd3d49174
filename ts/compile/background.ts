/**
 * Modules that are compiled function by function are compiled as a whole when the thread has had nothing to compile for a while: by one worker thread, which writes the artifact to the cache. The next
 * process finds all of the code there. Nothing here keeps the process alive.
 */
import { changedIntrinsic } from '../base/changes.js';
import type { Cache } from './cache.js';
import type { LazyModule } from './lazy.js';
import { canUseWorkers, compileWhole } from './pool.js';
import { keyHash } from './settings.js';

/** Milliseconds without a first call: programs that end before have their processor time for themselves. */
const QUIET = 1000;

interface Waiting {
  readonly module: LazyModule;
  readonly cache: Cache;
}

const waiting: Waiting[] = [];
let isBusy = false;
let timer: NodeJS.Timeout | undefined;

/** A module's functions are being made: when no more are, all of it is compiled, unless the cache has it by then. */
export function compileLater(module: LazyModule, cache: Cache | undefined): void {
  if (cache?.folder === undefined || !canUseWorkers() || waiting.some((other) => other.module === module)) return;
  waiting.push({ module, cache });
  note();
}

/** A function was made. */
export function note(): void {
  if (isBusy || waiting.length === 0) return;
  if (timer === undefined) timer = setTimeout(begin, QUIET).unref();
  else timer.refresh();
}

function begin(): void {
  timer = undefined;
  const next = waiting.shift();
  // A program that changes built-in objects has its functions made elsewhere; the next process may be another.
  if (next === undefined || changedIntrinsic() !== undefined) return;
  const { module, cache } = next;
  isBusy = true;
  const done = (): void => {
    isBusy = false;
    note();
  };
  if (cache.has(keyHash(module.key))) {
    done();
    return;
  }
  const { job, key } = module;
  // Where it fails the next process tries again.
  compileWhole({ bytes: job.bytes, settings: job.settings, hash: key.module, folder: cache.folder }).then(done, done);
}

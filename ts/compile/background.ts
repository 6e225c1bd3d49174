/**
 * What becomes of a module that is compiled function by function. When the thread has had nothing to compile for a while one worker thread compiles all of it and writes the artifact to the cache: the
 * next process finds all of the code there. Where the process ends before, it leaves what it has made. Nothing here keeps the process alive.
 */
import { changedIntrinsic } from '../base/changes.js';
import type { Cache } from './cache.js';
import { keepMade } from './lazy.js';
import type { LazyModule } from './module_code.js';
import type { Part } from './part.js';
import { canUseWorkers, compileWhole } from './pool.js';
import { keyHash } from './settings.js';

/** Milliseconds without a first call: programs that end before have their processor time for themselves. */
const QUIET = 1000;

/** A module of which functions are made. */
export interface Growing {
  readonly module: LazyModule;
  readonly cache: Cache;
  /** What was made, the trampolines first; undefined where the cache had all of that. */
  parts(): readonly Part[] | undefined;
  /** The cache has all of the module now. */
  done(): void;
}

/** Those of which the cache has not all. */
const growing: Growing[] = [];
let isBusy = false;
let isListening = false;
let timer: NodeJS.Timeout | undefined;

/** A module's functions are being made. */
export function compileLater(entry: Growing): void {
  if (entry.cache.folder === undefined || growing.some(({ module }) => module === entry.module)) return;
  growing.push(entry);
  if (!isListening) process.on('exit', keepAll);
  isListening = true;
  note();
}

/** Nothing calls the module's code any more. */
export function forgetGrowing(module: LazyModule): void {
  const at = growing.findIndex((entry) => entry.module === module);
  if (at >= 0) growing.splice(at, 1);
}

/** A function was made. */
export function note(): void {
  if (isBusy || growing.length === 0 || !canUseWorkers()) return;
  if (timer === undefined) timer = setTimeout(begin, QUIET).unref();
  else timer.refresh();
}

function begin(): void {
  timer = undefined;
  const [next] = growing;
  // A program that changes built-in objects has its functions made elsewhere; the next process may be another.
  if (next === undefined || changedIntrinsic() !== undefined) return;
  const { job, key } = next.module;
  const finish = (): void => {
    forgetGrowing(next.module);
    next.done();
    isBusy = false;
    note();
  };
  if (next.cache.has(keyHash(key))) {
    finish();
    return;
  }
  isBusy = true;
  // Where it fails another process tries again.
  compileWhole({ bytes: job.bytes, settings: job.settings, hash: key.module, folder: next.cache.folder }).then(finish, finish);
}

/** The process ends. */
function keepAll(): void {
  if (changedIntrinsic() !== undefined) return;
  for (const { module, cache, parts } of growing) {
    const made = parts();
    if (made !== undefined && !cache.has(keyHash(module.key))) keepMade(module, made, cache);
  }
}

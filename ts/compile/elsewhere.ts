/**
 * The whole way from a module to its artifact in another thread: where JavaScript's built-in objects were changed in this one.
 */
import { runElsewhere } from '../source/errand_thread.js';
import type { Artifact } from './artifact.js';
import type { Cache } from './cache.js';
import type { CompileSettings } from './settings.js';

/** What the thread is told. */
export interface WholeModule {
  readonly bytes: Uint8Array;
  readonly settings: CompileSettings;
  readonly hash: string | undefined;
  /** The folder of the cache. */
  readonly folder: string | undefined;
}

/** Compiles a module there, with the cache there. `place` is what was changed here. */
export function compileElsewhere(
  bytes: Uint8Array,
  settings: CompileSettings,
  hash: string | undefined,
  cache: Cache | undefined,
  place: string,
): Artifact {
  const input: WholeModule = { bytes, settings, hash, folder: cache?.folder };
  return runElsewhere('compile', input, place) as Artifact;
}

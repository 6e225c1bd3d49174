/** A module's code, or what makes it. */
import type { Artifact } from './artifact.js';
import type { Part } from './part.js';
import type { Job } from './work.js';

/** All that an artifact says of a module but its code, and how to compile that. */
export interface LazyModule extends Pick<Artifact, 'key' | 'description' | 'names' | 'handlers' | 'stackPointer'> {
  readonly job: Job;
  /** Functions that an earlier process has made, with the trampolines. */
  readonly made?: Part;
}

/** A module with its code, or with what makes it. */
export type ModuleCode = Artifact | LazyModule;

/** Whether a module has no code yet. */
export function isLazy(code: ModuleCode): code is LazyModule {
  return 'job' in code;
}

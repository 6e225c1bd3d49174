/**
 * How a thread's modules are compiled: for this machine, with the options that their callers gave, and how long it took.
 */

import { contains, env, joined, now, pieces, selected } from '../base/intrinsics.js';
import { Cache } from '../compile/cache.js';
import type { CompileOptions } from '../compile/compile.js';
import { platform } from '../errors/catalog.js';
import type { Native } from '../link/native.js';
import { flag, standardOptionsOf } from '../source/options.js';
import { pointerChoice, type ShadowStackOptions, shadowOption } from './shadow.js';

/** How a module is to be compiled. */
export interface ModuleOptions {
  /** Loops can be interrupted (deadlines, `worker.terminate()`); true unless said otherwise. */
  readonly interruptible?: boolean;
  /**
   * Where calls that wait at the same time have their C stacks; false where they are to share one. In a module with stack-switching
   * instructions, which manages such stacks itself without it, they go with its continuations.
   */
  readonly shadowStack?: ShadowStackOptions | false;
}

/** What they are, by name. */
export const moduleTable = { interruptible: flag, shadowStack: shadowOption };

const readOptions = standardOptionsOf('a module', moduleTable);

/** Which of its variants a module's code is. */
export interface CodeVariant {
  /** Every access of a memory without guards is checked. */
  readonly checked: boolean;
  /** The shadow stack's pointer is kept in its area. Such code does for instances that need no such check, too. */
  readonly stackChecks: boolean;
}

/**
 * The CPU's features that code may use: all, or those that HEDDLE_CPU names, separated by commas. Throws an error for one that this CPU
 * has not.
 */
export function usableFeatures(native: Native): string[] {
  const features = native.cpuFeatures();
  const names = env['HEDDLE_CPU'];
  if (names === undefined) return features;
  const wanted = selected(pieces(names, ','), (name) => name !== '');
  const missing = selected(wanted, (name) => !contains(features, name));
  if (missing.length > 0)
    throw platform(`HEDDLE_CPU names ${joined(missing, ', ')}: this CPU has ${joined(features, ', ') || 'none of these'}`);
  return selected(features, (feature) => contains(wanted, feature));
}

/** One thread's compiling. */
export class Compiling {
  readonly #native: Native;
  #cache: Cache | undefined;
  #time = 0;
  #defaults: ModuleOptions = {};

  constructor(native: Native) {
    this.#native = native;
  }

  /** Milliseconds spent compiling on this thread. */
  get time(): number {
    return this.#time;
  }

  /** From now on these hold for modules that say nothing else. */
  setDefaults(options: ModuleOptions): void {
    this.#defaults = options;
  }

  /** Reads the options of a module. */
  read(given: unknown): ModuleOptions {
    // asks: objects that were just read
    return { ...this.#defaults, ...readOptions(given) };
  }

  /** How modules are compiled for this machine. */
  options({ interruptible, shadowStack }: ModuleOptions, hash?: string, variant: Partial<CodeVariant> = {}): CompileOptions {
    this.#cache ??= Cache.fromEnvironment(undefined, this.#native);
    return {
      target: this.#native.arch,
      cpu: usableFeatures(this.#native),
      cache: this.#cache,
      stackPointer: pointerChoice(shadowStack),
      ...(interruptible !== undefined && { interruptible }),
      ...(hash !== undefined && { hash }),
      ...variant,
    };
  }

  /** Runs something and adds its time. */
  timed<T>(run: () => T): T {
    const start = now();
    try {
      return run();
    } finally {
      this.#time += now() - start;
    }
  }

  /** {@link timed} for promises. */
  async timedAsync<T>(run: () => Promise<T>): Promise<T> {
    const start = now();
    try {
      return await run();
    } finally {
      this.#time += now() - start;
    }
  }
}

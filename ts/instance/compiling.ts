/**
 * How a thread's modules are compiled: for this machine, with the options that their callers gave, and how long it took.
 */

import { contains, env, joined, listOf, now, pieces, placeOf, selected } from '../base/intrinsics.js';
import { Cache } from '../compile/cache.js';
import type { CompileOptions, CompileTime } from '../compile/compile.js';
import { platform, wrongArgument } from '../errors/catalog.js';
import type { Native } from '../link/native.js';
import { flag, oneOf, type Reader, shown, standardOptionsOf } from '../source/options.js';
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
  /**
   * Emscripten's imports `invoke_…`, which call a function of the program's table and catch what it throws, are known by their text: their functions are called without JavaScript, and
   * JavaScript only where one throws. True: those named so are, whatever their text; false: none is.
   */
  readonly emscripten?: boolean;
  /**
   * `lazy`: a function is compiled when it is first called; what is wrong with the module is said before, as ever. `eager`: all are compiled before the module is there. Where neither this nor
   * HEDDLE_COMPILE says which, a module with 8 KiB (8,192 bytes) of function bodies or more is compiled lazily.
   */
  readonly compile?: 'lazy' | 'eager';
  /** Sets of functions that the module imports without being given them: `js-string`. Others are ignored. */
  readonly builtins?: readonly string[];
  /** The module from which immutable globals of externref are strings: their own names. */
  readonly importedStringConstants?: string | null;
}

/** The same, read. */
export interface ReadModuleOptions extends Omit<ModuleOptions, 'builtins'> {
  /** Whether `js-string` is among them. */
  readonly builtins?: boolean;
}

/** Those that hold for all modules of a program, by name. @internal */
export const moduleTable = { interruptible: flag, shadowStack: shadowOption, emscripten: flag, compile: oneOf(['lazy', 'eager']) };

/** A sequence of strings, as Web IDL has it; null has none, as V8 has it. */
const builtinsOption: Reader<boolean> = (value) => {
  if (value === null) return false;
  if ((typeof value !== 'object' && typeof value !== 'function') || value === undefined)
    throw wrongArgument(`the option builtins must be a list, not ${shown(value)}`);
  const names = listOf(value);
  return placeOf(names, (name) => `${name as string}` === 'js-string') >= 0; // Throws a TypeError for symbols.
};

const stringsOption: Reader<string | null> = (value) => (value === null ? null : `${value as string}`);

/** Reads the options of a module. Throws a TypeError for what is none. @internal */
export const readModuleOptions: (given: unknown) => ReadModuleOptions = standardOptionsOf('a module', {
  ...moduleTable,
  builtins: builtinsOption,
  importedStringConstants: stringsOption,
});

/** Which of its variants a module's code is. @internal */
export interface CodeVariant {
  /** Every access of a memory without guards is checked. */
  readonly checked: boolean;
  /** The shadow stack's pointer is kept in its area. Such code does for instances that need no such check, too. */
  readonly stackChecks: boolean;
}

/**
 * The CPU's features that code may use: all, or those that HEDDLE_CPU names, separated by commas. Throws an error for one that this CPU
 * has not.
 * @internal
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

/** What HEDDLE_COMPILE says. Throws a TypeError where it is something else. */
function usualTime(): CompileTime | undefined {
  const time = env['HEDDLE_COMPILE'];
  if (time === undefined || time === '' || time === 'lazy' || time === 'eager') return time === '' ? undefined : time;
  throw wrongArgument(`HEDDLE_COMPILE must be lazy or eager, not ${time}`);
}

/** One thread's compiling. @internal */
export class Compiling {
  readonly #native: Native;
  #cache: Cache | undefined;
  #time = 0;
  #defaults: ReadModuleOptions = {};

  constructor(native: Native) {
    this.#native = native;
  }

  /** Milliseconds spent compiling on this thread. */
  get time(): number {
    return this.#time;
  }

  /** From now on these hold for modules that say nothing else. */
  setDefaults(options: ReadModuleOptions): void {
    this.#defaults = options;
  }

  /** Reads the options of a module, and adds those that hold for all. */
  read(given: unknown): ReadModuleOptions {
    return this.withDefaults(readModuleOptions(given));
  }

  /** Options that were read already. */
  withDefaults(options: ReadModuleOptions): ReadModuleOptions {
    // asks: objects that were just read
    return { ...this.#defaults, ...options };
  }

  /** How modules are compiled for this machine. */
  options(
    { interruptible, shadowStack, compile = usualTime() }: ReadModuleOptions,
    hash?: string,
    variant: Partial<CodeVariant> = {},
  ): CompileOptions {
    this.#cache ??= Cache.fromEnvironment(undefined, this.#native);
    // Perf is told of whole modules.
    const time = env['HEDDLE_PERF_MAP'] === '1' ? 'eager' : compile;
    return {
      target: this.#native.arch,
      cpu: usableFeatures(this.#native),
      cache: this.#cache,
      stackPointer: pointerChoice(shadowStack),
      ...(interruptible !== undefined && { interruptible }),
      ...(time !== undefined && { compile: time }),
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

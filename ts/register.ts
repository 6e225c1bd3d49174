/**
 * `heddle/register`: the global `WebAssembly` of this thread and of its workers is Heddle's in place of V8's, so that programs run on it as they are:
 *
 *     node --import heddle/register app.mjs
 *     HEDDLE_OPTIONS='{"stack":{"size":262144}}' node --import heddle/register app.mjs
 */
import { syncBuiltinESMExports } from 'node:module';
import workerThreads, { type WorkerOptions } from 'node:worker_threads';
import { WebAssembly } from './api/index.js';
import type { V8WebAssembly } from './base/v8_types.js';
import { wrongArgument } from './errors/catalog.js';
import { type ModuleOptions, moduleTable } from './instance/compiling.js';
import { theEngine } from './instance/engine.js';
import { type NativeOptions, nativeTable } from './link/native_options.js';
import { optionsOf } from './source/options.js';
import { packagePath } from './source/package_root.js';

const readOptions = optionsOf('HEDDLE_OPTIONS', { ...nativeTable, ...moduleTable });

/** `HEDDLE_OPTIONS` as an object; undefined where it is not set. */
function optionsOfEnvironment(): (NativeOptions & ModuleOptions) | undefined {
  const text = process.env['HEDDLE_OPTIONS'];
  if (text === undefined || text === '') return undefined;
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch (error) {
    throw wrongArgument(`HEDDLE_OPTIONS is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  return readOptions(given);
}

/** What makes a thread or process of Node's do the same. (`--import` comes too late for workers of text, before Node 26.) */
const HOOK: readonly string[] = ['--require', packagePath('dist/register.cjs')];

/** Adds the hook to options of Node's. */
export function hooked(execArgv: readonly string[]): string[] {
  return execArgv.includes(HOOK[1] as string) ? [...execArgv] : [...HOOK, ...execArgv];
}

const { Worker } = workerThreads;

/** Workers with options of their own, and those of text, would begin without the hook. */
class HookedWorker extends Worker {
  // biome-ignore lint/correctness/noUnreachableSuper: the second one runs only where the first has thrown
  constructor(filename: string | URL, options: WorkerOptions = {}) {
    const { execArgv = process.execArgv } = options;
    try {
      super(filename, { ...options, execArgv: hooked(execArgv) });
    } catch (error) {
      if (options.execArgv !== undefined || !isRefusal(error)) throw error;
      // Options of the whole process, which a worker has anyway.
      const refused = error.message.slice(error.message.lastIndexOf(':') + 1).split(',');
      const allowed = execArgv.filter((one) => !refused.some((flag) => one.split('=')[0] === flag.trim().split('=')[0]));
      super(filename, { ...options, execArgv: hooked(allowed) });
    }
  }
}

function isRefusal(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_INVALID_EXEC_ARGV';
}

function hookWorkers(): void {
  Object.defineProperty(HookedWorker, 'name', { value: 'Worker' });
  workerThreads.Worker = HookedWorker;
  syncBuiltinESMExports();
}

let v8: V8WebAssembly | undefined;

/**
 * Puts Heddle's `WebAssembly` in V8's place, with the options of `HEDDLE_OPTIONS`: those of `configure`, and `interruptible`, `shadowStack`, `emscripten` and `compile` for modules
 * that say nothing else. Returns V8's own; from the second time on it does nothing else. Throws a TypeError or RangeError for wrong options.
 */
export function register(): V8WebAssembly {
  if (v8 !== undefined) return v8;
  const options = optionsOfEnvironment();
  if (options !== undefined) {
    const { interruptible, shadowStack, emscripten, compile, ...native } = options;
    const engine = theEngine();
    engine.configure(native);
    engine.compiling.setDefaults({
      ...(interruptible !== undefined && { interruptible }),
      ...(shadowStack !== undefined && { shadowStack }),
      ...(emscripten !== undefined && { emscripten }),
      ...(compile !== undefined && { compile }),
    });
  }
  v8 = Reflect.get(globalThis, 'WebAssembly') as V8WebAssembly;
  hookWorkers();
  Object.defineProperty(globalThis, 'WebAssembly', { value: WebAssembly, writable: true, enumerable: false, configurable: true });
  return v8;
}

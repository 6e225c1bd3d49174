/**
 * The codegen crate: loaded once per thread; the compiled module goes to worker threads.
 */
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { Codegen } from '../../codegen/dist/heddle_codegen.js';
import { internal, unsupported } from '../errors/catalog.js';
import { V8 } from '../errors/v8.js';
import { packagePath } from './package_root.js';

interface Glue {
  instantiate(module: WebAssembly.Module, namespace: typeof WebAssembly): Codegen;
}

const glue = (await import(pathToFileURL(packagePath('codegen/dist/heddle_codegen.js')).href)) as Glue;

let compiled: WebAssembly.Module | undefined;
let instance: Codegen | undefined;

/** The crate as a compiled module, for worker threads. */
export function crateModule(): WebAssembly.Module {
  compiled ??= new V8.Module(readFileSync(packagePath('codegen/dist/heddle_codegen.wasm')));
  return compiled;
}

/** Takes the module that another thread compiled. */
export function useCrateModule(module: WebAssembly.Module): void {
  compiled = module;
}

/** This thread's instance of the crate. */
export function crate(): Codegen {
  instance ??= glue.instantiate(crateModule(), V8);
  return instance;
}

/** Forgets this thread's instance: after a panic its memory is not to be trusted. */
export function dropCrate(): void {
  instance = undefined;
}

/**
 * Runs something of the crate. Its own errors pass as they are. Where it panicked (V8 reports a WebAssembly trap) or overran the stack, the instance is
 * dropped, since its memory is not to be trusted, and the error becomes a typed one; the next use gets a fresh instance.
 */
export function withCrate<T>(use: (crate: Codegen) => T): T {
  try {
    return use(crate());
  } catch (error) {
    const overrun = error instanceof RangeError && error.message.includes('call stack');
    if (!overrun && !(error instanceof V8.RuntimeError)) throw error;
    dropCrate();
    throw overrun ? unsupported('a module nested so deeply') : internal(`the code generator failed: ${error.message}`, error);
  }
}

/**
 * The codegen crate: loaded once per thread; the compiled module goes to worker threads.
 */
import { existsSync, readFileSync } from 'node:fs';
import { brotliDecompressSync } from 'node:zlib';
import { type Codegen, instantiate } from '#codegen';
import type { V8WebAssembly, WebAssembly } from '../base/v8_types.js';
import { internal, unsupported } from '../errors/catalog.js';
import { V8 } from '../errors/v8.js';
import { packagePath } from './package_root.js';

let compiled: WebAssembly.Module | undefined;
let instance: Codegen | undefined;
/** The instance's memory. */
let memory: WebAssembly.Memory | undefined;
/** The instance that something is being done with. */
let busy: Codegen | undefined;

let provider: (() => Codegen | undefined) | undefined;

/** The code generator's module. The published package has it compressed: it is read only where no code of it is there for the machine. */
export function codegenBytes(): Uint8Array {
  const plain = packagePath('codegen/dist/heddle_codegen.wasm');
  return existsSync(plain) ? readFileSync(plain) : new Uint8Array(brotliDecompressSync(readFileSync(`${plain}.br`)));
}

/** SHA-256 of {@link codegenBytes} in hexadecimal, as its build wrote it. */
export function codegenHash(): string {
  const manifest = JSON.parse(readFileSync(packagePath('codegen/dist/manifest.json'), 'utf8')) as {
    readonly artifacts: Readonly<Record<string, string>>;
  };
  return manifest.artifacts['codegen/dist/heddle_codegen.wasm'] ?? '';
}

/** The crate as V8's compiled module, for worker threads. */
export function crateModule(): WebAssembly.Module {
  compiled ??= new V8.Module(codegenBytes() as Uint8Array<ArrayBuffer>);
  return compiled;
}

/** Of the instance that is in use, or was made last. */
let life = { isOver: false };

/** Functions of the crate's that free an object: called by hand, and by V8 when it has collected what stood for it. */
const FREES = /^__wbg_.*_free$/;

/** The exports of an instance, of which nothing is freed any more once the instance was dropped: its memory is not to be trusted. */
function guarded(exports: object, of: typeof life): Record<string, unknown> {
  const all: Record<string, unknown> = {};
  for (const [name, value] of Object.entries<unknown>({ ...exports })) {
    const free = value as (pointer: number, unchecked: number) => void;
    all[name] = FREES.test(name) ? (pointer: number, unchecked: number) => (of.isOver ? undefined : free(pointer, unchecked)) : value;
  }
  return all;
}

/** Makes an instance of the crate from a module of `namespace`. */
export function instantiateCodegen(module: WebAssembly.Module, namespace: V8WebAssembly): Codegen {
  const { Instance, Module } = namespace;
  const Noted = class extends Instance {
    constructor(of: WebAssembly.Module, imports?: WebAssembly.Imports) {
      super(of, imports);
      memory = this.exports['memory'] as WebAssembly.Memory;
      life = { isOver: false };
      Object.defineProperty(this, 'exports', { value: guarded(this.exports, life) });
    }
  };
  return instantiate(module as never, { Module, Instance: Noted } as never);
}

/** Bytes of memory that this thread's instance has. They never become fewer. */
export function crateSize(): number {
  return memory?.buffer.byteLength ?? 0;
}

/** Goes on with a fresh instance, and gives the pages of the old one back to the system by `discard`. Requires: everything of it was freed. */
export function renewCrate(discard: (bytes: Uint8Array) => void): void {
  const buffer = memory?.buffer;
  dropCrate();
  if (buffer !== undefined) discard(new Uint8Array(buffer));
}

/** Sets who makes this thread's instances; where that gives none, V8 does. */
export function provideCodegen(from: () => Codegen | undefined): void {
  provider = from;
}

/** Takes the module that another thread compiled. */
export function useCrateModule(module: WebAssembly.Module): void {
  compiled = module;
}

/** This thread's instance of the crate. */
export function crate(): Codegen {
  instance ??= provider?.() ?? instantiateCodegen(crateModule(), V8);
  return instance;
}

/** Forgets this thread's instance: after a panic its memory is not to be trusted. */
export function dropCrate(): void {
  life.isOver = true;
  instance = undefined;
  memory = undefined;
}

/** Whether something that was made with an instance is to be used no more: the instance was dropped, or was left in the middle. */
export function isDropped(of: Codegen): boolean {
  return instance !== of || busy === of;
}

/** Whether an error says that a stack is used up. */
export function isOverrun(error: unknown): boolean {
  return error instanceof RangeError && error.message.includes('call stack');
}

let passing = false;

/** Runs something in which an overrun of the stack says nothing about a module: the caller has used it up, and gets the RangeError. */
export function passingOverruns<T>(run: () => T): T {
  const before = passing;
  passing = true;
  try {
    return run();
  } finally {
    passing = before;
  }
}

/**
 * Runs something of the crate. Its own errors pass as they are. Where it panicked (V8 reports a WebAssembly trap) or overran the stack, the instance is
 * dropped, since its memory is not to be trusted, and the error becomes a typed one; the next use gets a fresh instance. So does a use inside another, by JavaScript that a panic's message or a
 * debugger runs, and one after a use that was terminated.
 */
export function withCrate<T>(use: (crate: Codegen) => T): T {
  if (instance !== undefined && busy === instance) dropCrate();
  try {
    busy = crate();
    return use(busy);
  } catch (error) {
    const panicked = error instanceof V8.RuntimeError;
    if (!panicked && !isOverrun(error)) throw error;
    dropCrate();
    if (!panicked && passing) throw error;
    throw panicked ? internal(`the code generator failed: ${error.message}`, error) : unsupported('a module nested so deeply');
  } finally {
    busy = undefined;
  }
}

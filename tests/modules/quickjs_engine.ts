/**
 * QuickJS by quickjs-emscripten-core with host functions that return promises: their import just suspends the call. (The build is the synchronous one, without
 * Asyncify; it was written for synchronous host functions alone.)
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as packaged from '@jitl/quickjs-wasmfile-release-sync';
import {
  newQuickJSWASMModuleFromVariant,
  type QuickJSContext,
  type QuickJSHandle,
  type QuickJSSyncVariant,
  type QuickJSWASMModule,
} from 'quickjs-emscripten-core';
import { WebAssembly as Heddle, type ShadowStackOptions } from '../../ts/index.js';

/** The package's own types say that its default export is one level deeper than it is. */
const variant = packaged.default as unknown as QuickJSSyncVariant;

/** The package's module. */
export const quickJsFile = fileURLToPath(import.meta.resolve('@jitl/quickjs-wasmfile-release-sync/wasm'));

/** Calls a host function: a value's address, or a promise of it where the function is asynchronous. */
type HostCall = (context: number, ...args: number[]) => unknown;

/** What Emscripten's glue calls itself. */
interface Glue {
  _malloc(size: number): number;
  _free(address: number): void;
  stringToUTF8(text: string, address: number, size: number): void;
  lengthBytesUTF8(text: string): number;
  _QTS_ResolveException(context: number, value: number): number;
}

/** Where this build has what the test calls itself. */
const NAMES = { callFunction: 's', evaluate: 'pa', allocate: 'v', free: 'M' } as const;

/** Exports that a shadow stack's space can come from. */
export const quickJsAllocator = { allocate: NAMES.allocate, free: NAMES.free };

/** QuickJS in one instance, and how to evaluate programs that call asynchronous host functions. */
export class QuickJsEngine {
  readonly quickJs: QuickJSWASMModule;
  readonly #glue: Glue;
  readonly #evaluate: (...args: unknown[]) => Promise<unknown>;
  /** By address of a context. */
  readonly #hostCalls: Map<number, HostCall>;

  private constructor(
    quickJs: QuickJSWASMModule,
    glue: Glue,
    evaluate: (...args: unknown[]) => Promise<unknown>,
    hostCalls: Map<number, HostCall>,
  ) {
    this.quickJs = quickJs;
    this.#glue = glue;
    this.#evaluate = evaluate;
    this.#hostCalls = hostCalls;
  }

  static async load(shadowStack: ShadowStackOptions | false): Promise<QuickJsEngine> {
    const hostCalls = new Map<number, HostCall>();
    let glue: Glue | undefined;
    let evaluate: ((...args: unknown[]) => Promise<unknown>) | undefined;
    const instantiateWasm = (imports: { a: Record<string, unknown> }, receive: (instance: object) => void): void => {
      // Without core's dispatcher, which knows of one suspended call at a time: Asyncify has no more.
      const callFunction = new Heddle.Suspending((context: number, ...args: number[]) => hostCalls.get(context)?.(context, ...args));
      const a = { ...imports.a, [NAMES.callFunction]: callFunction };
      void Heddle.instantiate(readFileSync(quickJsFile), { a }, { shadowStack }).then(({ instance }) => {
        evaluate = Heddle.promising(instance.exports[NAMES.evaluate]);
        receive(instance);
      });
    };
    const load = (await variant.importModuleLoader()) as unknown as (options: object) => Promise<unknown>;
    const loader = async (options: object): Promise<unknown> => {
      const made: unknown = await load({ ...options, instantiateWasm });
      glue = made as Glue;
      return made;
    };
    const ours = { ...variant, importModuleLoader: async () => loader } as unknown as QuickJSSyncVariant;
    const quickJs = await newQuickJSWASMModuleFromVariant(ours);
    if (glue === undefined || evaluate === undefined) throw new Error('the glue did not instantiate its module');
    return new QuickJsEngine(quickJs, glue, evaluate, hostCalls);
  }

  /** A context in a runtime of its own, without QuickJS's check of its stack: it measures from where the runtime was made. */
  context(): QuickJSContext {
    const runtime = this.quickJs.newRuntime();
    runtime.setMaxStackSize(0);
    const vm = runtime.newContext();
    const { callFunction } = Reflect.get(vm, 'cToHostCallbacks') as { callFunction: HostCall };
    this.#hostCalls.set(addressOf(vm), callFunction);
    return vm;
  }

  /** Frees what {@link context} made. */
  dispose(vm: QuickJSContext): void {
    const { runtime } = vm;
    this.#hostCalls.delete(addressOf(vm));
    vm.dispose();
    runtime.dispose();
  }

  /** The value of a program. Rejects with what it throws. */
  async evaluate(vm: QuickJSContext, program: string): Promise<unknown> {
    const context = addressOf(vm);
    const [code, name] = [this.#text(program), this.#text('program.js')];
    const result = Number(await this.#evaluate(context, code, this.#glue.lengthBytesUTF8(program), name, 0, 0));
    for (const text of [code, name]) this.#glue._free(text);
    const error = this.#glue._QTS_ResolveException(context, result);
    const memory = Reflect.get(vm, 'memory') as { heapValueHandle(address: number): QuickJSHandle };
    const handle = memory.heapValueHandle(error === 0 ? result : error);
    const value: unknown = vm.dump(handle);
    handle.dispose();
    if (error !== 0) throw value;
    return value;
  }

  #text(text: string): number {
    const size = this.#glue.lengthBytesUTF8(text) + 1;
    const address = this.#glue._malloc(size);
    this.#glue.stringToUTF8(text, address, size);
    return address;
  }
}

function addressOf(vm: QuickJSContext): number {
  return (Reflect.get(vm, 'ctx') as { value: number }).value;
}

/** Gives a program a host function that may return a promise. */
export function defineAsync(vm: QuickJSContext, name: string, fn: (...args: unknown[]) => Promise<number>): void {
  const host = async (...handles: QuickJSHandle[]): Promise<QuickJSHandle> =>
    vm.newNumber(await fn(...handles.map((one) => vm.dump(one) as unknown)));
  // Core awaits what a host function returns where its caller can wait; its types know that of asynchronous builds only.
  vm.newFunction(name, host as unknown as Parameters<QuickJSContext['newFunction']>[1]).consume((fn) => vm.setProp(vm.global, name, fn));
}

// QuickJS from npm, through quickjs-emscripten-core and its own glue, on a WebAssembly namespace that the caller names. With `waits` a host function may give a promise
// that the JavaScript inside then waits for, without Asyncify: the export that evaluates is made with `promising`, the import that calls the host with `Suspending`.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import asyncifyVariant from '@jitl/quickjs-wasmfile-release-asyncify';
import syncVariant from '@jitl/quickjs-wasmfile-release-sync';
import { QuickJSFFI } from '@jitl/quickjs-wasmfile-release-sync/ffi';
import { newQuickJSAsyncWASMModuleFromVariant, newQuickJSWASMModuleFromVariant, newVariant } from 'quickjs-emscripten-core';

/** The name that the glue's import of the host's functions has in the module. */
const CALL_HOST = 's';

const bytes = (name) => readFileSync(createRequire(import.meta.url).resolve(`@jitl/quickjs-wasmfile-release-${name}/wasm`));

/** The variant, instantiated by `namespace`. `adapt` may replace imports. */
function on(namespace, variant, name, adapt = (imports) => imports) {
  const instantiateWasm = (imports, done) => {
    void namespace.instantiate(bytes(name), adapt(imports)).then(({ instance }) => done(instance));
    return {};
  };
  return newVariant(variant, { emscriptenModule: { instantiateWasm } });
}

/** QuickJS whose host functions return plain values. */
export const quickjs = (namespace) => newQuickJSWASMModuleFromVariant(on(namespace, syncVariant, 'sync'));

/** The Asyncify build. */
export const asyncifyQuickjs = (namespace) => newQuickJSAsyncWASMModuleFromVariant(on(namespace, asyncifyVariant, 'asyncify'));

/** The build without Asyncify, whose host functions may return promises all the same. */
export async function waitingQuickjs(namespace) {
  let quick;
  class WaitingFFI extends QuickJSFFI {
    constructor(module) {
      super(module);
      const evaluate = namespace.promising(module._QTS_Eval);
      // The glue's own wrapper would take the C stack back while the call waits: the name is passed in memory of its own.
      this.QTS_Eval_MaybeAsync = async (context, code, length, filename, detect, flags) => {
        const size = module.lengthBytesUTF8(filename) + 1;
        const name = module._malloc(size);
        module.stringToUTF8(filename, name, size);
        try {
          return await evaluate(context, code, length, name, detect, flags);
        } finally {
          module._free(name);
        }
      };
    }
  }
  // The glue's own way to the host is made for Asyncify, where one call at a time may wait; what it leads to returns a value or a promise.
  const callHost = (context, ...args) => quick.callbacks.contextCallbacks.get(context).callFunction(context, ...args);
  const variant = on(namespace, syncVariant, 'sync', (imports) => ({
    a: { ...imports.a, [CALL_HOST]: new namespace.Suspending(callHost) },
  }));
  quick = await newQuickJSAsyncWASMModuleFromVariant({ ...variant, type: 'async', importFFI: async () => WaitingFFI });
  return quick;
}

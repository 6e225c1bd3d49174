import type { QuickJSAsyncWASMModule, QuickJSWASMModule } from 'quickjs-emscripten-core';

/** A WebAssembly namespace: V8's or Heddle's. */
export interface Namespace {
  instantiate(bytes: Uint8Array<ArrayBuffer>, imports: WebAssembly.Imports): Promise<{ readonly instance: { readonly exports: unknown } }>;
}
/** One whose calls may wait for promises. */
export interface WaitingNamespace extends Namespace {
  readonly Suspending: new (fn: (...args: never[]) => unknown) => object;
  promising<F extends (...args: never[]) => unknown>(fn: F): (...args: Parameters<F>) => Promise<ReturnType<F>>;
}
export function quickjs(namespace: Namespace): Promise<QuickJSWASMModule>;
export function asyncifyQuickjs(namespace: Namespace): Promise<QuickJSAsyncWASMModule>;
export function waitingQuickjs(namespace: WaitingNamespace): Promise<QuickJSAsyncWASMModule>;

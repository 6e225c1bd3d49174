/**
 * What the object `WebAssembly` of `heddle` has: it is imported from there, as `WebAssembly.Module`. This page has its classes and functions with all that they take and give.
 *
 * @module heddle: WebAssembly
 */
export { Exception } from '../../ts/api/exception.js';
export { Global, Table, Tag } from '../../ts/api/objects.js';
export { compile, compileStreaming, Instance, instantiate, instantiateStreaming, Module, validate } from '../../ts/api/web_assembly.js';
export type { ErrorClass, MemoryClass, SuspendErrorClass, V8WebAssembly, WebAssembly as V8 } from '../../ts/base/v8_types.js';
export { promising } from '../../ts/schedule/promising.js';
export { Suspending } from '../../ts/schedule/suspending.js';

/**
 * Heddle: WebAssembly stack switching for stock Node.js, on native fibers.
 *
 * @module heddle
 */
export * from './api/index.js';
export { type HeddleError, type HeddleErrorFields, isHeddleError } from './errors/catalog.js';
export type { ModuleOptions } from './instance/compiling.js';
export type { NativeStatistics, StackUsage } from './link/native.js';
export type { HeapOptions, NativeOptions, StackOptions } from './link/native_options.js';

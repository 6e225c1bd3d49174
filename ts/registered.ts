/**
 * What `heddle/register` exports (scripts/bundle.mjs makes it).
 *
 * @module heddle/register
 */
import type { V8WebAssembly } from './base/v8_types.js';

/** V8's own `WebAssembly`: the global one is Heddle's from here on. */
export declare const V8: V8WebAssembly;

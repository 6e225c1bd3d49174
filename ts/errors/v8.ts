/**
 * V8's own `WebAssembly`, as it was when Heddle was loaded. Whoever puts Heddle's in its place (`globalThis.WebAssembly = …`) must not send Heddle,
 * whose code generator is WebAssembly that V8 runs, to itself.
 */
export const V8 = Object.freeze(Object.create(null, Object.getOwnPropertyDescriptors(globalThis.WebAssembly))) as typeof WebAssembly;

/**
 * V8 optimises the code generator while it runs; in a process that compiles one module and ends, that work takes a core from the compile and pays
 * back nothing (docs/decisions). The flags hold for the whole process, so only the command line sets them, and only before the code generator is loaded.
 */
import { setFlagsFromString } from 'node:v8';

/** Keeps V8 from optimising WebAssembly of its own in this process. */
export function withoutTierUp(): void {
  setFlagsFromString('--no-wasm-tier-up');
  setFlagsFromString('--no-wasm-dynamic-tiering');
}

/**
 * V8's flags for a process that compiles one module and ends (docs/decisions has the measurements):
 * - optimising the code generator while it runs takes a core from the compile and pays back nothing;
 * - checking all of the code generator's functions before the first one runs takes longer than compiling a small module.
 * The flags hold for the whole process, so only the command line sets them, and only before the code generator is loaded.
 */
import { setFlagsFromString } from 'node:v8';
import { ownCodegenState } from '../compile/own_codegen.js';

const FLAGS = ['--no-wasm-tier-up', '--no-wasm-dynamic-tiering', '--wasm-lazy-validation'];

/** Sets the flags, where V8 will run the code generator. Does nothing to code that heddle runs: V8 never sees it. */
export function startQuickly(): void {
  if (ownCodegenState() === 'there') return;
  for (const flag of FLAGS) setFlagsFromString(flag);
}

// Binaryen's pass Asyncify for the benchmarks: https://github.com/WebAssembly/binaryen/blob/main/src/passes/Asyncify.cpp
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installPackages, packagesFolder } from '../scripts/install_packages.mjs';

/**
 * What turns a module, which is in a file, into its Asyncify build, beside it where no other path is given; it returns the path. Undefined, and it says
 * so, where Binaryen cannot be installed.
 */
export function asyncifier() {
  try {
    installPackages('binaryen');
  } catch (error) {
    console.log(`Asyncify is missing: ${error.message}`);
    return undefined;
  }
  const optimizer = join(packagesFolder, 'binaryen/node_modules/binaryen/bin/wasm-opt');
  return (file, bytes, made = file.replace(/\.wasm$/, '.asyncify.wasm')) => {
    writeFileSync(file, bytes);
    const options = ['--enable-bulk-memory', '--enable-bulk-memory-opt', '--asyncify', '-O3', file, '-o', made];
    execFileSync(process.execPath, [optimizer, ...options], { stdio: ['ignore', 'inherit', 'pipe'] });
    return made;
  };
}

/**
 * Asyncify's functions as a module imports them, which the pass takes for its own; and what each program has to know of them: $mode is 1 while it
 * unwinds, 2 while it rewinds.
 */
export const ASYNCIFY = `
  (import "asyncify" "start_unwind" (func $startUnwind (param i32)))
  (import "asyncify" "stop_unwind" (func $stopUnwind))
  (import "asyncify" "start_rewind" (func $startRewind (param i32)))
  (import "asyncify" "stop_rewind" (func $stopRewind))
  (global $mode (mut i32) (i32.const 0))`;

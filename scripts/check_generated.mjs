#!/usr/bin/env node
// Checks that every generated file is what its table makes, and that the committed WebAssembly artifacts were built from the committed sources.
import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const steps = [
  ...['generate.ts', 'generate_codegen.ts'].map((name) => [
    `contract/${name}`,
    process.execPath,
    ['--import', 'tsx', `contract/${name}`, '--check'],
  ]),
  ['licenses', process.execPath, ['scripts/third_party.mjs', '--check']],
  ['docs', process.execPath, ['scripts/draw_pictures.mjs', '--check']],
  ['codegen', process.execPath, ['scripts/build_codegen.mjs', '--check']],
  ['fuzz', process.execPath, ['scripts/build_fuzz.mjs', '--check']],
];
let failed = false;
for (const [name, command, args] of steps) {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (result.status !== 0) failed = true;
  else console.log(`${name}: up to date`);
}
process.exit(failed ? 1 : 0);

#!/usr/bin/env node
// What must hold before a commit: format, lint, prose, types, layers, intrinsics, generated files, build, tests. `npm run ok`;
// stops at the first thing that is wrong. `npm run ok -- --fix` formats first; `--static` stops before anything is
// built.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './tally.mjs';

const fix = process.argv.includes('--fix');
const node = process.execPath;
const bin = (name) => join(root, 'node_modules/.bin', name);

/** C++ files that are written by hand. */
const native = ['native', 'asm'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(cc|h)$/.test(entry.name) && entry.name !== 'layout.h')
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name)),
);

const steps = [
  ['format and lint', bin('biome'), ['check', ...(fix ? ['--write'] : []), '--error-on-warnings']],
  ['prose', node, ['scripts/check_prose.mjs', ...(fix ? ['--fix'] : [])]],
  ['format of C++', 'clang-format', fix ? ['-i', ...native] : ['--dry-run', '--Werror', ...native]],
  ['types', bin('tsc'), ['-p', 'tsconfig.check.json']],
  ['layers', node, ['scripts/check_layers.mjs']],
  ['arguments', node, ['scripts/check_spreads.mjs']],
  ['intrinsics', node, ['scripts/check_intrinsics.mjs']],
  ['generated files', node, ['scripts/check_generated.mjs']],
  ['addon', node, ['scripts/build_native.mjs']],
  ['tests', node, ['scripts/test.mjs']],
];

const wanted = process.argv.includes('--static') ? steps.slice(0, 5) : steps;
for (const [name, command, args] of wanted) {
  console.log(`== ${name}`);
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (result.error?.code === 'ENOENT') {
    console.error(`${command} is not installed${command === 'clang-format' ? ': apt-get install clang-format' : ': npm ci'}`);
    process.exit(1);
  }
  if (result.status !== 0) {
    console.error(`not ok: ${name}`);
    process.exit(1);
  }
}
console.log('ok');

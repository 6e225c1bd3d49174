#!/usr/bin/env node
// The tests: layers, unit and whole-program tests, and the specification's scripts. Ends with `N passed, N failed`.
//
//   npm test                      everything
//   npm test -- --built           the same, where dist/, the addon and the code generator are known to be those of the sources
//   npm test -- ts/lower          only vitest's tests of these paths
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { MISSING, scriptsFolder } from '../tests/spec/scripts.mjs';
import { EAGER, LAZY } from './compile_times.mjs';
import { root, Tally } from './tally.mjs';

/** Scripts whose code depends on the CPU's features. */
const ARITHMETIC = ['core/simd', 'core/f32', 'core/f64', 'core/float', 'relaxed', 'core/conversions', 'threads/atomic'];

const args = process.argv.slice(2);
const built = args.includes('--built');
const filters = args.filter((arg) => arg !== '--built');
const node = process.execPath;
const tally = new Tally();

// The command line and the worker threads are tested as built.
if (!built) {
  await tally.run('build', node, ['scripts/build_ts.mjs']);
  if (!existsSync(join(root, 'build/Release/heddle.node'))) await tally.run('addon', node, ['scripts/build_native.mjs']);
  await tally.run('code generator', node, ['scripts/build_own_codegen.mjs']);
}
if (filters.length === 0) {
  await tally.run('layers', node, ['scripts/check_layers.mjs']);
  await tally.run('arguments', node, ['scripts/check_spreads.mjs']);
}
await tally.part('vitest', node, ['scripts/vitest_count.mjs', ...filters]);
if (filters.length === 0) {
  await tally.part('frames', node, ['tests/stacks/frames/main.mjs']);
  // A clone of a user's has no scripts: the other tests say enough there.
  const hasScripts = scriptsFolder() !== undefined || Boolean(process.env.CI);
  if (hasScripts) await tally.part('specification', node, ['tests/spec/run.mjs']);
  else console.log(MISSING);
  if (hasScripts) {
    const lazy = { ...process.env, ...LAZY.env };
    await tally.part(`specification, ${LAZY.name}`, node, ['tests/spec/run.mjs'], { env: lazy });
    const eager = { ...process.env, ...EAGER.env };
    await tally.part(`specification, core, ${EAGER.name}`, node, ['tests/spec/run.mjs', 'core/'], { env: eager });
  }
  await tally.part('JS API suite', node, ['tests/js_api/run.mjs']);
  const env = { ...process.env, HEDDLE_CPU: '' };
  if (hasScripts) await tally.part('specification on the oldest CPU', node, ['tests/spec/run.mjs', ...ARITHMETIC], { env });
}
process.exit(tally.finish());

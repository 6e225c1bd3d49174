#!/usr/bin/env node
// The tests of control with an addon whose continuation records begin a few generations before their last: `node scripts/test_generations.mjs`. What takes
// 2^40 uses of one record otherwise then happens all the time. The code checks each raw store into a buffer while it runs. Ends with `N passed, N failed`.
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { root, Tally } from './tally.mjs';

/** Uses that a record has left: a few, so that its end comes at every kind of operation, whatever came before. */
const LEFT = 6;
const START = 2 ** 40 - 1 - LEFT;

const folder = join(root, 'build-generations');
mkdirSync(folder, { recursive: true });
for (const name of ['binding.gyp', 'native', 'asm']) {
  rmSync(join(folder, name), { force: true });
  symlinkSync(join(root, name), join(folder, name));
}

const tally = new Tally();
const node = process.execPath;
await tally.run('addon', node, ['scripts/build_native.mjs', '--in', folder], {
  // Not optimised across files, which takes most of the time: nothing here depends on it.
  env: { ...process.env, HEDDLE_GENERATION_START: String(START), HEDDLE_LTO: '-O2' },
});
const env = {
  ...process.env,
  HEDDLE_ADDON: join(folder, 'build/Release/heddle.node'),
  HEDDLE_GENERATIONS_LEFT: String(LEFT),
  HEDDLE_DEBUG_STORES: '1',
};
await tally.part('vitest', node, ['scripts/vitest_count.mjs', 'tests/control', 'tests/continuations', 'tests/api'], { env });
await tally.part('specification', node, ['tests/spec/run.mjs'], { env });
await tally.part('control fuzzer', node, ['--import', 'tsx', 'tests/fuzz/control/main.ts', '--programs', '1000', '--engine', 'heddle'], {
  env,
});
process.exit(tally.finish());

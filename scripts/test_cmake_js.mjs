#!/usr/bin/env node
// The addon built by cmake-js instead of node-gyp, in build-cmake-js, runs the first example. `node scripts/test_cmake_js.mjs`; the status says whether it does.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from './native_tests.mjs';
import { root } from './tally.mjs';

const folder = 'build-cmake-js';
const prefix = dirname(dirname(process.execPath));
// The headers beside the running Node need no download.
if (existsSync(join(prefix, 'include/node/node.h'))) process.env.npm_config_nodedir = prefix;
try {
  run(process.execPath, ['node_modules/cmake-js/bin/cmake-js', 'build', '-O', folder, '--target', 'heddle']);
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
const env = { ...process.env, HEDDLE_ADDON: join(root, folder, 'Release/heddle.node') };
const { stdout, stderr } = spawnSync('npm', ['start', '--silent'], { cwd: root, encoding: 'utf8', env });
const expected = Array.from({ length: 10 }, (_, i) => `${i + 1}\n`).join('');
console.log(`${stdout}${stderr}`);
process.exit(stdout === expected ? 0 : 1);

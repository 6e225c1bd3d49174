#!/usr/bin/env node
// Builds and runs the C++ tests with CMake; `--sanitize` with AddressSanitizer and UndefinedBehaviorSanitizer. Ends with `N passed, N failed`.
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { root } from './tally.mjs';

const sanitize = process.argv.includes('--sanitize');
const folder = sanitize ? 'build-cmake-sanitize' : 'build-cmake';

function run(command, args) {
  const result = spawnSync(command, args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 });
  if (result.error?.code === 'ENOENT') {
    console.error(`${command} is missing: apt-get install cmake`);
    process.exit(1);
  }
  return result;
}

for (const args of [
  ['-S', '.', '-B', folder, ...(sanitize ? ['-DHEDDLE_SANITIZE=address,undefined'] : [])],
  ['--build', folder, '--parallel', String(availableParallelism())],
]) {
  const { status, stdout, stderr } = run('cmake', args);
  if (status !== 0) {
    console.error(stdout, stderr);
    console.log('0 passed, 1 failed');
    process.exit(1);
  }
}
const { stdout, stderr } = run('ctest', ['--test-dir', folder, '--output-on-failure']);
console.log(stdout, stderr);
const match = /(\d+) tests failed out of (\d+)/.exec(stdout);
const [failed, all] = match === null ? [1, 1] : [Number(match[1]), Number(match[2])];
console.log(`${all - failed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);

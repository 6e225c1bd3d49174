// The C++ side through CMake: how scripts/test_native.mjs and scripts/test_aarch64.mjs build and count it.
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { jobs } from './jobs.mjs';
import { root } from './tally.mjs';

/** Whether a program is on the PATH. */
export const have = (program) =>
  (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

/** The first tool that is missing, as one line that names its package, or null. */
export function missingTool(tools) {
  const missing = tools.find(([program]) => !have(program));
  return missing === undefined ? null : `${missing[0]} is missing: apt-get install ${missing[1]}`;
}

/** What every CMake build needs. */
export const CMAKE_TOOLS = [
  ['cmake', 'cmake'],
  ['make', 'make'],
];

/** Runs a command quietly; prints what it said and throws when it fails. */
export function run(command, args) {
  const result = spawnSync(command, args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28 });
  if (result.status === 0) return result.stdout;
  process.stderr.write(`${result.stdout ?? ''}${result.stderr ?? ''}`);
  throw new Error(`${command} ${args.slice(0, 3).join(' ')} failed${result.error ? `: ${result.error.message}` : ''}`);
}

/** Configures and builds into a folder of the repository. */
export function cmakeBuild(folder, settings) {
  run('cmake', ['-S', '.', '-B', folder, ...settings]);
  run('cmake', ['--build', folder, '--parallel', String(jobs())]);
}

/** Runs the tests of a build, their names and times shown; returns how many passed and failed. */
export function ctest(folder, env = {}) {
  const result = spawnSync('ctest', ['--test-dir', folder, '--output-on-failure', '--parallel', String(jobs())], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...process.env, ...env },
  });
  process.stdout.write(result.stdout ?? '');
  process.stderr.write(result.stderr ?? '');
  const count = /(\d+) tests? failed out of (\d+)/.exec(result.stdout ?? '');
  const failed = count === null ? 1 : Number(count[1]);
  return { passed: count === null ? 0 : Number(count[2]) - failed, failed: result.status !== 0 && failed === 0 ? 1 : failed };
}

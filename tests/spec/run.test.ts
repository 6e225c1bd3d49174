/** Who runs the specification's scripts and has none is told so, and by the status. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../cli/command.js';
import { scriptsFolder } from './scripts.mjs';

test.each([{ CI: '' }, { CI: '1' }])('without scripts it fails: %o', ({ CI }) => {
  const env = { ...process.env, CI, HEDDLE_SPEC_TESTS: join(root, 'no such folder') };
  const { status, stdout } = spawnSync(process.execPath, ['tests/spec/run.mjs'], { cwd: root, encoding: 'utf8', env });
  expect(status).toBe(1);
  expect(stdout).toMatch(/scripts were not found: .*\n0 passed, 1 failed\n$/);
});

test.runIf(scriptsFolder() !== undefined)('so does a name that no script has', () => {
  const { status, stdout } = spawnSync(process.execPath, ['tests/spec/run.mjs', 'nonsense'], { cwd: root, encoding: 'utf8' });
  expect([status, stdout]).toEqual([1, 'no script has nonsense in its name\n0 passed, 1 failed\n']);
});

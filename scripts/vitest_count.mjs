#!/usr/bin/env node
// Runs vitest and ends with `N passed, N failed`. Arguments go to vitest.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jobs } from './jobs.mjs';
import { root, show } from './tally.mjs';

const folder = mkdtempSync(join(tmpdir(), 'heddle-vitest-'));
const json = join(folder, 'result.json');
const workers = process.env.HEDDLE_JOBS === undefined ? [] : [`--maxWorkers=${jobs()}`];
const args = ['run', ...workers, '--reporter=default', '--reporter=json', `--outputFile.json=${json}`, ...process.argv.slice(2)];
const { status } = await show(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), ...args], {
  env: { ...process.env, NO_COLOR: '1' },
});
let passed = 0;
let failed = 0;
try {
  const result = JSON.parse(readFileSync(json, 'utf8'));
  passed = result.numPassedTests;
  // A file that did not load, or whose process died, has no failed test of its own.
  const broken = result.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  );
  failed = result.numFailedTests + broken.length;
} catch {
  failed = 1;
}
rmSync(folder, { recursive: true, force: true });
if (status !== 0 && failed === 0) failed = 1;
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);

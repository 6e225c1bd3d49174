/** A few sequences of the fuzzer, of each of its settings, so that it keeps working between its own runs. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const main = fileURLToPath(new URL('main.mjs', import.meta.url));

// The settings change every 600 seeds.
test.each([570, 1170, 1770])('40 sequences from seed %i', async (seed) => {
  const { stdout } = await promisify(execFile)(process.execPath, [main, '--sequences', '40', '--seed', String(seed)]);
  expect(stdout).toMatch(/\n40 passed, 0 failed\n$/);
});

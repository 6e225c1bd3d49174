import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { resultOf, type Start, withFolder } from '../traps/child.js';

interface Bounds {
  readonly checked: number;
  readonly wrong: readonly string[];
  readonly stages: readonly {
    readonly label: string;
    readonly guarded: boolean;
    readonly pages: readonly number[];
    readonly moved: boolean;
  }[];
}

interface Growing {
  readonly checked: number;
  readonly wrong: readonly string[];
  readonly moved: boolean;
}

const bounds = new URL('programs/bounds.mjs', import.meta.url);
const growing = new URL('programs/growing.mjs', import.meta.url);

/** Every access at every edge, under one kind of bounds check. */
async function checkBounds(start: Start, guarded: boolean): Promise<Bounds> {
  const result = await resultOf<Bounds>(bounds, start);
  expect(result.wrong).toEqual([]);
  // The kind of check is the one that is meant, for every memory; and all stages were reached.
  expect(result.stages.map(({ label, guarded: has, pages }) => [label, has, pages])).toEqual([
    ['bounded', guarded, [1, 2, 3, 5]],
    ['without maximum', guarded, [1, 2, 3, 5]],
    ['shared', guarded, [1, 2, 3, 5]],
    ['without pages', guarded, [0, 1, 2, 4]],
    ['full', guarded, [2]],
  ]);
  expect(result.checked).toBeGreaterThan(250_000);
  return result;
}

async function checkGrowing(start: Start): Promise<Growing> {
  const result = await resultOf<Growing>(growing, start);
  expect(result.wrong).toEqual([]);
  // Six looks for each of three memories and four hands, and three threads.
  expect(result.checked).toBe(6 * 3 * 4 + (start.args?.includes('alone') === true ? 0 : 3));
  return result;
}

describe('memories with guards', () => {
  test('every access at every edge', () => checkBounds({}, true), 120_000);

  test('growing', async () => {
    expect((await checkGrowing({})).moved).toBe(false);
  });
});

describe('without V8’s trap handler', () => {
  const start = { flags: ['--disable-wasm-trap-handler'] };

  test('every access at every edge', () => checkBounds(start, false), 120_000);

  test('growing', () => checkGrowing(start));
});

/** Kilobytes of address space: not enough for a memory with guards. */
const LITTLE = 8_000_000;

/** Newer Nodes make memories without guards where address space is short. They are looked for where these variables say. */
describe.each(['24', '26'])('Node %s with little address space', (major) => {
  const variable = `HEDDLE_NODE_${major}`;
  const node = process.env[variable] ?? '';

  if (node === '') {
    test(`is not here: ${variable} does not name one`, ({ skip }) => {
      // The one reason to skip: a variable that is set must be right, which the test below sees.
      expect(process.env[variable] ?? '').toBe('');
      skip(`${variable} is not set`);
    });
    return;
  }

  test('is what its variable says', () => {
    const { status, stdout } = spawnSync(node, ['--version'], { encoding: 'utf8' });
    expect([status, stdout.trim()]).toEqual([0, expect.stringMatching(new RegExp(`^v${major}\\.`))]);
  });

  /** Runs something with little address space, with all code compiled before: V8 has no room for the compiler's there. */
  async function withCode<T>(use: (start: Start) => Promise<T>): Promise<T> {
    return withFolder(async (folder) => {
      const env = { HEDDLE_CACHE: folder, HEDDLE_TEST_MODULES: folder };
      await use({ node, env, flags: ['--disable-wasm-trap-handler'] });
      return use({ node, env, addressSpace: LITTLE });
    });
  }

  test('every access at every edge', async () => {
    const { stages } = await withCode((start) => checkBounds(start, false));
    // A memory without maximum moves when it grows: base and length are read anew.
    expect(stages.find(({ label }) => label === 'without maximum')?.moved).toBe(true);
  }, 120_000);

  test('growing', async () => {
    // V8 itself ends the process where it has no room for the code of one more thread.
    expect((await withCode((start) => checkGrowing({ ...start, args: ['alone'] }))).moved).toBe(true);
  });

  test('with enough of it there are guards', async () => {
    await checkBounds({ node }, true);
    expect((await checkGrowing({ node })).moved).toBe(false);
  }, 240_000);
});

/** What snapshots take of memory and of stacks. */
import { expect, test } from 'vitest';
import { resultOf } from '../traps/child.js';

const program = new URL('programs/snapshots.mjs', import.meta.url);
const run = <T>(kind: string, count: number): Promise<T> => resultOf<T>(program, { args: [kind, String(count)] });
const NOTHING_LEFT = { stacksLive: 0, continuationCopies: 0, hibernatedBytes: 0 };

test('copies count against stack.memory: one more is a trap, after which all that there are go on', async () => {
  const memory = 2 ** 22;
  const result = await run<{ made: number; bytes: number; message: string }>('limit', memory);
  // A snapshot of state i ends with a sum of i ones.
  expect(result).toMatchObject({ code: 'HEDDLE_TRAP_TOO_MANY_STACKS', ends: [0, 1, 1000], again: 100, after: NOTHING_LEFT });
  expect(result.message).toMatch(/stack\.memory/);
  expect(result.bytes).toBeLessThanOrEqual(memory + 1024);
  expect(result.bytes).toBeGreaterThan(memory / 2);
});

test('stacks whose originals have ended are emptied, and their snapshots go on there', async () => {
  const count = 5000;
  expect(await run('ended', count)).toEqual({
    stacksLive: count,
    continuationCopies: count,
    emptied: count,
    stacksHibernated: count,
    ends: true,
    after: NOTHING_LEFT,
  });
});

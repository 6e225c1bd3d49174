/** HEDDLE_DEBUG_SNAPSHOT: nothing but a suspended chain itself holds an address inside its frames. */
import { expect, test } from 'vitest';
import { resultOf, runProgram } from '../traps/child.js';

const program = new URL('programs/snapshots.mjs', import.meta.url);
const env = { HEDDLE_DEBUG_SNAPSHOT: '1' };

test('each collection is followed by the check, where it is asked for', async () => {
  expect(await resultOf(program, { env })).toEqual({ checks: 2, doubts: 0, waiting: 2 });
  expect(await resultOf(program)).toEqual({ checks: 0, doubts: 0, waiting: 2 });
});

test('an address that is planted ends the process, and is named', async () => {
  const ended = await runProgram(program, { args: ['plant'], env });
  expect(ended.signal).toBe('SIGABRT');
  expect(ended.errors).toMatch(
    /^heddle: snapshot check: the payload of record \d+ holds 0x[0-9a-f]+, inside the frames of suspended fiber \d+\n$/,
  );
  expect(ended.output).toBe('');
  expect((await resultOf<{ readonly waiting: number }>(program, { args: ['plant'] })).waiting).toBe(2);
});

test("the specification's scripts of stack switching pass with a collection and a check at every safepoint", async () => {
  const run = await runProgram(new URL('../spec/run.mjs', import.meta.url), {
    args: ['stack-switching'],
    env: { ...env, HEDDLE_COLLECT: 'always' },
  });
  expect(run.errors).not.toContain('snapshot check');
  expect(run.output).toMatch(/^\d+ passed, 0 failed$/m);
  expect(run.status).toBe(0);
}, 120_000);

/** Type ids: no two types that live have one, and none is lost. Each part runs in a process of its own, which ends where something alive names a type that is no more. */
import { describe, expect, test } from 'vitest';
import { resultOf } from '../traps/child.js';

const run = (part: string, env: Readonly<Record<string, string>> = {}): Promise<Record<string, unknown>> =>
  resultOf(new URL('programs/types.mjs', import.meta.url), {
    flags: ['--expose-gc'],
    args: [part],
    env: { HEDDLE_DEBUG_TYPES: '1', ...env },
  });

test('modules with 3,000,000 types, each dropped, need no help', async () => {
  expect(await run('dropped')).toEqual({ most: true, go: '7', later: '1' });
});

test('2^20 - 1 types live at most; one more is an error that leaves everything as it was', async () => {
  expect(await run('full')).toEqual({
    full: 2 ** 20 - 1,
    module: 'RangeError HEDDLE_TYPES',
    tag: 'RangeError HEDDLE_TYPES',
    compile: 'RangeError HEDDLE_TYPES',
    again: 'nothing',
    still: 2 ** 20 - 1,
    dropped: true,
    then: '5',
    first: 'nothing',
  });
});

test('everything that names a type keeps it, and gives it back', async () => {
  const seen = await run('keepers');
  for (const [name, what] of Object.entries(seen)) expect({ name, what }).toEqual({ name, what: { keeps: true, given: true } });
  expect(Object.keys(seen)).toHaveLength(11);
});

describe.each(['', 'always'])('with HEDDLE_COLLECT=%s', (always) => {
  test('what runs keeps the types of its module', async () => {
    // The element is another function from the fifth turn on: the call by type traps.
    expect(await run('running', always === '' ? {} : { HEDDLE_COLLECT: always })).toEqual({
      trap: 'RuntimeError HEDDLE_TRAP_INDIRECT_CALL_TYPE',
      others: 5,
    });
  });
});

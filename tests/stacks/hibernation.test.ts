/** Suspended stacks whose contents are put aside: when, which, and that nothing is lost. */
import { expect, test } from 'vitest';
import { resultOf, runProgram } from '../traps/child.js';

type Counters = Readonly<Record<string, number>>;
const program = new URL('programs/hibernation.mjs', import.meta.url);
const run = <T>(kind: string, count: number, flags: readonly string[] = []): Promise<T> =>
  resultOf<T>(program, { args: [kind, String(count)], flags: ['--expose-gc', ...flags] });

/** What examples/million.wat finishes with. */
const sumOf = (count: number): string => String((count * (count - 1)) / 2 + count);
const NOTHING_LEFT = { continuationsLive: 0, continuationsHibernated: 0, hibernatedBytes: 0, stacksLive: 0, stacksHibernated: 0 };
/** Stacks by which the budget may be passed: 1/32, and one for each 64 live continuations. */
const slack = (budget: number, live: number): number => Math.max(budget / 32, live / 64) + 1;

test('100,000 that hibernate on request take at most 1.2 kB each, and go on', async () => {
  const count = 100_000;
  let each = Number.POSITIVE_INFINITY;
  // What V8 happens to take meanwhile differs; what a continuation takes does not.
  for (let attempt = 0; attempt < 4 && each > 1200; attempt++) {
    const result = await run<{
      emptied: number;
      each: number;
      continuationsHibernated: number;
      stacksHibernated: number;
      sum: string;
      after: Counters;
    }>('asked', count, ['--liftoff-only']);
    expect(result).toMatchObject({ emptied: count, continuationsHibernated: 2 * count, stacksHibernated: 2 * count, sum: sumOf(count) });
    expect(result.after).toMatchObject({ ...NOTHING_LEFT, hibernations: 2 * count, wakes: 2 * count });
    each = Math.min(each, result.each);
  }
  expect(each).toBeLessThanOrEqual(1200);
});

test('past the budget the rest hibernates, below it nothing does', async () => {
  const count = 20_000;
  const result = await run<{ below: number; occupied: number; hibernations: number; sums: string[]; after: Counters }>('budget', count);
  expect(result.below).toBe(0);
  expect(result.occupied).toBeLessThanOrEqual(1000 + slack(1000, count));
  expect(result.occupied).toBeGreaterThanOrEqual(1000);
  expect(result.hibernations).toBe(count - result.occupied);
  expect(result.sums).toEqual([sumOf(500), sumOf(count)]);
  expect(result.after).toMatchObject(NOTHING_LEFT);
});

test('those hibernate first that have been suspended for longest', async () => {
  const count = 4000;
  const { put, hibernations, again, late } = await run<{ put: number; hibernations: number; again: number; late: number }>('oldest', count);
  expect(put).toBeGreaterThan(0);
  expect(put).toBeLessThanOrEqual(count / 8);
  // All that were over the budget, and none of those that were resumed since the first look.
  expect(hibernations).toBeGreaterThanOrEqual((count * 5) / 8 - slack(count, count * 2));
  expect([again, late]).toEqual([0, 0]);
});

test('a hibernated chain keeps what its frames refer to, and one that nothing refers to is freed with all that', async () => {
  const result = await run<{ emptied: number; kept: number; right: boolean; left: number; after: Counters }>('references', 200);
  // Two fibers each.
  expect(result).toMatchObject({ emptied: 400, kept: 200, right: true });
  // A conservative collector may take a word that nobody needs for a reference.
  expect(result.left).toBeLessThanOrEqual(100 + 8);
  expect(result.after['continuationsLive']).toBeLessThanOrEqual(8);
  expect(result.after['wakes']).toBe(100);
});

test.each(['automatic', 'always'])(
  "with hibernation and collection (%s) wherever they can be the specification's scripts give the same",
  async (collect) => {
    const ended = await runProgram(new URL('../spec/run.mjs', import.meta.url), {
      args: ['stack-switching'],
      env: { HEDDLE_HIBERNATE: 'always', HEDDLE_COLLECT: collect },
    });
    expect(ended.output).toMatch(/^\d+ passed, 0 failed$/m);
    expect(ended.status).toBe(0);
  },
  120_000,
);

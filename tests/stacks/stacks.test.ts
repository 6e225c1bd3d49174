/** Many stacks at once, and what happens when there are no more. */
import { expect, test } from 'vitest';
import { resultOf } from '../traps/child.js';

const program = (name: string): URL => new URL(`programs/${name}.mjs`, import.meta.url);

interface Filled {
  readonly live: number;
  readonly left: number;
  readonly sum: string;
  /** Bytes and memory maps that the second half of them brought. */
  readonly resident: number;
  readonly tables: number;
  readonly maps: number;
}

test('200,000 continuations are suspended at once, each in 4.5 kB, with at most 100 memory maps more', async () => {
  const count = 100_000;
  let filled: Filled | undefined;
  let each = Number.POSITIVE_INFINITY;
  // What V8 happens to take meanwhile differs (its optimising compiler takes none here); what a continuation takes does not.
  for (let attempt = 0; attempt < 4 && each > 4500; attempt++) {
    filled = await resultOf<Filled>(program('many'), { flags: ['--liftoff-only'], args: [String(count)] });
    expect(filled).toMatchObject({ live: 2 * count, left: 0, sum: String((count * (count - 1)) / 2 + count) });
    each = Math.min(each, (filled.resident + filled.tables) / count);
  }
  expect(each).toBeLessThanOrEqual(4500);
  expect(filled?.maps).toBeLessThanOrEqual(100);
});

interface Refused {
  readonly code: string;
  readonly message: string;
  readonly live: number;
  readonly sum: string;
}

test.each([
  ['maximum', /option stack\.maximum/],
  ['memory', /option stack\.memory/],
  ['maps', /vm\.max_map_count/],
])('without another stack (%s) a call traps and says what ran out; everything suspended goes on', async (kind, message) => {
  const refused = await resultOf<Refused>(program('refused'), { args: [kind] });
  expect(refused.code).toBe('HEDDLE_TRAP_TOO_MANY_STACKS');
  expect(refused.message).toMatch(message);
  expect(refused.live).toBeGreaterThan(0);
  expect(refused.sum).toBe(String((refused.live * (refused.live - 1)) / 2 + refused.live));
});

const KINDS = ['usual', ...['mmap', 'malloc', 'pool', 'hibernate'].map((kind) => `cont.new strategy=${kind} size=1048576`)];

test.each(KINDS.flatMap((kind) => ['at once', 'later'].map((when) => [kind, when])))(
  'the limit of memory holds for stacks that run deep (%s, %s)',
  async (kind = '', when = '') => {
    const limit = 64 << 20;
    const { code, made, grown } = await resultOf<{ code: string; made: number; grown: number }>(program('deep'), {
      args: [kind, when, String(limit)],
    });
    expect(code).toBe('HEDDLE_TRAP_TOO_MANY_STACKS');
    // None has more than 1 MiB, and what the process takes besides (V8, the code generator, the list of records) is less than the limit.
    expect(made).toBeGreaterThan((limit >> 20) - 2);
    expect(grown).toBeLessThan(2 * limit);
  },
);

test.each([
  ['an unknown strategy', { stack: { strategy: 'heap' } }],
  ['an unknown guard', { stack: { guard: 'none' } }],
  ['a size that is no number', { stack: { size: '64K' } }],
  ['a negative maximum', { stack: { maximum: -1 } }],
])('%s is a TypeError', async (_, options) => {
  const { configure } = await import('../../ts/api/index.js');
  expect(() => configure(options as never)).toThrow(expect.objectContaining({ name: 'TypeError', code: 'HEDDLE_ARGUMENT' }));
});

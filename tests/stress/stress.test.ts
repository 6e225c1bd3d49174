/** Random trees of continuations with resumes, throws, drops, traps, collections and hibernation, each step against a model. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { resultOf, runProgram, type Start } from '../traps/child.js';

const tree = new URL('programs/tree.mjs', import.meta.url);
const STEPS = 20_000;

interface Counted {
  readonly calls: number;
  readonly traps: number;
  /** How often each kind of step was done. */
  readonly did: readonly number[];
  readonly signals: number;
  readonly [counter: string]: unknown;
}

const NOTHING_LEFT = {
  continuationsLive: 0,
  continuationsHibernated: 0,
  hibernatedBytes: 0,
  stacksLive: 0,
  stacksHibernated: 0,
  exceptionsLive: 0,
  instances: 0,
  tables: 0,
  externrefs: 0,
};

function run(seed: number, words: readonly string[], start: Start = {}): Promise<Counted> {
  return resultOf<Counted>(tree, { ...start, flags: ['--expose-gc'], args: [String(seed), String(STEPS), ...words] });
}

const ALWAYS = 'always';
test.each<[string, number, readonly string[], Readonly<Record<string, string>>]>([
  ['as it is', 11, [], {}],
  ['collecting and hibernating at random', 12, ['collect', 'hibernate'], {}],
  ['a collection at every safepoint', 13, [], { HEDDLE_COLLECT: ALWAYS }],
  ['hibernating wherever that can be', 14, [], { HEDDLE_HIBERNATE: ALWAYS }],
  ['both', 15, ['collect', 'hibernate'], { HEDDLE_COLLECT: ALWAYS, HEDDLE_HIBERNATE: ALWAYS }],
  ['a mapping for each stack', 16, ['mmap', 'collect', 'hibernate'], {}],
  ['stacks from malloc', 17, ['malloc', 'collect', 'hibernate'], {}],
])('%s: each fiber comes to what the model says, and nothing is left', async (_, seed, words, env) => {
  const counted = await run(seed, words, { env });
  expect(counted.did.every((times) => times > 0)).toBe(true);
  // A conservative collector may take a word that nobody needs for a reference: here none is in any frame any more.
  expect(counted).toMatchObject(NOTHING_LEFT);
  if (words.includes('hibernate')) expect(counted['wakes']).toBeGreaterThan(0);
});

test('signals come all the while', async () => {
  const child = spawn(process.execPath, ['--expose-gc', fileURLToPath(tree), '18', String(STEPS * 4), 'signals', 'collect', 'hibernate']);
  // Before the program listens, and after it has taken its handlers down, a signal would end it.
  await new Promise((resolve) => child.stderr.once('data', resolve));
  const timer = setInterval(() => child.kill('SIGUSR2'), 2);
  const output = await new Promise<Buffer>((resolve) => child.stdout.once('data', resolve));
  clearInterval(timer);
  child.stdin.end();
  const status = await new Promise((resolve) => child.on('close', resolve));
  expect(status).toBe(0);
  const counted = JSON.parse(output.toString()) as Counted;
  expect(counted.signals).toBeGreaterThan(0);
  expect(counted).toMatchObject(NOTHING_LEFT);
});

describe('an end in the midst', () => {
  test.each([21, 22, 23, 24])('of the process (%i)', async (seed) => {
    const ended = await runProgram(tree, { flags: ['--expose-gc'], args: [String(seed), String(STEPS), 'exit', 'collect', 'hibernate'] });
    expect(ended.errors).toBe('');
    expect(ended.status).toBe(42);
  });

  test('of threads gives everything back', async () => {
    const program = new URL('programs/workers.mjs', import.meta.url);
    const { errors, more } = await resultOf<{ errors: number; more: number }>(program, { flags: ['--expose-gc'], args: ['31', '24'] });
    expect(errors).toBe(0);
    // Memory maps of the second dozen threads: what was mapped for a thread and is not unmapped shows each time.
    expect(more).toBeLessThan(40);
  });
});

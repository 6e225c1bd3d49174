import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { resultOf, runProgram, withFolder } from './child.js';

test("V8's own WebAssembly traps rightly beside Heddle's: before, after, inside imports, in workers", async () => {
  type Outcomes = readonly string[];
  type Places = Readonly<Record<string, Outcomes>>;
  const seen = await resultOf<Readonly<Record<string, Outcomes | Places>>>('v8_traps');
  const { before } = seen;
  // What V8 does before Heddle's addon is in the process is what it must do at all times.
  expect(before).toHaveLength(8);
  expect(before).toContain('RuntimeError: memory access out of bounds');
  expect(before).toContain('RuntimeError: unreachable');
  for (const place of ['workerBefore', 'afterWorker', 'loaded', 'call', 'continuation', 'mixed', 'workerAfter', 'atTheEnd']) {
    expect([place, seen[place]]).toEqual([place, before]);
  }
  for (const worker of ['workerAlone', 'workerToo']) {
    const places = seen[worker] as Places;
    expect(Object.keys(places)).toEqual(['loaded', 'call', 'continuation', 'mixed']);
    for (const outcomes of Object.values(places)) expect(outcomes).toEqual(before);
  }
});

test('a worker that alone uses Heddle comes and goes 200 times', async () => {
  await withFolder(async (folder) => {
    const { seen, resident } = await resultOf<{ seen: Record<string, number>; resident: readonly number[] }>('workers', {
      args: ['200'],
      env: { HEDDLE_CACHE: folder },
    });
    expect(seen).toEqual({ 'out of bounds memory access; 42 (0)': 200 });
    const [early = 0, late = 0] = resident;
    // 150 workers more: a stack that stayed would be 150 times two pages, an engine's reservations much more.
    expect(late - early).toBeLessThan(16 << 20);
  });
}, 120_000);

describe('a process ends with 1,001 continuations suspended', () => {
  test.each([
    ['end', 0, 'left: end\n'],
    ['exit', 3, 'left: exit\n'],
    ['exit later', 3, 'left: exit later\n'],
    ['exit inside an import', 3, 'left: exit inside an import\n'],
    ['exit inside the resumed chain', 3, 'left: exit inside the resumed chain\n'],
    ['uncaught trap', 1, 'left: uncaught trap\n'],
    ['worker', 0, 'left: end\nleft: worker\n'],
    ['worker that exits inside an import', 0, 'left: exit inside an import\nleft: worker that exits inside an import\n'],
    ['terminated worker', 0, 'left: terminated worker\n'],
  ])('%s', async (way, status, output) => {
    const ended = await runProgram('exit', { args: [way] });
    expect(ended).toMatchObject({ status, signal: null, output });
    expect(ended.errors.includes('RuntimeError: unreachable')).toBe(way === 'uncaught trap');
  });
});

test('signals by the thousand while fibers run near the ends of their stacks', async () => {
  type Signals = { rounds: number; overflow: string; depth: number; seen: Record<string, number> };
  const { rounds, overflow, depth, seen } = await resultOf<Signals>('signals');
  // -1 is a wrong sum.
  expect(rounds).toBeGreaterThan(0);
  expect(depth).toBeGreaterThan(1000);
  expect(overflow).toBe('call stack exhausted');
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(0);
});

test('a CPU profile over switches, deep recursion, imports and traps', async () => {
  await withFolder(async (folder) => {
    const flags = ['--cpu-prof', '--cpu-prof-interval', '100', '--cpu-prof-dir', folder];
    const ended = await runProgram('profiled', { flags });
    // 7, 2,000 times 1,000, 50 traps, 2,000 calls of the import.
    expect(ended).toMatchObject({ status: 0, output: `${7 + 2_000_000 + 50 + 2000}\n`, errors: '' });
    const [file = ''] = readdirSync(folder).filter((name) => name.endsWith('.cpuprofile'));
    const profile = JSON.parse(readFileSync(join(folder, file), 'utf8')) as {
      nodes: { callFrame: { functionName: string } }[];
      samples: number[];
    };
    expect(profile.nodes.length).toBeGreaterThan(10);
    expect(profile.samples.length).toBeGreaterThan(100);
  });
});

test('a deadline that passes before a call has its first frame is a trap', async () => {
  expect(await resultOf<number>('at_once')).toBe(300);
});

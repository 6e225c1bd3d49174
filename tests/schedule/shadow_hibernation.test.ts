/**
 * Calls of C modules whose native stacks hibernate while they wait keep their places on the stack in linear memory, and give them back when they are dropped.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Continuation, configure, WebAssembly as Heddle, parseWat, Scheduler, statistics } from '../../ts/index.js';

// A budget of nothing: whatever waits is put aside when another stack is wanted.
configure({ stack: { strategy: 'hibernate' } });

const bytes = (name: string): Uint8Array => readFileSync(new URL(`../modules/c/${name}.wasm`, import.meta.url));
const STACK = 1024 * 1024;

/** locals.c's `work` for one round, by an instance whose calls do not overlap. */
async function alone(seeds: readonly number[]): Promise<unknown[]> {
  const wait = new Heddle.Suspending((value: number) => value + 1);
  const { instance } = await Heddle.instantiate(bytes('locals'), { env: { wait } });
  const work = Heddle.promising(instance.exports['work']);
  const results: unknown[] = [];
  for (const seed of seeds) results.push(await work(seed, 3));
  return results;
}

test('tasks that wait, some of which are cancelled', async () => {
  const scheduler = new Scheduler();
  const wait = new Heddle.Suspending(async (value: number) => scheduler.sleep(value & 7).then(() => value + 1));
  const { instance } = await Heddle.instantiate(bytes('locals'), { env: { wait } }, { shadowStack: { size: 1024 } });
  const seeds = Array.from({ length: 300 }, (_, i) => i);
  const tasks = seeds.map((seed) => scheduler.spawn(instance.exports['work'], [seed, 3]));
  await scheduler.sleep(3);
  for (const seed of seeds) if (seed % 3 === 1) tasks[seed]?.cancel();
  const results = await Promise.allSettled(tasks.map((task) => task.promise));
  const expected = await alone(seeds);
  results.forEach((result, i) => {
    if (i % 3 !== 1) expect(result).toEqual({ status: 'fulfilled', value: expected[i] });
  });
  expect(statistics().hibernations).toBeGreaterThan(0);
  expect(instance.exports['__stack_pointer'].value).toBe(STACK);
});

test('fibers made by imports, suspended, asked, freed and inside a call that waits', async () => {
  const wait = new Heddle.Suspending(async (value: number) => new Promise((resolve) => setImmediate(() => resolve(value))));
  const load = () =>
    new Heddle.Instance(new Heddle.Module(bytes('fibers'), { shadowStack: { size: 1024 } }), { env: { wait, call: () => 0 } }).exports;
  const [one, two] = [load(), load()];
  expect(one['mix'](200, 3)).toBe(two['mix'](200, 3));
  const nest = (exports: typeof one) => Heddle.promising(exports['nest']);
  const depths = [0, 1, 2, 3, 4, 5];
  const overlapping = await Promise.all(depths.map((depth) => nest(one)(depth)));
  const inOrder: unknown[] = [];
  for (const depth of depths) inOrder.push(await nest(two)(depth));
  expect(overlapping).toEqual(inOrder);
  const fibers = Array.from({ length: 50 }, () => one['make'](0) as number);
  for (const fiber of fibers) expect(one['resume'](fiber, 5n)).toBe(15n);
  expect(fibers.map((fiber) => one['status'](fiber) as number)).toEqual(fibers.map(() => 0));
  for (const fiber of fibers.slice(25)) expect(one['resume'](fiber, 0n)).toBe(99n);
  for (const fiber of fibers) one['release'](fiber);
});

test('continuations that are dropped', () => {
  const host = new Heddle.Instance(
    new Heddle.Module(
      parseWat(`(module (type $f (func)) (type $k (cont $f)) (tag $pause (param i32) (result i32))
        (func (export "wait") (param i32) (result i32) (suspend $pause (local.get 0))))`),
    ),
  );
  const module = new Heddle.Module(bytes('locals'), { shadowStack: { size: 1024 } });
  const { exports } = new Heddle.Instance(module, { env: host.exports as Record<string, unknown> });
  for (let round = 0; round < 3; round++) {
    const steps = Array.from({ length: 500 }, (_, i) => new Continuation(exports['work']).resume(i, 1));
    for (const step of steps) if (!step.done) step.continuation.cancel();
  }
  expect(exports['__stack_pointer'].value).toBe(STACK);
});

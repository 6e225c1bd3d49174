/**
 * The proposal's example programs print what their text says. Every expectation is computed here or in example_models.ts, by JavaScript generators that do
 * what the text of the program describes.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runScript } from '../../ts/wast/run.js';
import { actorChain, asyncAwait, switching } from './example_models.js';
import { MISSING, scriptsFolder } from './scripts.mjs';

type Step = 'yield' | { readonly fork: Thread };
type Thread = Generator<Step, void>;
type Log = (value: number) => void;

function range(from: number, to: number): number[] {
  const step = from <= to ? 1 : -1;
  return Array.from({ length: Math.abs(to - from) + 1 }, (_, i) => from + step * i);
}

function fibonacci(count: number): number[] {
  const values = [0, 1];
  while (values.length < count) values.push((values.at(-1) ?? 0) + (values.at(-2) ?? 0));
  return values.slice(0, count);
}

/** The program of the lwt family: main forks three threads, each logs, yields, logs, yields, logs. */
function* worker(id: number, log: Log): Thread {
  log(id);
  yield 'yield';
  log(id + 1);
  yield 'yield';
  log(id + 2);
}

function* forkingMain(log: Log): Thread {
  log(0);
  for (const i of [1, 2, 3]) {
    yield { fork: worker(10 * i, log) };
    log(i);
  }
}

/** What a scheduler does with the thread that stopped: pushes to the queue, and returns who is next. */
type Policy = (step: Step, current: Thread, queue: Thread[]) => Thread | undefined;

const yields: Policy = (_step, current, queue) => {
  queue.push(current);
  return queue.shift();
};

const forking =
  (fork: (thread: Thread, current: Thread, queue: Thread[]) => Thread | undefined, onYield = yields): Policy =>
  (step, current, queue) =>
    step === 'yield' ? onYield(step, current, queue) : fork(step.fork, current, queue);

const continuationFirst = (thread: Thread, current: Thread, queue: Thread[]): Thread => {
  queue.push(thread);
  return current;
};
const threadFirst = (thread: Thread, current: Thread, queue: Thread[]): Thread => {
  queue.push(current);
  return thread;
};

const POLICIES = {
  sync: forking(continuationFirst, (_step, current) => current),
  kt: forking(continuationFirst),
  tk: forking(threadFirst),
  ykt: forking((thread, current, queue) => {
    queue.push(current, thread);
    return queue.shift();
  }),
  ytk: forking((thread, current, queue) => {
    queue.push(thread, current);
    return queue.shift();
  }),
};

/** Runs a main thread; `policies` take turns from step to step. */
function schedule(policies: readonly Policy[]): number[] {
  const printed: number[] = [];
  const queue: Thread[] = [];
  let next: Thread | undefined = forkingMain((value) => printed.push(value));
  for (let turn = 0; next !== undefined; turn++) {
    const { value, done }: IteratorResult<Step, void> = next.next();
    const policy: Policy | undefined = policies[turn % policies.length];
    next = done === true ? queue.shift() : policy?.(value as Step, next, queue);
  }
  return printed;
}

/** The whole output of a program of the lwt family. */
function lwt(policies: readonly (readonly Policy[])[]): number[] {
  return [...policies.flatMap((each, i) => [-1 - i, ...schedule(each)]), -1 - policies.length];
}

const { sync, kt, tk, ykt, ytk } = POLICIES;
const pipes = range(0, 9).flatMap((n) => [-1, n, -2, (n * (n + 1)) / 2]);
const naturals = range(0, 19);
const slices = [0, 5, 10, 15];

const EXPECTED: Readonly<Record<string, readonly number[]>> = {
  // "yielding values from 100 down to 1"
  'generator.wast': range(100, 1),
  // the flag resets the generator after the 42nd value
  'generator-extended.wast': [...range(100, 59), ...range(100, 1)],
  'generators.wast': [
    ...slices.flatMap((at) => [...naturals.slice(at, at + 5), ...fibonacci(20).slice(at, at + 5)]),
    ...range(0, 41),
    ...fibonacci(42),
    range(0, 100).reduce((a, b) => a + b),
    1 + 2 + 3,
  ],
  'pipes.wast': pipes,
  'fun-pipes.wast': pipes,
  // each task enqueues the next one, prints its id, yields, prints it again
  'scheduler1.wast': [0, 1, 0, 2, 1, 3, 2, 3],
  'scheduler2.wast': switching(2),
  'scheduler2-throw.wast': switching(3, 2),
  'async-await.wast': asyncAwait(),
  'actor.wast': actorChain(64),
  'actor-lwt.wast': actorChain(64),
  'fun-actor-lwt.wast': actorChain(64),
  // prints nothing: it asserts what it computes
  'fun-state.wast': [],
  'static-lwt.wast': [-1, 10, 20, 30, 11, 21, 31, 12, 22, 32, -2],
  'lwt.wast': lwt([[sync], [kt], [tk], [ykt], [ytk]]),
  // its `sync` is given the asynchronous `$yield`
  'control-lwt.wast': lwt([[kt], [kt], [tk], [ykt], [ytk]]),
  // its `kt` goes on with `tk`, and `tk` with `kt`
  'fun-lwt.wast': lwt([[sync], [kt, tk], [tk, kt], [ykt], [ytk]]),
};

const folder = scriptsFolder();

describe('stack-switching-examples', () => {
  if (folder === undefined) {
    test(MISSING, () => {
      expect(process.env['CI'], MISSING).toBeUndefined();
    });
    return;
  }
  test('all of them are here', () => {
    expect(readdirSync(join(folder, 'stack-switching-examples')).sort()).toEqual(Object.keys(EXPECTED).sort());
  });

  test.each(Object.entries(EXPECTED))('%s', (name, expected) => {
    const path = join(folder, 'stack-switching-examples', name);
    expect(existsSync(path)).toBe(true);
    const { failures, printed } = runScript(readFileSync(path, 'utf8'));
    expect(failures).toEqual([]);
    expect(printed).toEqual(expected.map((value) => [value]));
  });
});

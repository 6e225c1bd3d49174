/**
 * Tasks: turns, fairness, limits, groups, cancellation, and what they tell.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readFile } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { WebAssembly as Heddle, inspect, parseWat, Scheduler, statistics, type Task } from '../../ts/index.js';
import { resultOf, runProgram } from '../traps/child.js';

type Env = Record<string, unknown>;

function instance(text: string, env: Env = {}): InstanceType<typeof Heddle.Instance>['exports'] {
  return new Heddle.Instance(new Heddle.Module(parseWat(text)), { env }).exports;
}

const live = (): number[] => {
  const { continuationsHeld, continuationsLive, stacksLive } = statistics();
  return [continuationsHeld, continuationsLive, stacksLive];
};

const program = (name: string): URL => new URL(`programs/${name}.mjs`, import.meta.url);

// Says who it is and gives the others their turn, `$n` times (for ever where it is -1); returns who it is.
const TALK = `(module (import "env" "say" (func $say (param i32))) (import "env" "yield" (func $yield))
  (func (export "talk") (param $who i32) (param $n i32) (result i32)
    (block $end (loop $next
      (br_if $end (i32.eqz (local.get $n)))
      (call $say (local.get $who))
      (call $yield)
      (if (i32.gt_s (local.get $n) (i32.const 0)) (then (local.set $n (i32.sub (local.get $n) (i32.const 1)))))
      (br $next)))
    (local.get $who)))`;

// Waits; a handler of everything logs 1 and goes on as `$how` says: 0 rethrow, 1 stop, 2 wait again, 3 throw another.
const CAREFUL = `(module (import "env" "wait" (func $wait)) (import "env" "log" (func $log (param i32))) (tag $mine)
  (func (export "run") (param $how i32) (result i32) (local $e exnref)
    (block $caught (result exnref)
      (try_table (catch_all_ref $caught) (call $wait))
      (return (i32.const 7)))
    (local.set $e)
    (call $log (i32.const 1))
    (if (i32.eqz (local.get $how)) (then (throw_ref (local.get $e))))
    (if (i32.eq (local.get $how) (i32.const 2)) (then (call $wait) (call $log (i32.const 2))))
    (if (i32.eq (local.get $how) (i32.const 3)) (then (throw $mine)))
    (i32.const 8)))`;

const never = new Heddle.Suspending(() => new Promise(() => {}));

describe('turns', () => {
  test('go round, in the order of spawning', async () => {
    const scheduler = new Scheduler();
    const said: number[] = [];
    const { talk } = instance(TALK, { say: (who: number) => said.push(who), yield: scheduler.imports.yield });
    const tasks = [0, 1, 2, 3].map((who) => scheduler.spawn(talk, [who, 5]));
    expect(tasks.map((task) => task.state)).toEqual(['ready', 'ready', 'ready', 'ready']);
    expect(said).toEqual([]);
    expect(await Promise.all(tasks.map((task) => task.promise))).toEqual([0, 1, 2, 3]);
    expect(said).toEqual(Array.from({ length: 20 }, (_, i) => i % 4));
    expect(scheduler.statistics()).toMatchObject({ spawned: 4, active: 0, ready: 0, completed: 4, failed: 0, cancelled: 0, turns: 24 });
  });

  test('are in proportion to priorities', async () => {
    const scheduler = new Scheduler({ budget: 1000 });
    const said: number[] = [];
    const { talk } = instance(TALK, { say: (who: number) => said.push(who), yield: scheduler.imports.yield });
    // Many of each, so that each priority always has somebody who is ready.
    const tasks = [1, 3].flatMap((priority) => Array.from({ length: 40 }, () => scheduler.spawn(talk, [priority, 10], { priority })));
    await Promise.all(tasks.map((task) => task.promise));
    // Until the first round of the higher is over it has four turns for each of the lower.
    const first = said.slice(0, 50);
    expect(first.filter((who) => who === 3).length).toBe(40);
    expect(first.filter((who) => who === 1).length).toBe(10);
  });

  test('leave the event loop its own', async () => {
    const scheduler = new Scheduler({ budget: 1 });
    let done = false;
    const { talk } = instance(TALK, { say: () => done && group.cancel('enough'), yield: scheduler.imports.yield });
    const group = scheduler.group();
    for (let i = 0; i < 10; i++) group.spawn(talk, [i, -1]);
    // These tasks never wait for anything but their turn. Were they all that runs, the file would never be read.
    readFile(new URL(import.meta.url), () => {
      done = true;
    });
    await expect(group.join()).rejects.toBe('enough');
    expect(scheduler.statistics()).toMatchObject({ cancelled: 10, active: 0 });
    expect(scheduler.statistics().batches).toBeGreaterThan(1);
  });

  test('JavaScript may take one, too', async () => {
    const scheduler = new Scheduler();
    const order: unknown[] = [];
    const { talk } = instance(TALK, { say: (who: number) => order.push(who), yield: scheduler.imports.yield });
    const tasks = [0, 1].map((who) => scheduler.spawn(talk, [who, 1]));
    await scheduler.yield();
    order.push('js');
    await Promise.all(tasks.map((task) => task.promise));
    expect(order).toEqual([0, 1, 'js']);
  });

  test('the current task is known to its imports', async () => {
    const scheduler = new Scheduler();
    const seen: unknown[] = [];
    const { talk } = instance(TALK, { say: () => seen.push(scheduler.current), yield: scheduler.imports.yield });
    const tasks = [0, 1].map((who) => scheduler.spawn(talk, [who, 2], { name: `talker ${who}` }));
    await Promise.all(tasks.map((task) => task.promise));
    expect(seen).toEqual([tasks[0], tasks[1], tasks[0], tasks[1]]);
    expect(tasks.map((task) => [task.name, task.state])).toEqual([
      ['talker 0', 'ended'],
      ['talker 1', 'ended'],
    ]);
    expect(scheduler.current).toBeUndefined();
  });
});

describe('limits', () => {
  test('no more than the maximum are under way, and the others begin by priority', async () => {
    const scheduler = new Scheduler({ maximum: 3 });
    const inside = new Set<number>();
    let most = 0;
    const begun: number[] = [];
    const { run } = instance(
      '(module (import "env" "in" (func $in (param i32))) (import "env" "wait" (func $wait)) (import "env" "out" (func $out (param i32))) (func (export "run") (param i32) (call $in (local.get 0)) (call $wait) (call $out (local.get 0))))',
      {
        in: (i: number) => {
          inside.add(i);
          begun.push(i);
          most = Math.max(most, inside.size);
        },
        out: (i: number) => inside.delete(i),
        wait: new Heddle.Suspending(() => turn()),
      },
    );
    const tasks = Array.from({ length: 20 }, (_, i) => scheduler.spawn(run, [i], { priority: i === 19 ? 7 : 3 }));
    expect(scheduler.statistics()).toMatchObject({ active: 3, queued: 17 });
    expect(tasks[5]?.state).toBe('queued');
    await Promise.all(tasks.map((task) => task.promise));
    expect(most).toBe(3);
    expect(begun.slice(0, 4)).toEqual([0, 1, 2, 19]);
    expect(begun.length).toBe(20);
  });

  test('one that is cancelled while it is queued never begins', async () => {
    const scheduler = new Scheduler({ maximum: 1 });
    const { run } = instance('(module (import "env" "wait" (func $wait)) (func (export "run") (call $wait)))', {
      wait: new Heddle.Suspending(() => turn()),
    });
    const tasks = [0, 1, 2].map(() => scheduler.spawn(run));
    tasks[1]?.cancel('not this one');
    expect(tasks[1]?.state).toBe('ended');
    await expect(tasks[1]?.promise).rejects.toBe('not this one');
    await Promise.all([tasks[0]?.promise, tasks[2]?.promise]);
    expect(scheduler.statistics()).toMatchObject({ completed: 2, cancelled: 1, active: 0, queued: 0 });
  });

  test('are told in the order of spawning, whichever have ended', async () => {
    const scheduler = new Scheduler();
    const { run } = instance(CAREFUL, { wait: never, log: () => {} });
    const tasks = Array.from({ length: 30 }, () => scheduler.spawn(run, [0]));
    await turn();
    const ended = [3, 29, 0, 12, 13, 11, 28];
    for (const i of ended) tasks[i]?.cancel();
    await Promise.allSettled(ended.map((i) => tasks[i]?.promise));
    const left = tasks.filter((_, i) => !ended.includes(i));
    expect(scheduler.tasks).toEqual(left);
    for (const task of scheduler.tasks) task.cancel();
    await Promise.allSettled(left.map((task) => task.promise));
    expect([scheduler.tasks, scheduler.statistics().active]).toEqual([[], 0]);
  });

  test('wrong options are refused', () => {
    const { f } = instance('(module (func (export "f") (param i32)))');
    expect(() => new Scheduler({ maximum: 0 })).toThrow(RangeError);
    expect(() => new Scheduler({ budget: -1 })).toThrow(RangeError);
    const scheduler = new Scheduler();
    for (const priority of [-1, 8, 1.5, Number.NaN]) expect(() => scheduler.spawn(f, [1], { priority })).toThrow(RangeError);
    expect(() => scheduler.spawn(f, [1], { timeout: 0 })).toThrow(RangeError);
    for (const wrong of ['5', Number.NaN, {}, 5n, null] as unknown as readonly number[]) {
      const named = (name: string): unknown => expect.objectContaining({ name: 'TypeError', message: expect.stringContaining(name) });
      expect(() => scheduler.spawn(f, [1], { timeout: wrong })).toThrow(named('timeout'));
      expect(() => new Scheduler({ maximum: wrong })).toThrow(named('maximum'));
      expect(() => new Scheduler({ budget: wrong })).toThrow(named('budget'));
      expect(() => inspect({ limit: wrong })).toThrow(named('limit'));
      expect(() => scheduler.sleep(wrong)).toThrow(named('sleep'));
      if (typeof wrong !== 'number') expect(() => scheduler.spawn(f, [1], { priority: wrong })).toThrow(named('priority'));
    }
    expect(() => scheduler.spawn(() => {})).toThrow(TypeError);
    expect(() => scheduler.spawn(f, [Symbol()])).toThrow(TypeError);
    expect(scheduler.statistics()).toMatchObject({ spawned: 0, active: 0 });
  });
});

describe('cancellation', () => {
  const cases: [string, number, number[], unknown][] = [
    ['a handler that throws it again', 0, [1], 'why'],
    ['a handler that stops it', 1, [1], 'why'],
    ['a handler that waits', 2, [1], 'why'],
    ['a handler that throws another', 3, [1], 'uncaught exception'],
  ];
  test.each(cases)('%s', async (_name, how, logged, reason) => {
    const before = live();
    const scheduler = new Scheduler();
    const log: number[] = [];
    const { run } = instance(CAREFUL, { wait: never, log: (x: number) => log.push(x) });
    const task = scheduler.spawn(run, [how]);
    await turn();
    expect(task.state).toBe('waiting');
    task.cancel('why');
    expect([task.state, log]).toEqual(['ended', logged]);
    task.cancel('again');
    const error: unknown = await task.promise.catch((e: unknown) => e);
    if (how === 3) expect(error).toBeInstanceOf(Heddle.Exception);
    else expect(error).toBe(reason);
    expect(live()).toEqual(before);
    expect(scheduler.statistics()).toMatchObject({ active: 0, cancelled: how === 3 ? 0 : 1, failed: how === 3 ? 1 : 0 });
  });

  test('without a reason is an AbortError with a code', async () => {
    const { run } = instance(CAREFUL, { wait: never, log: () => {} });
    const task = new Scheduler().spawn(run, [1]);
    task.cancel();
    await expect(task.promise).rejects.toMatchObject({ name: 'AbortError', code: 'HEDDLE_CANCELLED' });
  });

  test('by an AbortSignal: before, while it waits, while it runs, and too late', async () => {
    const before = live();
    const scheduler = new Scheduler();
    const log: number[] = [];
    const controllers = [0, 1, 2, 3].map(() => new AbortController());
    const abort = (i: number): void => controllers[i]?.abort(`reason ${i}`);
    const { run } = instance(
      '(module (import "env" "wait" (func $wait)) (import "env" "log" (func $log (param i32))) (func (export "run") (param i32) (call $log (local.get 0)) (call $wait) (call $log (i32.const 10))))',
      {
        wait: new Heddle.Suspending(() => turn()),
        log: (x: number) => {
          log.push(x);
          if (x === 2) abort(2);
        },
      },
    );
    abort(0);
    const tasks = controllers.map(({ signal }, i) => scheduler.spawn(run, [i], { signal }));
    expect(tasks[0]?.state).toBe('ended');
    await Promise.resolve();
    while (tasks[1]?.state !== 'waiting') await Promise.resolve();
    abort(1);
    const ends = await Promise.allSettled(tasks.map((task) => task.promise));
    abort(3);
    expect(ends.map((end) => (end.status === 'rejected' ? end.reason : end.status))).toEqual([
      'reason 0',
      'reason 1',
      'reason 2',
      'fulfilled',
    ]);
    expect(log).toEqual([1, 2, 3, 10]);
    expect(live()).toEqual(before);
  });

  test('by a timeout', async () => {
    const { run } = instance(CAREFUL, { wait: never, log: () => {} });
    const task = new Scheduler().spawn(run, [0], { timeout: 5 });
    await expect(task.promise).rejects.toMatchObject({ name: 'TimeoutError', code: 'HEDDLE_TIMEOUT' });
  });

  test('reaches what an import does, by the task’s signal', async () => {
    const scheduler = new Scheduler();
    let signal: AbortSignal | undefined;
    const { run } = instance(CAREFUL, {
      wait: new Heddle.Suspending(() => {
        signal = scheduler.current?.signal;
        return new Promise(() => {});
      }),
      log: () => {},
    });
    const task = scheduler.spawn(run, [1]);
    await turn();
    expect(signal?.aborted).toBe(false);
    task.cancel('stop');
    expect([signal?.aborted, signal?.reason]).toEqual([true, 'stop']);
    expect(task.signal).toBe(signal);
    await expect(task.promise).rejects.toBe('stop');
  });

  test('a promise that settles afterwards changes nothing, nor one that settles twice', async () => {
    const before = live();
    const scheduler = new Scheduler();
    const settle: ((value: unknown) => void)[] = [];
    const { run } = instance(
      '(module (import "env" "wait" (func $wait (result i32))) (func (export "run") (result i32) (i32.add (call $wait) (call $wait))))',
      {
        wait: new Heddle.Suspending(() => ({ then: (resolve: (value: unknown) => void) => settle.push(resolve) })),
      },
    );
    const cancelled = scheduler.spawn(run);
    const kept = scheduler.spawn(run);
    await turn();
    const gone = expect(cancelled.promise).rejects.toBe('gone');
    cancelled.cancel('gone');
    settle[0]?.(1);
    settle[1]?.(2);
    settle[1]?.(3);
    await turn();
    settle[1]?.(4);
    settle[2]?.(5);
    settle[2]?.(6);
    await gone;
    expect(await kept.promise).toBe(7);
    expect(settle.length).toBe(3);
    expect(live()).toEqual(before);
  });

  test('of thousands at once gives all stacks back', async () => {
    const before = live();
    const scheduler = new Scheduler();
    const group = scheduler.group();
    const log: number[] = [];
    const { run } = instance(CAREFUL, { wait: never, log: (x: number) => log.push(x) });
    for (let i = 0; i < 3000; i++) group.spawn(run, [i % 3]);
    while (scheduler.statistics().ready > 0) await turn();
    expect(live()[2]).toBe((before[2] ?? 0) + 3000);
    group.cancel('all');
    await expect(group.join()).rejects.toBe('all');
    expect(log.length).toBe(3000);
    expect(live()).toEqual(before);
  });
});

describe('failures', () => {
  test('are the promise’s', async () => {
    const before = live();
    const scheduler = new Scheduler();
    const error = new Error('mine');
    const { throws, traps, rejected } = instance(
      `(module (import "env" "f" (func $f)) (import "env" "wait" (func $wait))
        (func (export "throws") (call $f)) (func (export "traps") unreachable) (func (export "rejected") (call $wait)))`,
      {
        f: () => {
          throw error;
        },
        wait: new Heddle.Suspending(() => Promise.reject(error)),
      },
    );
    const ends = await Promise.allSettled([throws, traps, rejected].map((fn) => scheduler.spawn(fn).promise));
    expect(
      ends.map((end) => end.status === 'rejected' && (end.reason === error ? 'mine' : Reflect.get(Object(end.reason), 'code'))),
    ).toEqual(['mine', 'HEDDLE_TRAP_UNREACHABLE', 'mine']);
    expect(scheduler.statistics()).toMatchObject({ failed: 3, active: 0 });
    expect(live()).toEqual(before);
  });

  test('that nobody awaits reach Node as unhandled rejections', async () => {
    expect(await resultOf(program('unhandled'))).toEqual({ seen: ['task: lonely', 'group: first'], awaited: 'awaited' });
  });
});

describe('groups', () => {
  const { run } = instance(
    '(module (import "env" "wait" (func $wait (param i32) (result i32))) (func (export "run") (param i32) (result i32) (call $wait (local.get 0))))',
    {
      wait: new Heddle.Suspending((x: number) =>
        x < 0 ? Promise.reject(new EvalError(String(x))) : x > 1000 ? new Promise(() => {}) : turn(x * 2),
      ),
    },
  );

  test('give results in the order of spawning, of those spawned meanwhile as well', async () => {
    const group = new Scheduler().group();
    for (const x of [5, 3, 4]) group.spawn(run, [x]);
    const joined = group.join();
    void turn().then(() => group.spawn(run, [9]));
    expect(await joined).toEqual([10, 6, 8, 18]);
    expect(group.size).toBe(0);
    expect(await new Scheduler().group().join()).toEqual([]);
  });

  test('end with the first failure; the others are cancelled', async () => {
    const before = live();
    const scheduler = new Scheduler();
    const group = scheduler.group();
    const tasks = [2000, -1, 3000, -2].map((x) => group.spawn(run, [x]));
    await expect(group.join()).rejects.toMatchObject({ message: '-1' });
    expect(tasks.map((task) => task.state)).toEqual(['ended', 'ended', 'ended', 'ended']);
    expect(scheduler.statistics()).toMatchObject({ active: 0, completed: 0 });
    const late = group.spawn(run, [1]);
    await expect(late.promise).rejects.toMatchObject({ message: '-1' });
    expect(live()).toEqual(before);
  });

  test('end with their scope', async () => {
    const before = live();
    const group = new Scheduler().group();
    const task = group.spawn(run, [2000]);
    await turn();
    await group[Symbol.asyncDispose]();
    await expect(task.promise).rejects.toMatchObject({ code: 'HEDDLE_CANCELLED' });
    expect(live()).toEqual(before);
  });
});

test('AsyncLocalStorage holds in every turn and in handlers of a cancellation', async () => {
  const storage = new AsyncLocalStorage<string>();
  const scheduler = new Scheduler();
  const seen: unknown[] = [];
  const { talk } = instance(TALK, { say: (who: number) => seen.push(`${who} ${storage.getStore()}`), yield: scheduler.imports.yield });
  const spawn = (who: number): Task => storage.run(`store ${who}`, () => scheduler.spawn(talk, [who, 3]));
  await Promise.all([spawn(0), spawn(1)].map((task) => task.promise));
  expect(seen).toEqual(Array.from({ length: 6 }, (_, i) => `${i % 2} store ${i % 2}`));
  const { run } = instance(CAREFUL, { wait: never, log: () => seen.push(storage.getStore()) });
  const task = storage.run('mine', () => scheduler.spawn(run, [1]));
  await turn();
  storage.run('other', () => task.cancel('x'));
  await expect(task.promise).rejects.toBe('x');
  expect(seen.at(-1)).toBe('mine');
});

test('diagnostics channels tell of start, suspension, resumption and end', async () => {
  const scheduler = new Scheduler();
  const seen: unknown[] = [];
  const listeners = ['start', 'suspend', 'resume', 'end'].map((what) => {
    const listener = (message: unknown): void => {
      const { name, priority, end } = message as Record<string, unknown>;
      seen.push([what, name, priority, ...(end === undefined ? [] : [end])]);
    };
    subscribe(`heddle.task.${what}`, listener);
    return () => unsubscribe(`heddle.task.${what}`, listener);
  });
  const { talk } = instance(TALK, { say: () => {}, yield: scheduler.imports.yield });
  const { run } = instance(CAREFUL, { wait: never, log: () => {} });
  await scheduler.spawn(talk, [0, 1], { name: 'a', priority: 5 }).promise;
  const task = scheduler.spawn(run, [0], { name: 'b' });
  await turn();
  task.cancel('x');
  await expect(task.promise).rejects.toBe('x');
  for (const stop of listeners) stop();
  expect(seen).toEqual([
    ['start', 'a', 5],
    ['suspend', 'a', 5],
    ['resume', 'a', 5],
    ['end', 'a', 5, 'completed'],
    ['start', 'b', 3],
    ['suspend', 'b', 3],
    ['end', 'b', 3, 'cancelled'],
  ]);
});

describe('sleep', () => {
  const TEXT =
    '(module (import "env" "sleep" (func $sleep (param i64))) (import "env" "say" (func $say (param i64))) (func (export "run") (param i64) (call $sleep (local.get 0)) (call $say (local.get 0))))';

  test('waits for its time, shorter ones first', async () => {
    const scheduler = new Scheduler();
    const said: bigint[] = [];
    const { run } = instance(TEXT, { sleep: scheduler.imports.sleep, say: (ms: bigint) => said.push(ms) });
    await Promise.all([300n, 1n, 150n].map((ms) => scheduler.spawn(run, [ms]).promise));
    expect(said).toEqual([1n, 150n, 300n]);
  });

  test('a timer ends with its task: it does not keep the process', async () => {
    expect(await runProgram(program('sleeping'))).toEqual({ status: 0, signal: null, output: 'cancelled\n', errors: '' });
  });
});

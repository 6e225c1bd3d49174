/**
 * Calls that wait for promises: what V8 does where it has promise integration, many calls at once, and how they end.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { readFileSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { canSuspend, WebAssembly as Heddle, parseWat, statistics } from '../../ts/index.js';
import { resultOf, runProgram } from '../traps/child.js';

type Functions = Heddle.Exports;

function instance(text: string, env: Record<string, unknown> = {}): Functions {
  return new Heddle.Instance(new Heddle.Module(parseWat(text)), { env }).exports as Functions;
}

function promising(exports: Functions, name: string): (...args: unknown[]) => Promise<unknown> {
  return Heddle.promising(exports[name]);
}

const live = (): number[] => {
  const { continuationsHeld, continuationsLive, stacksLive, exceptionsLive } = statistics();
  return [continuationsHeld, continuationsLive, stacksLive, exceptionsLive];
};

/** A promise and its ends. */
function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (reason: unknown) => void } {
  let resolve: (value: T) => void = () => {};
  let reject: (reason: unknown) => void = () => {};
  const promise = new Promise<T>((res, rej) => {
    resolve = res;
    reject = rej;
  });
  return { promise, resolve, reject };
}

const program = (name: string): URL => new URL(`programs/${name}.mjs`, import.meta.url);

test('every case comes out as V8 has it', async () => {
  const recorded = JSON.parse(readFileSync(new URL('recorded/promise_integration.json', import.meta.url), 'utf8')) as unknown;
  expect(await resultOf(program('promise_integration'))).toEqual(recorded);
});

describe('many calls at once', () => {
  // Keeps locals of every type across `$n` waits, recurses between them, and adds up what it is given.
  const TEXT = `(module (import "env" "wait" (func $wait (param i32) (result i32)))
    (func $down (param $depth i32) (param $x i32) (result i32)
      (if (result i32) (local.get $depth)
        (then (i32.add (i32.const 1) (call $down (i32.sub (local.get $depth) (i32.const 1)) (local.get $x))))
        (else (call $wait (local.get $x)))))
    (func (export "run") (param $seed i32) (param $n i32) (result i64) (local $i i32) (local $a i64) (local $b f64) (local $v v128)
      (local.set $a (i64.extend_i32_s (local.get $seed)))
      (local.set $b (f64.convert_i32_s (local.get $seed)))
      (local.set $v (i32x4.splat (local.get $seed)))
      (loop $next
        (local.set $a (i64.add (local.get $a)
          (i64.extend_i32_s (call $down (i32.and (local.get $seed) (i32.const 15)) (i32.add (local.get $seed) (local.get $i))))))
        (local.set $b (f64.add (local.get $b) (f64.const 0.5)))
        (local.set $v (i32x4.add (local.get $v) (i32x4.splat (i32.const 1))))
        (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
      (i64.add (local.get $a)
        (i64.add (i64.trunc_f64_s (f64.mul (local.get $b) (f64.const 2))) (i64.extend_i32_s (i32x4.extract_lane 3 (local.get $v)))))))`;

  /** What `run` must return where each wait gives three times what it was called with. */
  function model(seed: number, n: number): bigint {
    let a = seed;
    for (let i = 0; i < n; i++) a += (seed & 15) + 3 * (seed + i);
    return BigInt(a + (seed + n / 2) * 2 + (seed + n));
  }

  // With a collection at every safepoint (scripts/test_snapshots.mjs) each of these looks at all that wait: 5000 would take 25 times as long as 1000.
  test.each(process.env['HEDDLE_COLLECT'] === 'always' ? [1000] : [1000, 5000])(
    '%i, settled in another order each time',
    async (count) => {
      const before = live();
      const waiting: (() => void)[] = [];
      const wait = (x: number): Promise<number> => new Promise((resolve) => waiting.push(() => resolve(3 * x)));
      const run = promising(instance(TEXT, { wait: new Heddle.Suspending(wait) }), 'run');
      const calls = Array.from({ length: count }, (_, seed) => run(seed, 5));
      let state = 1;
      let most = 0;
      while (waiting.length > 0) {
        most = Math.max(most, statistics().continuationsHeld - (before[0] ?? 0));
        const batch = waiting.splice(0);
        for (let i = batch.length - 1; i > 0; i--) {
          state = (Math.imul(state, 1103515245) + 12345) >>> 1;
          const k = state % (i + 1);
          [batch[i], batch[k]] = [batch[k] as () => void, batch[i] as () => void];
        }
        for (const go of batch) go();
        await turn();
      }
      expect(await Promise.all(calls)).toEqual(Array.from({ length: count }, (_, seed) => model(seed, 5)));
      expect(most).toBe(count);
      expect(live()).toEqual(before);
    },
    240_000,
  );

  test('some are ready, some wait, some fail, some trap', async () => {
    const before = live();
    const exports = instance(
      `(module (import "env" "wait" (func $wait (param i32) (result i32)))
        (func (export "run") (param i32) (result i32) (i32.div_u (i32.const 100) (call $wait (local.get 0)))))`,
      {
        wait: new Heddle.Suspending((x: number) => {
          if (x % 4 === 0) return 5;
          if (x % 4 === 1) return turn(4);
          return x % 4 === 2 ? Promise.reject(new EvalError(String(x))) : Promise.resolve(0);
        }),
      },
    );
    const run = promising(exports, 'run');
    const ends = await Promise.allSettled(Array.from({ length: 400 }, (_, i) => run(i)));
    ends.forEach((end, i) => {
      if (i % 4 < 2) expect(end).toEqual({ status: 'fulfilled', value: i % 4 === 0 ? 20 : 25 });
      else
        expect(end).toMatchObject({
          status: 'rejected',
          reason: i % 4 === 2 ? { message: String(i) } : { code: 'HEDDLE_TRAP_DIVISION_BY_ZERO' },
        });
    });
    expect(live()).toEqual(before);
  });
});

describe('with continuations', () => {
  const TEXT = `(module (type $f (func (param i32) (result i32))) (type $k (cont $f)) (tag $yield (param i32) (result i32))
    (import "env" "wait" (func $wait (param i32) (result i32))) (elem declare func $nest)
    (func $nest (param $depth i32) (result i32)
      (if (result i32) (local.get $depth)
        (then (i32.add (i32.const 1) (resume $k (i32.sub (local.get $depth) (i32.const 1)) (cont.new $k (ref.func $nest)))))
        (else (i32.add (suspend $yield (call $wait (i32.const 10))) (call $wait (i32.const 20))))))
    (func (export "run") (param $depth i32) (result i32) (local $value i32) (local $c (ref null $k))
      (local.set $value (local.get $depth))
      (local.set $c (cont.new $k (ref.func $nest)))
      (loop $again
        (block $on (result i32 (ref $k))
          (return (resume $k (on $yield $on) (local.get $value) (local.get $c))))
        (local.set $c)
        (local.set $value)
        (local.set $value (i32.add (i32.const 100) (call $wait (local.get $value))))
        (br $again))
      (unreachable)))`;

  test.each([0, 1, 7])('%i fibers resume each other, and wait as one', async (depth) => {
    const before = live();
    const run = promising(instance(TEXT, { wait: new Heddle.Suspending(async (x: number) => x * 2) }), 'run');
    const calls = Array.from({ length: 50 }, () => run(depth));
    // The wait inside gives 20, the handler's 40, so that the suspension gives 140, and the last wait 40.
    for (const result of await Promise.all(calls)) expect(result).toBe(140 + 40 + depth);
    expect(live()).toEqual(before);
  });

  test('a tag that nobody handles is a trap, and not a wait for ever', async () => {
    const before = live();
    const exports = instance('(module (tag $t) (func (export "run") (suspend $t)))');
    await expect(promising(exports, 'run')()).rejects.toMatchObject({ code: 'HEDDLE_TRAP_UNHANDLED_TAG' });
    expect(live()).toEqual(before);
  });

  test('what an import is rejected with is caught fibers further out, and those inside are given back', async () => {
    const before = live();
    const exports = instance(
      `(module (type $f (func (param i32))) (type $k (cont $f)) (import "env" "wait" (func $wait)) (elem declare func $nest)
        (tag $js (import "env" "tag") (param externref))
        (func $nest (param $depth i32)
          (if (local.get $depth)
            (then (resume $k (i32.sub (local.get $depth) (i32.const 1)) (cont.new $k (ref.func $nest))))
            (else (call $wait))))
        (func (export "run") (param i32) (result externref)
          (block $h (result externref)
            (try_table (catch $js $h) (resume $k (local.get 0) (cont.new $k (ref.func $nest))))
            (ref.null extern))))`,
      { wait: new Heddle.Suspending(async () => Promise.reject(reason)), tag: Heddle.JSTag },
    );
    const reason = { the: 'very same object' };
    for (const depth of [0, 1, 5]) expect(await promising(exports, 'run')(depth)).toBe(reason);
    expect(live()).toEqual(before);
  });
});

describe('what comes out of a rejection is the very same value', () => {
  const TEXT = '(module (import "env" "wait" (func $wait)) (func $in (call $wait)) (func (export "run") (call $in)))';
  test.each([new Error('e'), undefined, null, 0, Number.NaN, 'text', Symbol('s'), Object.freeze({})])('%s', async (reason) => {
    const run = promising(instance(TEXT, { wait: new Heddle.Suspending(() => Promise.reject(reason)) }), 'run');
    let caught: unknown = 'nothing';
    await run().catch((error: unknown) => {
      caught = error;
    });
    expect(Object.is(caught, reason)).toBe(true);
  });
});

test('a trap of another call, awaited by an import, is not caught', async () => {
  const trapping = promising(instance('(module (func (export "run") unreachable))'), 'run');
  const exports = instance(
    '(module (import "env" "wait" (func $wait)) (func (export "run") (block $h (try_table (catch_all $h) (call $wait)))))',
    { wait: new Heddle.Suspending(() => trapping()) },
  );
  await expect(promising(exports, 'run')()).rejects.toMatchObject({ code: 'HEDDLE_TRAP_UNREACHABLE' });
});

test('a trap after a wait names the frames of before', async () => {
  const exports = instance(
    '(module (import "env" "wait" (func $wait)) (func $inner (call $wait) unreachable) (func $outer (export "run") (call $inner)))',
    { wait: new Heddle.Suspending(async () => {}) },
  );
  const error = (await promising(exports, 'run')().catch((reason: unknown) => reason)) as Error;
  expect(error.stack).toMatch(/at inner .*\n.*at outer /);
});

describe('frames of JavaScript', () => {
  const TEXT = `(module (import "env" "js" (func $js)) (import "env" "wait" (func $wait))
    (func (export "outer") (call $js)) (func (export "inner") (call $wait)))`;

  test('in between are a SuspendError that names the import', async () => {
    const exports = instance(TEXT, { js: () => exports['inner']?.(), wait: new Heddle.Suspending(async () => {}) });
    const error: unknown = await promising(exports, 'outer')().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Heddle.SuspendError);
    expect(error).toMatchObject({ code: 'HEDDLE_SUSPEND_FRAMES', name: 'SuspendError' });
    expect((error as Error).message).toContain('env.js');
    expect((error as Error).message).toContain('env.wait');
  });

  test('and a barrier in between likewise', async () => {
    const exports = instance(
      `(module (type $f (func)) (import "heddle" "barrier" (func $barrier (param (ref null $f)))) (import "env" "wait" (func $wait))
        (elem declare func $wait) (func (export "run") (call $barrier (ref.func $wait))))`,
      { wait: new Heddle.Suspending(async () => {}) },
    );
    const error: unknown = await promising(exports, 'run')().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Heddle.SuspendError);
    expect((error as Error).message).toContain('heddle.barrier');
  });

  test('none are, where the call was not begun by promising', () => {
    const exports = instance(TEXT, { js: () => {}, wait: new Heddle.Suspending(async () => {}) });
    expect(() => exports['inner']?.()).toThrow(expect.objectContaining({ code: 'HEDDLE_SUSPEND_PROMISING' }));
  });

  test('canSuspend() tells', async () => {
    const seen: boolean[] = [];
    const exports = instance(TEXT, {
      js: () => {
        seen.push(canSuspend());
      },
      wait: new Heddle.Suspending(() => {
        seen.push(canSuspend());
      }),
    });
    const inner = instance('(module (import "env" "f" (func $f)) (func (export "g") (call $f)))', { f: () => seen.push(canSuspend()) });
    seen.push(canSuspend());
    exports['outer']?.();
    await promising(exports, 'outer')();
    await promising(exports, 'inner')();
    inner['g']?.();
    await promising(inner, 'g')();
    expect(seen).toEqual([false, false, true, true, false, true]);
  });
});

test('a call waits while others come and go on the same thread, and may begin more', async () => {
  const gate = deferred<number>();
  const exports: Functions = instance(
    `(module (import "env" "wait" (func $wait (result i32))) (import "env" "nested" (func $nested (param i32) (result i32)))
      (memory (export "memory") 1 100)
      (func (export "run") (result i32) (i32.store (i32.const 0) (i32.const 7)) (i32.add (call $wait) (i32.load (i32.const 65536))))
      (func (export "sync") (param i32) (result i32) (i32.mul (local.get 0) (call $nested (local.get 0))))
      (func (export "grow") (drop (memory.grow (i32.const 1))) (i32.store (i32.const 65536) (i32.const 1000))))`,
    { wait: new Heddle.Suspending(() => gate.promise), nested: (x: number) => (x === 0 ? 1 : exports['sync']?.(x - 1)) },
  );
  const waiting = promising(exports, 'run')();
  expect(exports['sync']?.(5)).toBe(0);
  // Memory grows meanwhile: the waiting call sees it.
  exports['grow']?.();
  gate.resolve(42);
  expect(await waiting).toBe(1042);
});

test('AsyncLocalStorage holds across waits', async () => {
  const storage = new AsyncLocalStorage<number>();
  const seen: (number | undefined)[] = [];
  const gates = [deferred<void>(), deferred<void>()];
  const exports = instance(
    '(module (import "env" "wait" (func $wait (param i32))) (func (export "run") (param i32) (call $wait (local.get 0)) (call $wait (local.get 0))))',
    {
      wait: new Heddle.Suspending((which: number) => {
        seen.push(storage.getStore());
        return gates[which]?.promise;
      }),
    },
  );
  const run = promising(exports, 'run');
  const calls = [storage.run(10, () => run(0)), storage.run(11, () => run(1))];
  // Settled from other contexts, in the other order.
  storage.run(99, () => gates[1]?.resolve());
  await turn();
  storage.run(98, () => gates[0]?.resolve());
  await Promise.all(calls);
  expect(seen).toEqual([10, 11, 11, 10]);
});

test('references cross', async () => {
  const object = {};
  const exports: Functions = instance(
    `(module (import "env" "wait" (func $wait (param externref funcref) (result externref funcref)))
      (func (export "f")) (func (export "run") (param externref funcref) (result externref funcref) (call $wait (local.get 0) (local.get 1))))`,
    { wait: new Heddle.Suspending(async (a: unknown, b: unknown) => [[a], b]) },
  );
  const results = (await promising(exports, 'run')(object, exports['f'])) as unknown[];
  expect(results).toEqual([[object], exports['f']]);
});

describe('one result, of any type, and more arguments than there are registers', () => {
  const KINDS = [
    ['i32', -5, 'i32.const 7'],
    ['i64', -(2n ** 40n), 'i64.const 0x123456789abcdef'],
    ['f32', -1.5, 'f32.const 0.25'],
    ['f64', Number.MIN_VALUE, 'f64.const -0'],
    ['externref', { host: true }, 'ref.null extern'],
    ['funcref', null, 'ref.func $self'],
  ] as const;
  const OPERANDS = KINDS.map(([, , operand]) => `(${operand})`).join(' ');
  const TYPES = KINDS.map(([type]) => type).join(' ');
  // Each type four times: 16 integers and 8 floats. What lies on both sides of the call must stay as it is, on the stack and in registers.
  const text = (type: string): string => `(module
    (import "env" "wait" (func $wait (param ${`${TYPES} `.repeat(4)}) (result ${type})))
    (func $self (export "run") (param i32 f64) (result i32 ${type} f64)
      (i32.mul (local.get 0) (i32.const 3))
      (call $wait ${`${OPERANDS} `.repeat(4)})
      (f64.add (local.get 1) (f64.const 0.5))))`;

  test.each(KINDS)('%s', async (type, value) => {
    const seen: unknown[][] = [];
    const wait = (...args: unknown[]): unknown => {
      seen.push(args);
      return seen.length % 2 === 1 ? Promise.resolve(value) : value;
    };
    const exports = instance(text(type), { wait: new Heddle.Suspending(wait) });
    const run = promising(exports, 'run');
    const results = await Promise.all([run(1, 2), run(10, 20), run(100, 200)]);
    expect(results).toEqual([
      [3, value, 2.5],
      [30, value, 20.5],
      [300, value, 200.5],
    ]);
    const once = [7, 0x123456789abcdefn, 0.25, -0, null, exports['run']];
    expect(seen).toEqual(Array.from({ length: 3 }, () => [...once, ...once, ...once, ...once]));
    expect(seen.every((args) => Object.is(args[3], -0))).toBe(true);
  });

  test('in place of its caller, from a table, and as the function that a call begins with', async () => {
    const exports = instance(
      `(module
        (type $t (func (param i32) (result i32)))
        (import "env" "wait" (func $wait (type $t)))
        (table funcref (elem $wait))
        (export "wait" (func $wait))
        (func (export "tail") (param i32) (result i32) (return_call $wait (local.get 0)))
        (func (export "table") (param i32) (result i32)
          (i32.add (call_indirect (type $t) (local.get 0) (i32.const 0)) (i32.const 1))))`,
      { wait: new Heddle.Suspending(async (x: number) => x * 2) },
    );
    const calls = ['wait', 'tail', 'table'].map((name) => promising(exports, name)(21));
    expect(await Promise.all(calls)).toEqual([42, 42, 43]);
    for (const name of ['wait', 'tail', 'table']) {
      expect(() => (exports[name] as (x: number) => number)(1)).toThrow(Heddle.SuspendError);
    }
  });
});

test('calls whose promise is gone are given back', async () => {
  expect(await resultOf(program('dropped'), { flags: ['--expose-gc'] })).toEqual({
    held: 1000,
    live: 1500,
    heldAfter: 0,
    liveAfter: 0,
    stacksAfter: 0,
  });
});

test('promises that settle once the instance is gone, disposed of, or the call cancelled', async () => {
  const even = (i: number): string => String(i + 1 + 2 * i);
  expect(await resultOf(program('gone'), { flags: ['--expose-gc'] })).toEqual({
    waiting: { instances: 10, continuationsLive: 10 },
    outcomes: Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? even(i) : 'Error: no')),
    after: { instances: 0, continuationsLive: 0 },
    disposed: ['HEDDLE_DISPOSED', 'HEDDLE_DISPOSED'],
    anew: 'HEDDLE_DISPOSED',
    functionGone: true,
    cancelled: 'Error: enough',
    statistics: { completed: 0, failed: 0, cancelled: 1, active: 0 },
  });
});

describe('a thread ends while calls wait', () => {
  test.each(['idle', 'exit', 'exit inside', 'uncaught'])('the process: %s', async (how) => {
    expect(await runProgram(program('ending'), { args: [how] })).toEqual({ status: 0, signal: null, output: '1000\n', errors: '' });
  });

  test.each(['wait', 'return', 'spin'])('4 workers: %s', async (how) => {
    expect(await runProgram(program('ending'), { args: [`worker ${how}`] })).toEqual({
      status: 0,
      signal: null,
      output: '4 workers\n',
      errors: '',
    });
  });
});

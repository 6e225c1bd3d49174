/**
 * Continuations in JavaScript's hands: the class Continuation.
 */
import { describe, expect, test } from 'vitest';
import { Continuation, WebAssembly as Heddle, parseWat, statistics } from '../../ts/index.js';
import { resultOf } from '../traps/child.js';

type Tag = InstanceType<typeof Heddle.Tag>;

/** Exports, whose types TypeScript does not know. */
function instance(text: string, env: Record<string, unknown> = {}): InstanceType<typeof Heddle.Instance>['exports'] {
  return new Heddle.Instance(new Heddle.Module(parseWat(text)), { env }).exports;
}

const live = (): number[] => {
  const { continuationsHeld, continuationsLive, stacksLive, exceptionsLive } = statistics();
  return [continuationsHeld, continuationsLive, stacksLive, exceptionsLive];
};

function suspension(step: ReturnType<Continuation['resume']>): { tag: Tag; payload: readonly unknown[]; continuation: Continuation } {
  if (step.done) throw new Error('it has returned');
  return step;
}

// Gives i, i + 1, … `n` times; adds up what it is answered.
const COUNT = `(module (tag $yield (export "tag") (param i32) (result i32))
  (func (export "count") (param $i i32) (param $n i32) (result i32) (local $sum i32)
    (loop $next
      (if (local.get $n) (then
        (local.set $sum (i32.add (local.get $sum) (suspend $yield (local.get $i))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $next))))
    (local.get $sum)))`;

describe('resume', () => {
  test('gives suspensions, is answered with the tag’s results, and gives the function’s results', () => {
    const before = live();
    const { count, tag } = instance(COUNT);
    let step = new Continuation(count).resume(10, 4);
    const seen: unknown[] = [];
    while (!step.done) {
      expect(step.tag).toBe(tag);
      seen.push(...step.payload);
      step = step.continuation.resume(Number(step.payload[0]) * 2);
    }
    expect(seen).toEqual([10, 11, 12, 13]);
    expect(step).toEqual({ done: true, value: 2 * (10 + 11 + 12 + 13) });
    expect(live()).toEqual(before);
  });

  test('thousands are suspended at once', () => {
    const before = live();
    const { count } = instance(COUNT);
    let running = Array.from({ length: 3000 }, (_, i) => suspension(new Continuation(count).resume(i, 2)).continuation);
    running = running.reverse().map((k) => suspension(k.resume(1)).continuation);
    expect(live()[1]).toBe((before[1] ?? 0) + 3000);
    expect(running.map((k) => k.resume(5))).toEqual(running.map(() => ({ done: true, value: 6 })));
    expect(live()).toEqual(before);
  });

  test('values of all types, and references', () => {
    const object = { an: 'object' };
    const exports = instance(`(module
      (tag $t (export "tag") (param i32 i64 f32 f64 externref funcref) (result funcref externref f64 f32 i64 i32))
      (func $self (export "self") (param i32 i64 f32 f64 externref funcref) (result funcref externref f64 f32 i64 i32)
        (suspend $t (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5))))`);
    const { self, tag } = exports;
    const first = suspension(new Continuation(self).resume(-1, -2n, 1.5, 2.5, object, self));
    expect(first.tag).toBe(tag);
    expect(first.payload).toEqual([-1, -2n, 1.5, 2.5, object, self]);
    expect(first.payload[4]).toBe(object);
    const last = first.continuation.resume(self, object, 0.25, 0.5, 2n ** 62n, 7);
    expect(last).toEqual({ done: true, value: [self, object, 0.25, 0.5, 2n ** 62n, 7] });
  });

  test('handlers inside come first; what they do not take comes here, with the whole chain', () => {
    const before = live();
    const { outer, tag } = instance(`(module (type $f (func (result i32))) (type $k (cont $f))
      (type $answered (func (param i32) (result i32))) (type $ka (cont $answered))
      (tag $mine (result i32)) (tag $out (export "tag") (param i32) (result i32)) (elem declare func $inner)
      (func $inner (result i32) (i32.add (suspend $mine) (suspend $out (i32.const 5))))
      (func (export "outer") (result i32) (local $c (ref null $ka))
        (block $on (result (ref $ka)) (return (resume $k (on $mine $on) (cont.new $k (ref.func $inner)))))
        (local.set $c)
        (i32.mul (i32.const 2) (resume $ka (i32.const 100) (local.get $c)))))`);
    const step = suspension(new Continuation(outer).resume());
    expect([step.tag, step.payload]).toEqual([tag, [5]]);
    expect(step.continuation.resume(9)).toEqual({ done: true, value: 2 * (100 + 9) });
    expect(live()).toEqual(before);
  });

  test('from an import of another continuation’s: each level has its own', () => {
    const seen: unknown[] = [];
    const drain = (depth: number): void => {
      for (const value of new Continuation(exports['run']).bind(depth)) seen.push(value);
    };
    const exports: ReturnType<typeof instance> = instance(
      `(module (tag $t (param i32)) (import "env" "down" (func $down (param i32)))
        (func (export "run") (param i32)
          (suspend $t (local.get 0))
          (if (local.get 0) (then (call $down (i32.sub (local.get 0) (i32.const 1)))))
          (suspend $t (i32.sub (i32.const 0) (local.get 0)))))`,
      { down: drain },
    );
    drain(3);
    expect(seen).toEqual([3, 2, 1, 0, 0, -1, -2, -3]);
  });

  test('what the function throws or traps with comes out, and the stack is given back', () => {
    const before = live();
    const error = new Error('mine');
    const exports = instance(
      `(module (tag $t (export "tag")) (import "env" "f" (func $f))
        (func (export "throws") (suspend $t) (call $f)) (func (export "traps") (suspend $t) unreachable))`,
      {
        f: () => {
          throw error;
        },
      },
    );
    const throwing = suspension(new Continuation(exports['throws']).resume()).continuation;
    expect(() => throwing.resume()).toThrow(error);
    const trapping = suspension(new Continuation(exports['traps']).resume()).continuation;
    expect(() => trapping.resume()).toThrow(expect.objectContaining({ code: 'HEDDLE_TRAP_UNREACHABLE' }));
    expect([throwing.state, trapping.state]).toEqual(['done', 'done']);
    expect(live()).toEqual(before);
  });
});

describe('resumeThrow', () => {
  const TEXT = `(module (tag $js (import "env" "js") (param externref)) (tag $t (export "tag")) (tag $e (export "e") (param i32))
    (func (export "catches") (result i32)
      (block $h (result i32) (try_table (catch $e $h) (suspend $t)) (i32.const -1)))
    (func (export "value") (result externref)
      (block $h (result externref) (try_table (catch $js $h) (suspend $t)) (ref.null extern)))
    (func (export "none") (suspend $t))
    (func (export "goes on") (result i32) (block $h (try_table (catch_all $h) (suspend $t))) (suspend $t) (i32.const 3)))`;
  const exports = instance(TEXT, { js: Heddle.JSTag });
  const suspended = (name: string): Continuation => suspension(new Continuation(exports[name]).resume()).continuation;

  test('is caught inside', () => {
    expect(suspended('catches').resumeThrow(exports['e'], 42)).toEqual({ done: true, value: 42 });
    const value = { thrown: true };
    expect(suspended('value').resumeThrow(Heddle.JSTag, value)).toEqual({ done: true, value });
    const step = suspension(suspended('goes on').resumeThrow(exports['e'], 1));
    expect(step.continuation.resume()).toEqual({ done: true, value: 3 });
  });

  test('is thrown here where nothing catches it, of a fresh one as well', () => {
    const before = live();
    const value = { thrown: true };
    for (const k of [suspended('none'), new Continuation(exports['none'])]) {
      let caught: unknown;
      try {
        k.resumeThrow(Heddle.JSTag, value);
      } catch (error) {
        caught = error;
      }
      expect(caught).toBe(value);
      expect(k.state).toBe('done');
    }
    expect(() => suspended('none').resumeThrow(exports['e'], 9)).toThrow(Heddle.Exception);
    expect(live().slice(0, 3)).toEqual(before.slice(0, 3));
  });
});

describe('bind', () => {
  const { count } = instance(COUNT);

  test('gives the first arguments, in steps', () => {
    expect(suspension(new Continuation(count).bind(7).bind().bind(1).resume()).payload).toEqual([7]);
    const k = new Continuation(count);
    const bound = k.bind(7, 1);
    expect([k.state, bound.state]).toEqual(['used', 'fresh']);
  });

  test('gives an answer beforehand', () => {
    const { continuation } = suspension(new Continuation(count).resume(3, 1));
    const bound = continuation.bind(50);
    expect([continuation.state, bound.state]).toEqual(['used', 'suspended']);
    expect(bound.resume()).toEqual({ done: true, value: 50 });
  });
});

describe('state and misuse', () => {
  const exports = instance(
    `(module (tag $t (export "tag") (param i32) (result i32)) (import "env" "f" (func $f))
      (func (export "run") (param i32) (result i32) (call $f) (suspend $t (local.get 0)) (call $f)))`,
    { f: () => inside() },
  );
  let inside = (): void => {};

  const made: Record<string, () => Continuation> = {
    fresh: () => new Continuation(exports['run']),
    suspended: () => suspension(new Continuation(exports['run']).resume(1)).continuation,
    used: () => {
      const k = new Continuation(exports['run']);
      k.bind(1);
      return k;
    },
    done: () => {
      const k = suspension(new Continuation(exports['run']).resume(1)).continuation;
      k.resume(1);
      return k;
    },
    disposed: () => {
      const k = suspension(new Continuation(exports['run']).resume(1)).continuation;
      k[Symbol.dispose]();
      return k;
    },
  };
  const operations: Record<string, (k: Continuation) => unknown> = {
    resume: (k) => k.resume(1),
    resumeThrow: (k) => k.resumeThrow(Heddle.JSTag, 'thrown'),
    bind: (k) => k.bind(),
    cancel: (k) => k.cancel(),
  };
  const code = (run: () => unknown): unknown => {
    try {
      run();
      return 'ok';
    } catch (error) {
      return Reflect.get(Object(error), 'code') ?? error;
    }
  };
  const USED = 'HEDDLE_CONTINUATION_USED';
  const expected: Record<string, [string, ...unknown[]]> = {
    // state, then what resume, resumeThrow, bind, cancel give
    fresh: ['fresh', 'ok', 'thrown', 'ok', 'ok'],
    suspended: ['suspended', 'ok', 'thrown', 'ok', 'ok'],
    used: ['used', USED, USED, USED, 'ok'],
    done: ['done', USED, USED, USED, 'ok'],
    disposed: ['done', USED, USED, USED, 'ok'],
  };

  test.each(Object.keys(made))('%s', (name) => {
    const make = made[name] as () => Continuation;
    const results = Object.values(operations).map((operation) => {
      const k = make();
      return code(() => operation(k));
    });
    expect([make().state, ...results]).toEqual(expected[name]);
  });

  test('running', () => {
    const k = new Continuation(exports['run']);
    const seen: unknown[] = [];
    inside = () => {
      seen.push(k.state, ...Object.values(operations).map((operation) => code(() => operation(k))));
    };
    const { continuation } = suspension(k.resume(5));
    inside = () => {};
    const RUNNING = 'HEDDLE_CONTINUATION_RUNNING';
    expect(seen).toEqual(['running', RUNNING, RUNNING, RUNNING, RUNNING]);
    expect(k.state).toBe('used');
    expect(continuation.resume(1)).toEqual({ done: true, value: 1 });
  });

  test('wrong arguments change nothing', () => {
    const k = new Continuation(exports['run']);
    const wrong = ['HEDDLE_ARGUMENT', 'HEDDLE_ARGUMENT', 'HEDDLE_ARGUMENT', 'HEDDLE_ARGUMENT', 'HEDDLE_ARGUMENT'];
    expect([
      code(() => k.resume()),
      code(() => k.resume(1, 2)),
      code(() => k.bind(1, 2)),
      code(() => k.resumeThrow({} as never)),
      code(() => k.resumeThrow(Heddle.JSTag)),
    ]).toEqual(wrong);
    expect(() => k.resume(Symbol())).toThrow(TypeError);
    expect(k.state).toBe('fresh');
    // An argument whose conversion uses the continuation itself.
    expect(code(() => k.resume({ valueOf: () => k.bind(1) && 1 }))).toBe(USED);
  });

  test('only of exports', () => {
    expect(code(() => new Continuation((() => {}) as never))).toBe('HEDDLE_ARGUMENT');
    expect(code(() => new Continuation(5 as never))).toBe('HEDDLE_ARGUMENT');
    const { f } = instance('(module (func (export "f") (result v128) (v128.const i32x4 0 0 0 0)))');
    expect(code(() => new Continuation(f))).toBe('HEDDLE_ARGUMENT');
  });
});

describe('iteration', () => {
  const { count } = instance(COUNT);
  const from = (i: number, n: number): Continuation => new Continuation(count).bind(i, n);

  test('for … of gives the payloads', () => {
    const seen: unknown[] = [];
    for (const value of from(5, 3)) seen.push(value);
    expect(seen).toEqual([5, 6, 7]);
    expect([...from(0, 0)]).toEqual([]);
  });

  test('next answers, and the return is the last value', () => {
    const iterator = from(5, 2)[Symbol.iterator]();
    expect(iterator.next()).toEqual({ value: 5, done: false });
    expect(iterator.next(100)).toEqual({ value: 6, done: false });
    expect(iterator.next(10)).toEqual({ value: 110, done: true });
  });

  test('leaving early gives the stack back, and runs handlers', () => {
    const before = live();
    for (const value of from(0, 1000)) if (value === 3) break;
    expect(live()).toEqual(before);
  });
});

describe('cancel', () => {
  const log: number[] = [];
  const exports = instance(
    `(module (type $f (func)) (type $k (cont $f)) (tag $t (export "tag")) (tag $mine) (import "env" "log" (func $log (param i32)))
      (import "env" "wait" (func $wait)) (elem declare func $inner)
      (func $inner (block $h (try_table (catch_all $h) (suspend $t)) (return)) (call $log (i32.const 1)) (throw $mine))
      (func (export "rethrows")
        (block $h (result exnref) (try_table (catch_all_ref $h) (suspend $t)) (return)) (call $log (i32.const 1)) (throw_ref))
      (func (export "stops") (block $h (try_table (catch_all $h) (suspend $t)) (return)) (call $log (i32.const 1)))
      (func (export "suspends again")
        (block $h (try_table (catch_all $h) (suspend $t)) (return)) (call $log (i32.const 1))
        (block $h (try_table (catch_all $h) (suspend $t)) (return)) (call $log (i32.const 2)))
      (func (export "waits again")
        (block $h (try_table (catch_all $h) (suspend $t)) (return)) (call $log (i32.const 1))
        (loop $l (block $h (try_table (catch_all $h) (call $wait)) (return)) (call $log (i32.const 2)) (br $l)))
      (func (export "by tag") (block $h (try_table (catch $mine $h) (suspend $t)) (return)) (call $log (i32.const 1)))
      (func (export "nested")
        (block $h (try_table (catch $mine $h) (resume $k (cont.new $k (ref.func $inner)))) (return)) (call $log (i32.const 3))))`,
    { log: (x: number) => log.push(x), wait: new Heddle.Suspending(async () => {}) },
  );

  test.each([
    ['rethrows', [1]],
    ['stops', [1]],
    ['suspends again', [1]],
    ['waits again', [1]],
    ['by tag', []],
    ['nested', [1, 3]],
  ])('%s', (name, logged) => {
    const before = live();
    log.length = 0;
    const { continuation } = suspension(new Continuation(exports[name]).resume());
    continuation.cancel();
    expect(log).toEqual(logged);
    expect(continuation.state).toBe('done');
    continuation.cancel();
    // An exception that became a reference lives on until something collects it.
    expect(live().slice(0, 3)).toEqual(before.slice(0, 3));
  });

  test('what a handler throws itself comes out', () => {
    const { f } = instance(
      `(module (tag $t) (tag $mine) (func (export "f") (block $h (try_table (catch_all $h) (suspend $t)) (return)) (throw $mine)))`,
    );
    const { continuation } = suspension(new Continuation(f).resume());
    expect(() => continuation.cancel()).toThrow(Heddle.Exception);
  });
});

describe('resumeAsync', () => {
  const TEXT = `(module (tag $t (export "tag") (param i32) (result i32)) (import "env" "wait" (func $wait (param i32) (result i32)))
    (func (export "run") (param i32) (result i32)
      (call $wait (suspend $t (call $wait (local.get 0))))))`;
  const { run } = instance(TEXT, { wait: new Heddle.Suspending(async (x: number) => x * 10) });

  test('imports wait, suspensions come out', async () => {
    const before = live();
    const steps = await Promise.all(Array.from({ length: 100 }, (_, i) => new Continuation(run).resumeAsync(i)));
    expect(steps.map((step) => suspension(step).payload[0])).toEqual(Array.from({ length: 100 }, (_, i) => i * 10));
    const ends = await Promise.all(steps.map((step) => suspension(step).continuation.resumeAsync(7)));
    expect(ends).toEqual(steps.map(() => ({ done: true, value: 70 })));
    expect(live()).toEqual(before);
  });

  test('while it waits it is running', async () => {
    const k = new Continuation(run);
    const step = k.resumeAsync(1);
    expect(k.state).toBe('running');
    expect(() => k.resume(1)).toThrow(expect.objectContaining({ code: 'HEDDLE_CONTINUATION_RUNNING' }));
    await step;
    expect(k.state).toBe('used');
  });

  test('resume() does not wait', () => {
    expect(() => new Continuation(run).resume(1)).toThrow(Heddle.SuspendError);
  });

  test('for await', async () => {
    const seen: unknown[] = [];
    for await (const value of new Continuation(run).bind(4)) seen.push(value);
    expect(seen).toEqual([40]);
  });
});

test('a tag made in JavaScript may have results', () => {
  const tag = new Heddle.Tag({ parameters: ['i32'], results: ['i64'] });
  const { run } = instance(
    '(module (tag $t (import "env" "tag") (param i32) (result i64)) (func (export "run") (result i64) (suspend $t (i32.const 3))))',
    { tag },
  );
  const step = suspension(new Continuation(run).resume());
  expect(step.tag).toBe(tag);
  expect(step.continuation.resume(2n)).toEqual({ done: true, value: 2n });
  expect(() => new Heddle.Exception(tag, [1])).toThrow(TypeError);
});

test('continuations that nothing refers to are given back', async () => {
  const program = new URL('../schedule/programs/dropped_continuations.mjs', import.meta.url);
  expect(await resultOf(program, { flags: ['--expose-gc'] })).toEqual({ held: 1000, heldAfter: 0, liveAfter: 0, stacksAfter: 0 });
});

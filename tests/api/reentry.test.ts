import { describe, expect, test } from 'vitest';
import { statistics } from '../../ts/index.js';
import { type Api, exported, heddle, outcome, run, v8 } from './oracle.js';

const CALLER = '(module (import "m" "x" (func $x)) (func (export "f") (call $x)))';

describe('the start function', () => {
  const log = (api: Api, fields: string): unknown => {
    const seen: unknown[] = [];
    const end = outcome(() =>
      run(api, `(module (import "m" "x" (func $x (param i32))) ${fields})`, { m: { x: (n: unknown) => seen.push(n) } }),
    );
    return [end, seen];
  };

  test.each([
    ['runs once', '(func $s (call $x (i32.const 5))) (start $s)'],
    ['runs after the segments', '(memory 1) (data (i32.const 0) "\\07") (func $s (call $x (i32.load8_u (i32.const 0)))) (start $s)'],
    [
      'calls through a table',
      '(type $f (func (param i32))) (table funcref (elem $x)) (func $s (call_indirect (type $f) (i32.const 6) (i32.const 0))) (start $s)',
    ],
    ['is not called where there is none', '(func $s (call $x (i32.const 5)))'],
  ])('%s', (_name, fields) => {
    expect(log(heddle, fields)).toEqual(log(v8, fields));
  });

  test('may be an import', () => {
    for (const api of [heddle, v8]) {
      let calls = 0;
      run(api, '(module (import "m" "x" (func $x)) (start $x))', { m: { x: () => calls++ } });
      expect(calls).toBe(1);
    }
  });

  test('may be a function of another instance', () => {
    const counter = run(
      heddle,
      `(module (global $n (mut i32) (i32.const 0)) (func (export "x") (global.set $n (i32.add (global.get $n) (i32.const 1))))
      (func (export "n") (result i32) (global.get $n)))`,
    );
    run(heddle, '(module (import "m" "x" (func $x)) (start $x))', { m: counter });
    expect(counter['n']?.()).toBe(1);
  });

  test('switches stacks', () => {
    const seen: unknown[] = [];
    run(
      heddle,
      `(module (import "m" "x" (func $x (param i32))) (type $f (func)) (type $k (cont $f)) (tag $t)
        (func $body (call $x (i32.const 1)) (suspend $t) (call $x (i32.const 3))) (elem declare func $body)
        (func $s (block $on (result (ref $k)) (resume $k (on $t $on) (cont.new $k (ref.func $body))) (unreachable))
          (call $x (i32.const 2)) (resume $k)) (start $s))`,
      { m: { x: (n: unknown) => seen.push(n) } },
    );
    expect(seen).toEqual([1, 2, 3]);
  });

  test('throws what it throws', async () => {
    const error = new EvalError('from start');
    const imports = {
      m: {
        x: () => {
          throw error;
        },
      },
    };
    const text = '(module (import "m" "x" (func $x)) (start $x))';
    expect(() => run(heddle, text, imports)).toThrow(error);
  });
});

describe('what an import throws comes out as it is', () => {
  const values: readonly unknown[] = [
    undefined,
    null,
    0,
    5n,
    'text',
    Symbol('s'),
    {},
    new Error('e'),
    () => 0,
    Object.freeze([1]),
    Number.NaN,
  ];

  test.each(values.map((value) => [typeof value, value] as const))('%s %s', (_type, value) => {
    for (const text of [
      CALLER,
      `(module (import "m" "x" (func $x)) (type $f (func)) (type $k (cont $f)) (elem declare func $x)
        (func (export "f") (resume $k (cont.new $k (ref.func $x)))))`,
    ]) {
      const f = exported(heddle, text, 'f', {
        m: {
          x: () => {
            throw value;
          },
        },
      });
      let caught: unknown = 'nothing';
      try {
        f();
      } catch (error) {
        caught = error;
      }
      expect(Object.is(caught, value)).toBe(true);
    }
  });

  test('an error keeps its stack', () => {
    const error = new Error('mine');
    const { stack } = error;
    expect(() =>
      exported(heddle, CALLER, 'f', {
        m: {
          x: () => {
            throw error;
          },
        },
      })(),
    ).toThrow(error);
    expect(error.stack).toBe(stack);
  });

  test('from nested re-entries, and each level may catch it', () => {
    const story = (api: Api): unknown[] => {
      const log: unknown[] = [];
      const error = new Error('deep');
      const text = `(module (import "m" "x" (func $x (param i32) (result i32)))
        (func (export "f") (param i32) (result i32) (i32.add (call $x (local.get 0)) (i32.const 1))))`;
      const e = run(api, text, {
        m: {
          x: (level: number): unknown => {
            if (level === 0) throw error;
            if (level !== 5) return e['f']?.(level - 1);
            try {
              return e['f']?.(level - 1);
            } catch (caught) {
              log.push(caught === error);
              return 100;
            }
          },
        },
      });
      log.push(
        e['f']?.(8),
        outcome(() => e['f']?.(3)),
      );
      return log;
    };
    expect(story(heddle)).toEqual(story(v8));
    expect(story(heddle)).toEqual([true, 104, 'threw Error']);
  });

  test('a trap of an inner call may be caught between', () => {
    const story = (api: Api): unknown[] => {
      const text = `(module (import "m" "x" (func $x (result i32))) (func (export "trap") unreachable)
        (func (export "f") (result i32) (i32.add (call $x) (i32.const 1))))`;
      const e = run(api, text, { m: { x: () => (outcome(() => e['trap']?.()) === 'threw RuntimeError' ? 41 : 0) } });
      return [e['f']?.(), e['f']?.()];
    };
    expect(story(heddle)).toEqual([42, 42]);
    expect(story(v8)).toEqual([42, 42]);
  });

  test('inside continuations, nested: all of them are given back', () => {
    const text = `(module (import "m" "x" (func $x (param i32))) (type $f (func (param i32))) (type $k (cont $f)) (elem declare func $down)
      (func $down (param i32)
        (if (i32.eqz (local.get 0)) (then (call $x (local.get 0)))
          (else (resume $k (i32.sub (local.get 0) (i32.const 1)) (cont.new $k (ref.func $down))))))
      (func (export "f") (param i32) (call $down (local.get 0))))`;
    const error = new Error('at the bottom');
    const f = exported(heddle, text, 'f', {
      m: {
        x: () => {
          throw error;
        },
      },
    });
    const before = statistics();
    for (let i = 0; i < 100; i++) expect(() => f(50)).toThrow(error);
    const after = statistics();
    expect(after.continuationsMade - before.continuationsMade).toBe(5000);
    expect([after.continuationsLive, after.stacksLive]).toEqual([before.continuationsLive, before.stacksLive]);
  });
});

describe('re-entry', () => {
  test('without end is a RangeError, and the engine goes on', () => {
    for (const api of [heddle, v8]) {
      let depth = 0;
      const e = run(api, CALLER, {
        m: {
          x: () => {
            depth++;
            return e['f']?.();
          },
        },
      });
      for (let i = 0; i < 3; i++) {
        depth = 0;
        expect(outcome(() => e['f']?.())).toBe('threw RangeError');
        expect(depth).toBeGreaterThan(100);
      }
    }
  });

  test('a continuation that is suspended in an outer call is resumed in an inner one', () => {
    // The inner call is made while the first continuation is suspended and no fiber of the outer entry is in it.
    const text = `(module (import "m" "x" (func $x)) (type $f (func)) (type $k (cont $f)) (tag $t) (table $kept 1 (ref null $k))
      (global $n (mut i32) (i32.const 0))
      (func $body (global.set $n (i32.const 1)) (suspend $t) (global.set $n (i32.add (global.get $n) (i32.const 10))))
      (elem declare func $body)
      (func (export "outer") (result i32) (local $c (ref null $k))
        (block $on (result (ref $k)) (resume $k (on $t $on) (cont.new $k (ref.func $body))) (unreachable))
        (local.set $c) (table.set $kept (i32.const 0) (local.get $c)) (call $x) (global.get $n))
      (func (export "inner") (resume $k (table.get $kept (i32.const 0)))))`;
    const e = run(heddle, text, { m: { x: () => e['inner']?.() } });
    expect(e['outer']?.()).toBe(11);
    expect(() => e['inner']?.()).toThrow(expect.objectContaining({ code: 'HEDDLE_TRAP_CONTINUATION_CONSUMED' }));
  });

  test('a continuation whose own fiber waits for an import cannot be resumed again', () => {
    const text = `(module (import "m" "x" (func $x)) (type $f (func)) (type $k (cont $f)) (table $kept 1 (ref null $k))
      (func $body (call $x)) (elem declare func $body)
      (func (export "outer") (local $c (ref null $k))
        (local.set $c (cont.new $k (ref.func $body))) (table.set $kept (i32.const 0) (local.get $c)) (resume $k (local.get $c)))
      (func (export "inner") (resume $k (table.get $kept (i32.const 0)))))`;
    let inner = '';
    const e = run(heddle, text, {
      m: {
        x: () => {
          try {
            e['inner']?.();
          } catch (error) {
            inner = String(Reflect.get(Object(error), 'code'));
          }
        },
      },
    });
    e['outer']?.();
    expect(inner).toBe('HEDDLE_TRAP_CONTINUATION_CONSUMED');
  });

  test('from a getter, a proxy and valueOf while a call is made', () => {
    const text = '(module (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))';
    const add = exported(heddle, text, 'add');
    const two = { valueOf: () => add(1, 1) };
    expect(add(two, { valueOf: () => add(two, two) })).toBe(6);
  });

  test('200 levels, each on its own fiber, with values kept across', () => {
    const text = `(module (import "m" "x" (func $x (param i32) (result i32)))
      (func (export "f") (param $n i32) (result i32) (local $kept i32)
        (local.set $kept (i32.mul (local.get $n) (i32.const 3)))
        (if (i32.eqz (local.get $n)) (then (return (i32.const 0))))
        (i32.add (call $x (i32.sub (local.get $n) (i32.const 1))) (local.get $kept))))`;
    const results = [heddle, v8].map((api) => {
      const e = run(api, text, { m: { x: (n: unknown) => e['f']?.(n) } });
      return e['f']?.(200);
    });
    // 3 * (1 + … + 200)
    expect(results).toEqual([60_300, 60_300]);
  });
});

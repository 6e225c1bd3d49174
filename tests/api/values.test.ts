import { describe, expect, test } from 'vitest';
import { call } from '../../ts/index.js';
import { ANY_VALUE, type Api, exported, heddle, message, outcome, run, show, v8 } from './oracle.js';

const TYPES = ['i32', 'i64', 'f32', 'f64', 'externref', 'funcref'];

/** The first parameter comes back. */
const identity = (type: string): string => `(module (func (export "f") (param ${type}) (result ${type}) local.get 0))`;

/** What the import returns comes back. */
const fromImport = (type: string): string =>
  `(module (import "m" "x" (func $x (result ${type}))) (func (export "f") (result ${type}) call $x))`;

/** The same value, or what became of it. */
function became(value: unknown, result: unknown): unknown {
  return Object.is(value, result) ? 'the same' : result;
}

describe.each(TYPES)('%s', (type) => {
  test.each(ANY_VALUE)('argument: %s', (_name, make) => {
    const value = make();
    const action = (api: Api) => (): unknown => became(value, exported(api, identity(type), 'f')(value));
    expect(outcome(action(heddle))).toBe(outcome(action(v8)));
    if (outcome(action(v8)) === 'threw SyntaxError') expect(message(action(heddle))).toBe(message(action(v8)));
  });

  test.each(ANY_VALUE)('argument through call(): %s', (_name, make) => {
    const value = make();
    const ours = (): unknown => became(value, call(exported(heddle, identity(type), 'f'), [value]));
    expect(outcome(ours)).toBe(outcome(() => became(value, exported(v8, identity(type), 'f')(value))));
  });

  test.each(ANY_VALUE)('result of an import: %s', (_name, make) => {
    const value = make();
    const action = (api: Api) => (): unknown => became(value, exported(api, fromImport(type), 'f', { m: { x: () => value } })());
    expect(outcome(action(heddle))).toBe(outcome(action(v8)));
  });

  test('absent and superfluous arguments', () => {
    for (const args of [[], [undefined], type === 'i64' ? [1n, 2, {}] : type === 'funcref' ? [null, 5] : [1, 2, Symbol('s')]]) {
      const [ours, theirs] = [heddle, v8].map((api) => outcome(() => exported(api, identity(type), 'f')(...args)));
      expect(ours).toBe(theirs);
      expect(outcome(() => call(exported(heddle, identity(type), 'f'), args))).toBe(theirs);
    }
  });
});

test.each(ANY_VALUE)('an import without results may return %s', (_name, make) => {
  const text = '(module (import "m" "x" (func $x)) (func (export "f") call $x))';
  const [ours, theirs] = [heddle, v8].map((api) => outcome(() => exported(api, text, 'f', { m: { x: make } })()));
  expect(ours).toBe(theirs);
});

test('a bigint error has the words of JavaScript', () => {
  for (const [type, value] of [
    ['i64', 1],
    ['i64', undefined],
    ['i32', 1n],
    ['f64', Symbol('s')],
    ['i64', 'x'],
  ] as const) {
    const [ours, theirs] = [heddle, v8].map((api) => message(() => exported(api, identity(type), 'f')(value)));
    expect(ours).toBe(theirs);
  }
});

describe('numbers', () => {
  const BITS = `(module
    (func (export "f32") (param f32) (result i32) (i32.reinterpret_f32 (local.get 0)))
    (func (export "f64") (param f64) (result i64) (i64.reinterpret_f64 (local.get 0)))
    (func (export "of32") (param i32) (result f32) (f32.reinterpret_i32 (local.get 0)))
    (func (export "of64") (param i64) (result f64) (f64.reinterpret_i64 (local.get 0))))`;
  const values = [0, -0, 1, 0.1, 16_777_217, 1e39, -1e39, 5e-324, 1e-46, Number.MAX_VALUE, Number.POSITIVE_INFINITY, 3.4028235677973366e38];

  test.each(values)('the bits of %d', (value) => {
    for (const type of ['f32', 'f64']) {
      const [ours, theirs] = [heddle, v8].map((api) => exported(api, BITS, type)(value));
      expect(ours).toBe(theirs);
    }
    // Rounding to f32 as JavaScript's own arrays do it.
    expect(exported(heddle, BITS, 'f32')(value)).toBe(new Int32Array(Float32Array.of(value).buffer)[0]);
  });

  test.each([0, 1, 0x7f80_0000, 0x8000_0000, 0x7fc0_0000, 0x7fff_ffff, 0x3f80_0000, 0x0000_0001, 0x7f7f_ffff])('f32 of bits %d', (bits) => {
    const [ours, theirs] = [heddle, v8].map((api) => show(exported(api, BITS, 'of32')(bits)));
    expect(ours).toBe(theirs);
  });

  test.each([0n, 1n, 0x7ff0_0000_0000_0000n, 1n << 63n, 0x7ff8_0000_0000_0000n, -1n, 0x3ff0_0000_0000_0001n])('f64 of bits %d', (bits) => {
    const [ours, theirs] = [heddle, v8].map((api) => show(exported(api, BITS, 'of64')(bits)));
    expect(ours).toBe(theirs);
  });

  test.each([0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 63n, 2n ** 64n, 2n ** 64n + 3n, -(2n ** 200n) - 1n])('i64 %d', (value) => {
    expect(exported(heddle, identity('i64'), 'f')(value)).toBe(BigInt.asIntN(64, value));
  });
});

describe('order of conversions', () => {
  /** Notes when it is converted. */
  const noting = (log: unknown[], name: string, value: unknown): object => ({
    valueOf() {
      log.push(name);
      return value;
    },
  });

  test('arguments, all before the call, superfluous ones not at all', () => {
    const text = '(module (import "m" "x" (func $x)) (func (export "f") (param i32 f64 i64) call $x))';
    const [ours, theirs] = [heddle, v8].map((api) => {
      const log: unknown[] = [];
      const f = exported(api, text, 'f', { m: { x: () => log.push('called') } });
      f(noting(log, 'a', 1), noting(log, 'b', 1), noting(log, 'c', 1n), noting(log, 'd', 1));
      return log;
    });
    expect(ours).toEqual(theirs);
  });

  test('numbers and references together', () => {
    const text = '(module (func (export "f") (param i32 funcref f32)))';
    const [ours, theirs] = [heddle, v8].map((api) => {
      const log: unknown[] = [];
      log.push(outcome(() => exported(api, text, 'f')(noting(log, 'a', 1), 5, noting(log, 'c', 1))));
      return log;
    });
    expect(ours).toEqual(theirs);
  });

  test('results of an import', () => {
    const text = `(module (import "m" "x" (func $x (result i32 funcref f64)))
      (func (export "f") (result i32 funcref f64) call $x))`;
    const [ours, theirs] = [heddle, v8].map((api) => {
      const log: unknown[] = [];
      log.push(outcome(() => exported(api, text, 'f', { m: { x: () => [noting(log, 'a', 1), 5, noting(log, 'c', 1)] } })()));
      return log;
    });
    expect(ours).toEqual(theirs);
  });

  test('a conversion that calls the same function', () => {
    const text = '(module (func (export "sub") (param i32 i32 i32 i32 i32) (result i32) (i32.sub (local.get 0) (local.get 4))))';
    for (const api of [heddle, v8]) {
      const sub = exported(api, text, 'sub');
      const inner = { valueOf: () => sub(100, 0, 0, 0, 1) };
      expect(sub(1000, inner, inner, inner, inner)).toBe(901);
    }
  });
});

test('what an import is called with', () => {
  const text = `(module (import "m" "x" (func $x (param i32 i64 f32 f64 externref funcref)))
    (func (export "f") (param i32 i64 f32 f64 externref funcref)
      local.get 0 local.get 1 local.get 2 local.get 3 local.get 4 local.get 5 call $x))`;
  const token = {};
  for (const api of [heddle, v8]) {
    let seen: unknown[] = [];
    const x = function (this: unknown, ...args: unknown[]): void {
      seen = [this, ...args];
    };
    const f = exported(api, text, 'f', { m: { x } });
    f.call({ not: 'this' }, 2 ** 31, 2n ** 63n, 0.1, 0.1, token, f);
    expect(seen).toEqual([undefined, -(2 ** 31), -(2n ** 63n), Math.fround(0.1), 0.1, token, f]);
    expect(seen[5]).toBe(token);
    expect(seen[6]).toBe(f);
  }
});

describe('references', () => {
  test('an externref is the same value again, whatever it is', () => {
    const f = exported(heddle, identity('externref'), 'f');
    const values = [
      undefined,
      null,
      0,
      -0,
      Number.NaN,
      '',
      'text',
      5n,
      Symbol('s'),
      {},
      [],
      () => 0,
      f,
      new Proxy({}, {}),
      Promise.resolve(),
    ];
    for (const value of values) expect(Object.is(f(value), value) || Object.is(value, -0)).toBe(true);
  });

  test('-0 stays -0', () => {
    expect([heddle, v8].map((api) => Object.is(exported(api, identity('externref'), 'f')(-0), -0))).toEqual([true, true]);
  });

  test('0 and -0, NaN, equal strings', () => {
    const f = exported(heddle, identity('externref'), 'f');
    expect([f(0), f(-0), f(0)].map((value) => Object.is(value, -0))).toEqual([false, true, false]);
  });

  test('a function reference is the export itself', () => {
    const text = `(module (func $a (export "a")) (func $hidden (result i32) (i32.const 7))
      (table (export "t") funcref (elem $a $hidden)) (global (export "g") funcref (ref.func $hidden))
      (func (export "a?") (result funcref) (ref.func $a)) (func (export "hidden") (result funcref) (ref.func $hidden))
      (func (export "same") (param funcref) (result funcref) local.get 0))`;
    const relations = (api: Api): unknown[] => {
      const e = run(api, text);
      const hidden = e['hidden']?.() as (() => unknown) | undefined;
      return [
        e['a?']?.() === e['a'],
        e['t']?.get(0) === e['a'],
        e['t']?.get(1) === hidden,
        e['g']?.value === hidden,
        e['same']?.(hidden) === hidden,
        e['same']?.(e['same']) === e['same'],
        hidden?.(),
        show(hidden),
      ];
    };
    expect(relations(heddle)).toEqual(relations(v8));
    expect(relations(heddle).slice(0, 6)).toEqual([true, true, true, true, true, true]);
  });

  test('a function of another module keeps its identity', () => {
    for (const api of [heddle, v8]) {
      const f = exported(api, '(module (func (export "f") (result i32) (i32.const 3)))', 'f');
      expect(exported(api, identity('funcref'), 'f')(f)).toBe(f);
      const again = run(api, '(module (import "m" "f" (func $f (result i32))) (export "f" (func $f)))', { m: { f } });
      expect(again['f']).toBe(f);
    }
  });

  test('an imported JavaScript function comes out as an export', () => {
    const text = `(module (import "m" "x" (func $x (param i32) (result i32))) (export "x" (func $x)) (export "y" (func $x))
      (elem declare func $x) (func (export "ref") (result funcref) (ref.func $x)))`;
    const x = (value: unknown): number => Number(value) + 1;
    const relations = (api: Api): unknown[] => {
      const e = run(api, text, { m: { x } });
      return [e['x'] === (x as unknown), e['x'] === e['y'], e['ref']?.() === e['x'], e['x']?.('4'), show(e['x'])];
    };
    expect(relations(heddle)).toEqual(relations(v8));
  });

  test.each([
    ['(ref func)', [null, undefined, () => 0]],
    ['(ref extern)', [null, undefined, 5]],
    ['(ref null $f)', [null, undefined, () => 0]],
    ['nullfuncref', [null, undefined, 5]],
    ['nullexternref', [null, undefined, 5]],
  ])('%s', (type, values) => {
    const text = `(module (type $f (func (result i64))) (func (export "f") (param ${type})))`;
    for (const value of values) {
      const expected = type.startsWith('(ref null') || type.startsWith('null') ? value === null : value !== null && type === '(ref extern)';
      expect(outcome(() => exported(heddle, text, 'f')(value))).toBe(expected ? 'returned undefined' : 'threw TypeError');
    }
  });

  test('a typed function reference takes functions of that type only', () => {
    const text = `(module (type $f (func (result i32))) (func (export "f") (param (ref $f)) (result i32) (call_ref $f (local.get 0)))
      (func (export "right") (result i32) (i32.const 6)) (func (export "wrong")))`;
    const e = run(heddle, text);
    expect(e['f']?.(e['right'])).toBe(6);
    expect(outcome(() => e['f']?.(e['wrong']))).toBe('threw TypeError');
    expect(outcome(() => e['f']?.(() => 6))).toBe('threw TypeError');
  });
});

describe('what has no form in JavaScript', () => {
  test.each([
    ['a v128 parameter', '(func (export "f") (param v128))'],
    ['a v128 result', '(func (export "f") (result v128) (v128.const i64x2 0 0))'],
    ['a v128 import', '(import "m" "x" (func $x (param v128))) (func (export "f") (call $x (v128.const i64x2 0 0)))'],
  ])('%s', (_name, fields) => {
    const [ours, theirs] = [heddle, v8].map((api) => {
      let called = 0;
      const end = outcome(() => exported(api, `(module ${fields})`, 'f', { m: { x: () => called++ } })(0));
      return [end, called];
    });
    expect(ours).toEqual(theirs);
  });

  test.each(['(param (ref null $k))', '(result (ref null $k)) (ref.null $k)', '(param nullcontref)'])('a continuation: %s', (type) => {
    const text = `(module (type $f (func)) (type $k (cont $f)) (func (export "f") ${type}))`;
    expect(outcome(() => exported(heddle, text, 'f')(null))).toBe('threw TypeError');
    expect(outcome(() => call(exported(heddle, text, 'f'), [null]))).toBe('threw TypeError');
  });
});

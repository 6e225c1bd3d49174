/**
 * Tables and globals that JavaScript reads and writes through windows of the addon's memory. Each is used often enough that it has one; what V8 does with the same
 * module is what is expected.
 */
import { describe, expect, test } from 'vitest';
import { collect, dispose } from '../../ts/api/index.js';
import { resultOf } from '../traps/child.js';
import { type AnyInstance, type Api, bytes, type Exported, exported, heddle, outcome, run, show, v8 } from './oracle.js';

/** More accesses than are made before there is a window. */
const OFTEN = 20;

const FUNCTIONS = `(module
  (type $f (func (result i32)))
  (table $t (export "t") 8 100000 funcref)
  (table $e (export "e") 8 externref)
  (func $one (export "one") (result i32) (i32.const 1)) (func $two (export "two") (result i32) (i32.const 2))
  (elem (i32.const 0) $one $two)
  (func (export "grow") (param i32) (result i32) (table.grow $t (ref.func $two) (local.get 0)))
  (func (export "set") (param i32 funcref) (table.set $t (local.get 0) (local.get 1)))
  (func (export "swap") (param i32 i32) (local funcref)
    (local.set 2 (table.get $t (local.get 0)))
    (table.set $t (local.get 0) (table.get $t (local.get 1)))
    (table.set $t (local.get 1) (local.get 2)))
  (func (export "fill") (param i32 i32) (table.fill $t (local.get 0) (ref.null func) (local.get 1)))
  (func (export "call") (param i32) (result i32) (call_indirect $t (type $f) (local.get 0)))
  (func (export "extern") (param i32) (result externref) (table.get $e (local.get 0)))
  (func (export "setExtern") (param i32 externref) (table.set $e (local.get 0) (local.get 1))))`;

type Exports = AnyInstance['exports'];

/** An export that is there. */
function at(exports: Exports, name: string): Exported {
  const found = exports[name];
  if (found === undefined) throw new Error(`no export ${name}`);
  return found;
}

/** What a story gives on both engines, where it is told more than once so that later rounds go through windows. */
function same(story: (api: Api, round: (what: () => unknown) => void) => void): void {
  const told = (api: Api): string[] => {
    const steps: string[] = [];
    story(api, (what) => {
      steps.push(outcome(what));
    });
    return steps;
  };
  expect(told(heddle)).toEqual(told(v8));
}

const warm = (object: Exported): void => {
  for (let i = 0; i < OFTEN; i++) object.get(0);
};

describe('a table that is read often', () => {
  test('gives the functions that are in it, always the same object for one', () => {
    for (const api of [heddle, v8]) {
      const e = run(api, FUNCTIONS);
      const t = at(e, 't');
      for (let i = 0; i < OFTEN; i++) expect([t.get(0) === e['one'], t.get(1) === e['two'], t.get(2)]).toEqual([true, true, null]);
      e['swap']?.(0, 1);
      expect([t.get(0) === e['two'], t.get(1) === e['one']]).toEqual([true, true]);
      e['fill']?.(0, 2);
      expect([t.get(0), t.get(1)]).toEqual([null, null]);
    }
  });

  test('sees what WebAssembly does to it, and the other way round', () => {
    same((api, step) => {
      const e = run(api, FUNCTIONS);
      const t = at(e, 't');
      for (let i = 0; i < OFTEN; i++) {
        step(() => (t.get(i % 8) as Exported | null)?.());
        step(() => t.set(i % 8, i % 3 === 0 ? null : e[i % 3 === 1 ? 'one' : 'two']));
        step(() => e['call']?.(i % 8));
        step(() => e['set']?.((i + 1) % 8, e['one']));
        step(() => (t.get((i + 1) % 8) as Exported | null)?.());
        step(() => t.set(i % 8));
        step(() => t.get(i % 8));
      }
    });
  });

  test('grows under it, by WebAssembly and by JavaScript, also where it moves', () => {
    same((api, step) => {
      const e = run(api, FUNCTIONS);
      const t = at(e, 't');
      warm(t);
      for (let i = 1; i < 4000; i = 2 * i + 1) {
        step(() => e['grow']?.(i));
        step(() => [t.length, (t.get(t.length - 1) as Exported)(), (t.get(0) as Exported)(), t.get(2)]);
        step(() => t.set(t.length - 1, e['one']));
        step(() => e['call']?.(t.length - 1));
        step(() => t.grow(i, e['one']));
        step(() => [t.length, (t.get(t.length - 1) as Exported)()]);
        step(() => t.get(t.length));
        step(() => t.set(t.length, null));
      }
    });
  });

  test('may have a hundred thousand elements', () => {
    same((api, step) => {
      const e = run(api, FUNCTIONS);
      const t = at(e, 't');
      warm(t);
      step(() => t.grow(99_992, e['one']));
      step(() => t.grow(1));
      for (const index of [0, 4095, 4096, 8192, 65_536, 99_999]) {
        step(() => t.get(index) === e['one']);
        step(() => t.set(index, e['two']));
        step(() => [t.get(index) === e['two'], t.get(index ^ 4096) === e['two'], e['call']?.(index)]);
      }
      step(() => t.get(100_000));
    });
  });

  test('is grown by an import that JavaScript calls while it reads', () => {
    const text = `(module (import "m" "f" (func $f)) (table $t (export "t") 1 1000 externref)
      (func (export "grow") (result i32) (call $f) (table.grow $t (ref.null extern) (i32.const 9))))`;
    same((api, step) => {
      let t: Exported | undefined;
      const e = run(api, text, { m: { f: () => step(() => [t?.length, t?.set(0, t.length), t?.get(0)]) } });
      t = at(e, 't');
      for (let i = 0; i < OFTEN; i++) step(() => [e['grow']?.(), t?.length, t?.get(0)]);
    });
  });

  test('is shared by instances', () => {
    const user = `(module (import "m" "t" (table $t 1 funcref)) (func $f (export "f") (result i32) (i32.const 40))
      (func (export "put") (param i32) (table.set $t (local.get 0) (ref.func $f)))
      (func (export "grow") (result i32) (table.grow $t (ref.func $f) (i32.const 5))))`;
    same((api, step) => {
      const t = new api.Table({ element: 'anyfunc', initial: 4 });
      warm(t);
      const users = [run(api, user, { m: { t } }), run(api, user, { m: { t } })];
      for (const [i, e] of users.entries()) {
        step(() => e['put']?.(i));
        step(() => [t.get(i) === e['f'], e['grow']?.(), t.length, t.get(t.length - 1) === e['f']]);
      }
      step(() => [t.get(0) === users[0]?.['f'], t.get(1) === users[1]?.['f'], t.get(0) === t.get(1)]);
    });
  });

  test.each<[string, (t: Exported, e: Exports) => unknown]>([
    ['get beyond the end', (t) => t.get(8)],
    ['set beyond the end', (t) => t.set(8, null)],
    ['set beyond the end, without a value', (t) => t.set(8)],
    ['set beyond the end, of a value that does not fit', (t) => t.set(8, 5)],
    ['set of a value that does not fit', (t) => t.set(0, 5)],
    ['set of a function of JavaScript', (t) => t.set(0, () => 0)],
    ['set of undefined', (t) => t.set(0, undefined)],
    ['get at 2^32 - 1', (t) => t.get(2 ** 32 - 1)],
    ['get at -0', (t) => (t.get(-0) as Exported)()],
    ['get at 1.9', (t) => (t.get(1.9) as Exported)()],
    ['get at text', (t) => (t.get('1') as Exported)()],
    ['get at a bigint', (t) => t.get(1n)],
    ['get at -1', (t) => t.get(-1)],
    ['get at NaN', (t) => t.get(Number.NaN)],
    ['get of an object that grows it', (t, e) => [t.get({ valueOf: () => (e['grow']?.(1), 8) }) === e['two'], t.length]],
    ['set at an object that grows it', (t, e) => [t.set({ valueOf: () => (e['grow']?.(1), 8) }, e['one']), t.get(8) === e['one']]],
    [
      'get of an object that throws',
      (t) =>
        t.get({
          valueOf: () => {
            throw new RangeError('mine');
          },
        }),
    ],
    ['get of another', (t) => t.get.call({}, 0)],
    ['set of another', (t) => t.set.call(Object.create(t), 0, null)],
    ['length of another', (t) => Reflect.get(Object.getPrototypeOf(t) as object, 'length', {})],
    ['grow beyond the maximum', (t) => [outcome(() => t.grow(100_000)), t.length]],
    ['grow by a value that does not fit', (t) => [outcome(() => t.grow(1, 5)), t.length]],
  ])('%s', (_what, action) => {
    const of = (api: Api): string => {
      const e = run(api, FUNCTIONS);
      const t = at(e, 't');
      warm(t);
      return outcome(() => action(t, e));
    };
    expect(of(heddle)).toBe(of(v8));
  });

  test('of externrefs has every value of JavaScript', () => {
    const values = [undefined, null, 0, -0, Number.NaN, 'text', 5n, Symbol.iterator, {}, [], () => 0, FUNCTIONS];
    for (const api of [heddle, v8]) {
      const e = run(api, FUNCTIONS);
      const t = at(e, 'e');
      for (let i = 0; i < OFTEN; i++) {
        for (const [k, value] of values.entries()) {
          t.set(k % 8, value);
          expect(t.get(k % 8)).toBe(value);
          expect(e['extern']?.(k % 8)).toBe(value);
          e['setExtern']?.((k + 1) % 8, value);
          expect(t.get((k + 1) % 8)).toBe(value);
        }
        t.set(0);
        expect(t.get(0)).toBe(undefined);
      }
    }
  });

  test('with values that do not cross refuses each time', () => {
    const e = run(
      heddle,
      '(module (type $f (func)) (type $k (cont $f)) (table (export "k") 2 (ref null $k)) (table (export "x") 2 exnref))',
    );
    for (const name of ['k', 'x']) {
      const t = at(e, name);
      for (let i = 0; i < OFTEN; i++) {
        expect(() => t.get(0)).toThrow(TypeError);
        expect(() => t.set(0, null)).toThrow(TypeError);
        expect(() => t.get(2)).toThrow(RangeError);
      }
      expect(t.length).toBe(2);
    }
  });

  // V8 of Node 20 has no such types: what is expected is the JS API's text.
  test('of a concrete type takes functions of that type', () => {
    const e = run(
      heddle,
      `(module (type $a (func (result i32))) (type $b (func)) (table (export "t") 2 (ref null $a))
        (table (export "full") 2 (ref $a) (ref.func $f))
        (func $f (export "a") (type $a) (i32.const 3)) (func (export "b") (type $b)))`,
    );
    const t = at(e, 't');
    const full = at(e, 'full');
    for (let i = 0; i < OFTEN; i++) {
      t.set(0, e['a']);
      expect(() => t.set(0, e['b'])).toThrow(TypeError);
      expect(t.get(0)).toBe(e['a']);
      t.set(0, null);
      expect(t.get(0)).toBe(null);
      expect(() => full.set(0, null)).toThrow(TypeError);
      expect(() => full.set(0)).toThrow(TypeError);
      expect(() => full.set(2)).toThrow(RangeError);
      expect(full.get(0)).toBe(e['a']);
    }
  });
});

describe('a global that is read often', () => {
  const TEXT = `(module
    (global $a (export "i32") (mut i32) (i32.const -5)) (global $b (export "i64") (mut i64) (i64.const -6))
    (global $c (export "f32") (mut f32) (f32.const 1.1)) (global $d (export "f64") (mut f64) (f64.const nan))
    (global $e (export "externref") (mut externref) (ref.null extern)) (global $f (export "funcref") (mut funcref) (ref.null func))
    (global (export "fixed") i32 (i32.const 9))
    (func (export "one") (result i32) (i32.const 1))
    (func (export "get") (result i32 i64 f32 f64 externref funcref)
      (global.get $a) (global.get $b) (global.get $c) (global.get $d) (global.get $e) (global.get $f))
    (func (export "set") (param i32 i64 f32 f64 externref funcref)
      (global.set $a (local.get 0)) (global.set $b (local.get 1)) (global.set $c (local.get 2)) (global.set $d (local.get 3))
      (global.set $e (local.get 4)) (global.set $f (local.get 5))))`;
  const NAMES = ['i32', 'i64', 'f32', 'f64', 'externref', 'funcref'];

  test('has the value that either side gave it', () => {
    same((api, step) => {
      const e = run(api, TEXT);
      const read = (): unknown => NAMES.map((name) => show(at(e, name).value));
      for (const number of [0, -1, 1.5, -0, 2 ** 31, 2 ** 53, Number.NaN, 1e300, Number.NEGATIVE_INFINITY]) {
        step(() => e['set']?.(number, 7n, number, number, number, e['one']));
        step(read);
        for (const name of ['i32', 'f32', 'f64', 'externref']) step(() => Object.assign(at(e, name), { value: -number }));
        step(() => Object.assign(at(e, 'i64'), { value: 2n ** 63n }));
        step(() => Object.assign(at(e, 'funcref'), { value: null }));
        step(read);
        step(() => e['get']?.());
      }
    });
  });

  test.each<[string, (e: Exports) => unknown]>([
    ['a number for an i64', (e) => Object.assign(at(e, 'i64'), { value: 1 })],
    ['a bigint for an f32', (e) => Object.assign(at(e, 'f32'), { value: 1n })],
    ['a symbol for an i32', (e) => Object.assign(at(e, 'i32'), { value: Symbol.iterator })],
    ['a function of JavaScript for a funcref', (e) => Object.assign(at(e, 'funcref'), { value: () => 0 })],
    [
      'any value for what is fixed',
      (e) =>
        Object.assign(at(e, 'fixed'), {
          value: {
            valueOf: () => {
              throw new RangeError('asked');
            },
          },
        }),
    ],
    ['the value of another', (e) => Reflect.get(Object.getPrototypeOf(at(e, 'i32')) as object, 'value', {})],
    ['a value for another', (e) => Reflect.set(Object.getPrototypeOf(at(e, 'i32')) as object, 'value', 1, {})],
    [
      'what sets it while it is converted',
      (e) => [Object.assign(at(e, 'i32'), { value: { valueOf: () => (e['set']?.(3, 0n, 0, 0, 0, null), 4) } }), at(e, 'i32').value],
    ],
  ])('%s', (_what, action) => {
    const of = (api: Api): string => {
      const e = run(api, TEXT);
      for (let i = 0; i < OFTEN; i++) void [at(e, 'i32').value, at(e, 'funcref').value];
      return outcome(() => action(e));
    };
    expect(of(heddle)).toBe(of(v8));
  });

  test('is the same function each time', () => {
    for (const api of [heddle, v8]) {
      const e = run(api, TEXT);
      const other = exported(api, '(module (func (export "f")))', 'f');
      for (let i = 0; i < OFTEN; i++) {
        Object.assign(at(e, 'funcref'), { value: i % 2 === 0 ? e['one'] : other });
        expect(at(e, 'funcref').value).toBe(i % 2 === 0 ? e['one'] : other);
      }
    }
  });
});

test('after a collection the same functions are there, and values that nothing else has', () => {
  const e = run(heddle, FUNCTIONS);
  const t = at(e, 't');
  const externs = at(e, 'e');
  warm(t);
  warm(externs);
  for (let i = 0; i < OFTEN; i++) {
    externs.set(i % 8, { i });
    t.set(2, e['one']);
    collect();
    expect(externs.get(i % 8)).toEqual({ i });
    expect([t.get(0), t.get(1), t.get(2)].map((f) => (f as Exported)())).toEqual([1, 2, 1]);
    expect(t.get(0)).toBe(e['one']);
  }
});

test('an instance that was disposed of leaves its tables empty of values', () => {
  const instance = new heddle.Instance(new heddle.Module(bytes(FUNCTIONS)));
  const t = at(instance.exports, 't');
  const externs = at(instance.exports, 'e');
  externs.set(0, 'kept');
  warm(t);
  warm(externs);
  dispose(instance as never);
  expect([externs.get(0), externs.length, (t.get(0) as Exported)()]).toEqual([null, 8, 1]);
});

describe.each([
  ['with windows', {}],
  ['where V8 makes none', { HEDDLE_DEBUG_WINDOWS: '0' }],
  ['with a collection at every safepoint', { HEDDLE_COLLECT: 'always' }],
])('%s', (_how, env) => {
  test('tables and globals are as V8 has them, and what was dropped is freed', async () => {
    const result = await resultOf<{ heddle: unknown; v8: unknown; instances: number }>(new URL('programs/windows.mjs', import.meta.url), {
      env,
      flags: ['--expose-gc'],
    });
    expect(result.heddle).toEqual(result.v8);
    // Of eighty that a table had in turn only the last is held. A conservative collector may take a word for a reference.
    expect(result.instances).toBeLessThanOrEqual(8);
  });
});

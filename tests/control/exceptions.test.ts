/**
 * Exceptions where WebAssembly, JavaScript and fibers meet.
 */
import { describe, expect, test } from 'vitest';
import { collect, WebAssembly as Heddle, parseWat, statistics } from '../../ts/api/index.js';

type Functions = Record<string, (...args: never[]) => unknown>;

function instance(text: string, env: Record<string, unknown> = {}): Functions {
  return new Heddle.Instance(new Heddle.Module(parseWat(text)), { env }).exports as Functions;
}

function thrown(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

const tag = new Heddle.Tag({ parameters: ['i32', 'i64', 'f32', 'f64', 'externref'] });
const TAG = '(tag $e (import "env" "tag") (param i32 i64 f32 f64 externref))';
const THROW = `(func $throw (export "throw") (param externref)
  (throw $e (i32.const -1) (i64.const -2) (f32.const 1.5) (f64.const 2.5) (local.get 0)))`;

describe('WebAssembly to JavaScript', () => {
  const exports = instance(`(module ${TAG} ${THROW})`, { tag });

  test('an uncaught exception is an Exception with its payload', () => {
    const value = { a: 'value' };
    const error = thrown(() => exports['throw']?.(value as never));
    expect(error).toBeInstanceOf(Heddle.Exception);
    const exception = error as InstanceType<typeof Heddle.Exception>;
    expect(exception.code).toBe('HEDDLE_EXCEPTION');
    expect(exception.tag).toBe(tag);
    expect(exception.is(tag)).toBe(true);
    expect(exception.is(new Heddle.Tag({ parameters: [] }))).toBe(false);
    expect([0, 1, 2, 3, 4].map((i) => exception.getArg(tag, i))).toEqual([-1, -2n, 1.5, 2.5, value]);
    expect(exception.getArg(tag, 4)).toBe(value);
  });

  test('wrong questions are refused', () => {
    const exception = new Heddle.Exception(tag, [1, 2n, 3, 4, null]);
    expect(() => exception.getArg(tag, 5)).toThrow(RangeError);
    expect(() => exception.getArg(new Heddle.Tag({ parameters: [] }), 0)).toThrow(TypeError);
    expect(() => new Heddle.Exception(tag, [1])).toThrow(TypeError);
    expect(() => new Heddle.Exception(Heddle.JSTag, [1])).toThrow(TypeError);
    expect(() => new Heddle.Exception({} as never, [])).toThrow(TypeError);
  });
});

describe('JavaScript to WebAssembly', () => {
  const CATCH = `(import "env" "f" (func $f))
    (func (export "all") (result i32) (block $h (try_table (catch_all $h) (call $f)) (return (i32.const 0))) (i32.const 1))
    (func (export "again") (block $h (result exnref) (try_table (catch_all_ref $h) (call $f)) (return)) (throw_ref))
    (func (export "none") (call $f))
    (func (export "other") (block $h (try_table (catch $mine $h) (call $f))))`;

  test.each([
    ['an Error', new Error('x')],
    ['a number', 7],
    ['null', null],
    ['undefined', undefined],
  ])('%s is caught and comes out the same', (_n, value) => {
    const exports = instance(`(module (tag $mine) ${CATCH})`, {
      f: () => {
        throw value;
      },
    });
    expect(exports['all']?.()).toBe(1);
    for (const name of ['again', 'none', 'other']) expect(thrown(() => exports[name]?.())).toBe(value);
  });

  test('JSTag gives the value', () => {
    const value = new Error('mine');
    const exports = instance(
      `(module (import "env" "f" (func $f)) (tag $js (import "env" "js") (param externref))
        (func (export "value") (result externref) (block $h (result externref) (try_table (catch $js $h) (call $f)) (unreachable))))`,
      {
        js: Heddle.JSTag,
        f: () => {
          throw value;
        },
      },
    );
    expect(exports['value']?.()).toBe(value);
  });

  test('an Exception is caught by its tag, and crosses both ways as the same object', () => {
    const exception = new Heddle.Exception(tag, [1, 2n, 3, 4, 'five']);
    const f = (): never => {
      throw exception;
    };
    const exports = instance(
      `(module ${TAG} (tag $mine) ${CATCH}
        (func (export "values") (result i32 i64 f32 f64 externref)
          (block $h (result i32 i64 f32 f64 externref) (try_table (catch $e $h) (call $f)) (unreachable))))`,
      { tag, f },
    );
    expect(exports['values']?.()).toEqual([1, 2n, 3, 4, 'five']);
    for (const name of ['again', 'none', 'other']) expect(thrown(() => exports[name]?.())).toBe(exception);
  });

  test('traps are not caught, not even through JavaScript', () => {
    const inner = instance('(module (func (export "trap") unreachable) (func $deep (export "deep") (call $deep)))');
    for (const name of ['trap', 'deep']) {
      const exports = instance(`(module (tag $mine) ${CATCH})`, { f: () => inner[name]?.() });
      const error = thrown(() => exports['all']?.());
      expect((error as { code: string }).code).toBe(name === 'trap' ? 'HEDDLE_TRAP_UNREACHABLE' : 'HEDDLE_TRAP_STACK_OVERFLOW');
    }
  });

  test('through nested entries', () => {
    const exports: Functions = instance(
      `(module (tag $mine (param i32)) (import "env" "f" (func $f (param i32)))
        (func (export "nest") (param i32) (if (i32.eqz (local.get 0)) (then (throw $mine (i32.const 42)))) (call $f (i32.sub (local.get 0) (i32.const 1))))
        (func (export "catch") (param i32) (result i32)
          (block $h (result i32) (try_table (catch $mine $h) (call $f (local.get 0))) (unreachable))))`,
      { f: (depth: number) => exports['nest']?.(depth as never) },
    );
    for (const depth of [0, 1, 5]) expect(exports['catch']?.(depth as never)).toBe(42);
  });
});

describe('fibers', () => {
  // 0: the continuation; `depth` fibers resume each other, the innermost runs `body`.
  const chain = (body: string): string => `(module
    (type $f (func (param i32))) (type $c (cont $f)) (type $f0 (func)) (type $c0 (cont $f0))
    (import "env" "f" (func $js)) (tag $e (param i32)) (tag $s) (elem declare func $nest)
    (func $nest (param i32)
      (if (i32.eqz (local.get 0)) (then ${body}))
      (resume $c (i32.sub (local.get 0) (i32.const 1)) (cont.new $c (ref.func $nest))))
    (func (export "catch") (param i32) (result i32)
      (block $h (result i32)
        (try_table (catch $e $h) (resume $c (local.get 0) (cont.new $c (ref.func $nest)))) (i32.const -1)))
    (func (export "inject") (param i32) (result i32)
      (local $k (ref null $c0))
      (block $on (result (ref $c0))
        (resume $c (on $s $on) (local.get 0) (cont.new $c (ref.func $nest))) (return (i32.const -2)))
      (local.set $k)
      (block $h (result i32)
        (try_table (catch $e $h) (resume_throw $c0 $e (i32.const 7) (local.get $k))) (i32.const -1))))`;
  const f = (): never => {
    throw new Error('from JavaScript');
  };
  const live = (): number[] => {
    collect();
    return counts();
  };
  // Fewer where V8 has freed an Exception of an earlier test meanwhile.
  const expectNoMore = (before: readonly number[]): void => {
    live().forEach((count, i) => void expect(count).toBeLessThanOrEqual(before[i] ?? 0));
  };
  const counts = (): number[] => [statistics().continuationsLive, statistics().stacksLive, statistics().exceptionsLive];

  test.each([0, 1, 5])('a throw goes up %i fibers and gives them back', (depth) => {
    const exports = instance(chain('(throw $e (i32.const 9))'), { f });
    const before = live();
    for (let i = 0; i < 1000; i++) expect(exports['catch']?.(depth as never)).toBe(9);
    expectNoMore(before);
  });

  test.each([0, 1, 5])('a JavaScript error goes up %i fibers and out', (depth) => {
    const exports = instance(chain('(call $js)'), { f });
    const before = live();
    for (let i = 0; i < 100; i++) expect(() => exports['catch']?.(depth as never)).toThrow('from JavaScript');
    expectNoMore(before);
  });

  test.each([0, 1, 5])('resume_throw into %i suspended fibers: nobody catches', (depth) => {
    const exports = instance(chain('(suspend $s)'), { f });
    const before = live();
    for (let i = 0; i < 1000; i++) expect(exports['inject']?.(depth as never)).toBe(7);
    expectNoMore(before);
  });

  test.each([0, 1, 5])('resume_throw into %i suspended fibers: the innermost catches', (depth) => {
    const exports = instance(chain('(drop (block $h (result i32) (try_table (catch $e $h) (suspend $s)) (i32.const 0))) (return)'), { f });
    const before = live();
    for (let i = 0; i < 1000; i++) expect(exports['inject']?.(depth as never)).toBe(-1);
    expectNoMore(before);
  });

  test('resume_throw: a fiber in the middle catches, and may suspend again', () => {
    const exports = instance(`(module
      (type $f (func)) (type $c (cont $f)) (tag $e (param i64)) (tag $s) (tag $t (param i64)) (elem declare func $inner $outer)
      (func $inner (suspend $s) (unreachable))
      (func $outer (local i64)
        (block $h (result i64) (try_table (catch $e $h) (resume $c (cont.new $c (ref.func $inner)))) (unreachable))
        (local.set 0) (suspend $t (i64.add (local.get 0) (i64.const 1))))
      (func (export "run") (result i64) (local $k (ref null $c)) (local $v i64)
        (block $on (result (ref $c)) (resume $c (on $s $on) (cont.new $c (ref.func $outer))) (unreachable))
        (local.set $k)
        (block $on (result i64 (ref $c))
          (resume_throw $c $e (on $t $on) (i64.const 41) (local.get $k)) (unreachable))
        (local.set $k) (local.set $v)
        (resume $c (local.get $k))
        (local.get $v)))`);
    const before = live();
    for (let i = 0; i < 1000; i++) expect(exports['run']?.()).toBe(42n);
    expectNoMore(before);
  });

  test('values live across a handler keep their registers', () => {
    const count = 12;
    const rows = (make: (i: number) => string): string => Array.from({ length: count }, (_, i) => make(i)).join(' ');
    const exports = instance(`(module (tag $e)
      (func $throw (param i32) (if (local.get 0) (then (throw $e))))
      (func (export "sum") (param i32) (result f64) ${rows(() => '(local f64)')}
        ${rows((i) => `(local.set ${i + 1} (f64.convert_i32_s (i32.add (local.get 0) (i32.const ${i}))))`)}
        (block $h (try_table (catch_all $h) (call $throw (local.get 0))))
        ${rows((i) => `(local.get ${i + 1})`)} ${'(f64.add) '.repeat(count - 1)}))`);
    expect(exports['sum']?.(0 as never)).toBe(66);
    expect(exports['sum']?.(1 as never)).toBe(78);
  });
});

describe('switch', () => {
  const ROUND = `(rec (type $f (func (param i64 (ref null $c)) (result i64))) (type $c (cont $f)))`;

  test('two fibers hand each other a counter', () => {
    const exports = instance(`(module ${ROUND} (tag $t (result i64)) (elem declare func $count)
      (func $count (type $f)
        (loop $l
          (if (i64.ge_u (local.get 0) (i64.const 100000)) (then (return (local.get 0))))
          (switch $c $t (i64.add (local.get 0) (i64.const 1)) (local.get 1))
          (local.set 1) (local.set 0) (br $l))
        (unreachable))
      (func (export "run") (result i64)
        (resume $c (on $t switch) (i64.const 0) (cont.new $c (ref.func $count)) (cont.new $c (ref.func $count)))))`);
    expect(exports['run']?.()).toBe(100000n);
  });

  test('a switch out of a chain of fibers suspends the whole chain', () => {
    const exports = instance(`(module ${ROUND} (type $g (func (result i64))) (type $d (cont $g))
      (tag $t (result i64)) (elem declare func $outer $inner $other)
      (global $k (mut (ref null $c)) (ref.null $c))
      (func $inner (type $g) (local $v i64)
        (switch $c $t (i64.const 5) (global.get $k)) (drop) (local.set $v)
        (i64.mul (local.get $v) (i64.const 10)))
      (func $outer (type $f) (global.set $k (local.get 1)) (i64.add (resume $d (cont.new $d (ref.func $inner))) (i64.const 1)))
      (func $other (type $f) (switch $c $t (i64.add (local.get 0) (i64.const 2)) (local.get 1)) (unreachable))
      (func (export "run") (result i64)
        (resume $c (on $t switch) (i64.const 0) (cont.new $c (ref.func $other)) (cont.new $c (ref.func $outer)))))`);
    expect(exports['run']?.()).toBe(71n);
  });

  test('an exception after a switch reaches the resumer', () => {
    const exports = instance(`(module ${ROUND} (tag $t (result i64)) (tag $e (param i64)) (elem declare func $a $b)
      (func $b (type $f) (throw $e (local.get 0)))
      (func $a (type $f) (switch $c $t (i64.const 3) (local.get 1)) (unreachable))
      (func (export "run") (result i64)
        (block $h (result i64)
          (try_table (catch $e $h)
            (resume $c (on $t switch) (i64.const 0) (cont.new $c (ref.func $b)) (cont.new $c (ref.func $a))) (drop))
          (i64.const -1))))`);
    for (let i = 0; i < 100; i++) expect(exports['run']?.()).toBe(3n);
  });

  test('traps: consumed, null, not handled', () => {
    const exports = instance(`(module ${ROUND} (tag $t (result i64)) (elem declare func $null $plain)
      (func $null (type $f) (switch $c $t (i64.const 3) (ref.null $c)) (unreachable))
      (func $plain (type $f) (switch $c $t (i64.const 3) (local.get 1)) (unreachable))
      (func (export "null") (result i64)
        (resume $c (on $t switch) (i64.const 0) (ref.null $c) (cont.new $c (ref.func $null))))
      (func (export "unhandled") (result i64)
        (resume $c (i64.const 0) (cont.new $c (ref.func $null)) (cont.new $c (ref.func $plain)))))`);
    expect(() => exports['null']?.()).toThrow('null continuation');
    expect(() => exports['unhandled']?.()).toThrow('unhandled tag');
  });
});

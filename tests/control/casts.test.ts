/**
 * Tests and casts of references by type: functions by their declared types, across modules as well; the other hierarchies as far as they have only all and nothing. What fits is said by the
 * declarations of the types here.
 */
import { describe, expect, test } from 'vitest';
import { instance, thrown } from './module.js';

/** $c below $b below $a; $d is beside $b; $same is as $a, in a group with another type; $final has no types below it. */
const TYPES = `(type $a (sub (func (result i32)))) (type $b (sub $a (func (result i32)))) (type $c (sub final $b (func (result i32))))
  (type $d (sub final $a (func (result i32)))) (rec (type $same (sub (func (result i32)))) (type (func (param i64 i64)))) (type $final (func (result i32)))`;
const NAMES = ['a', 'b', 'c', 'd', 'same', 'final'] as const;
/** What each is or is below. */
const ABOVE: Readonly<Record<string, readonly string[]>> = {
  a: ['a'],
  b: ['a', 'b'],
  c: ['a', 'b', 'c'],
  d: ['a', 'd'],
  same: ['same'],
  final: ['final'],
};

const each = (make: (name: string, index: number) => string): string => NAMES.map(make).join('\n');

/** Functions of all types; a table with them, and null at the end. */
const MAKER = `(module ${TYPES} ${each((name, i) => `(func $f${name} (export "${name}") (type $${name}) (i32.const ${i}))`)}
  (table (export "t") ${NAMES.length + 1} funcref) (elem (i32.const 0) func ${each((name) => `$f${name}`)}))`;

/** What asks: each question gets the index of a function in the table. */
const ASKER = `(module ${TYPES} (import "m" "t" (table $t ${NAMES.length + 1} funcref))
  ${each(
    (name) => `
  (func (export "test ${name}") (param i32) (result i32) (ref.test (ref $${name}) (table.get $t (local.get 0))))
  (func (export "test null ${name}") (param i32) (result i32) (ref.test (ref null $${name}) (table.get $t (local.get 0))))
  (func (export "cast ${name}") (param i32) (result i32) (call_ref $${name} (ref.cast (ref $${name}) (table.get $t (local.get 0)))))
  (func (export "cast null ${name}") (param i32) (result i32) (ref.is_null (ref.cast (ref null $${name}) (table.get $t (local.get 0)))))
  (func (export "br ${name}") (param i32) (result i32)
    (block $on (result (ref $${name})) (drop (br_on_cast $on funcref (ref $${name}) (table.get $t (local.get 0)))) (return (i32.const -1)))
    (call_ref $${name}))
  (func (export "br null ${name}") (param i32) (result i32)
    (block $on (result (ref null $${name})) (drop (br_on_cast $on funcref (ref null $${name}) (table.get $t (local.get 0)))) (return (i32.const -1)))
    (ref.is_null))
  (func (export "fail ${name}") (param i32) (result i32)
    (block $on (result funcref) (return (call_ref $${name} (br_on_cast_fail $on funcref (ref $${name}) (table.get $t (local.get 0))))))
    (drop) (i32.const -1))
  (func (export "fail null ${name}") (param i32) (result i32)
    (block $on (result (ref func)) (return (ref.is_null (br_on_cast_fail $on funcref (ref null $${name}) (table.get $t (local.get 0))))))
    (drop) (i32.const -1))`,
  )}
  (func (export "nofunc") (param i32) (result i32) (ref.test (ref nofunc) (table.get $t (local.get 0))))
  (func (export "null nofunc") (param i32) (result i32) (ref.test (ref null nofunc) (table.get $t (local.get 0))))
  (func (export "func") (param i32) (result i32) (ref.test (ref func) (table.get $t (local.get 0))))
  (func (export "null func") (param i32) (result i32) (ref.test (ref null func) (table.get $t (local.get 0))))
  (func (export "to nofunc") (param i32) (ref.cast (ref null nofunc) (table.get $t (local.get 0))) (drop)))`;

/** What a call gives, or the code of what it throws. */
function outcome(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
}

const FAILED = 'HEDDLE_TRAP_CAST_FAILURE';

describe('functions of another module', () => {
  const asker = instance(ASKER, { m: instance(MAKER) });
  const NULL = NAMES.length;
  const ask = (question: string, index: number): unknown => outcome(() => asker[question]?.(index));

  test.each(NAMES)('as %s', (wanted) => {
    NAMES.forEach((name, i) => {
      const fits = ABOVE[name]?.includes(wanted) === true;
      const answers = ['test', 'test null', 'cast', 'cast null', 'br', 'br null', 'fail', 'fail null'].map((way) =>
        ask(`${way} ${wanted}`, i),
      );
      expect([name, ...answers]).toEqual(fits ? [name, 1, 1, i, 0, i, 0, i, 0] : [name, 0, 0, FAILED, FAILED, -1, -1, -1, -1]);
    });
    expect(['test', 'test null', 'cast', 'cast null'].map((way) => ask(`${way} ${wanted}`, NULL))).toEqual([0, 1, FAILED, 1]);
    expect(['br', 'br null', 'fail', 'fail null'].map((way) => ask(`${way} ${wanted}`, NULL))).toEqual([-1, 1, -1, 1]);
  });

  test('all functions, and none', () => {
    expect(['nofunc', 'null nofunc', 'func', 'null func', 'to nofunc'].map((way) => ask(way, 0))).toEqual([0, 0, 1, 1, FAILED]);
    expect(['nofunc', 'null nofunc', 'func', 'null func', 'to nofunc'].map((way) => ask(way, NULL))).toEqual([0, 1, 0, 1, undefined]);
  });
});

test('functions of JavaScript are of the type that they are imported with', () => {
  const e = instance(
    `(module ${TYPES} (import "m" "f" (func $f (type $b))) (elem declare func $f)
    ${each((name) => `(func (export "${name}") (result i32) (ref.test (ref $${name}) (ref.func $f)))`)})`,
    { m: { f: () => 1 } },
  );
  expect(NAMES.map((name) => e[name]?.())).toEqual([1, 1, 0, 0, 0, 0]);
});

test('operands below, locals and handlers stay what they are around a branch on a cast', () => {
  const e =
    instance(`(module ${TYPES} (tag $e (param i32)) (table $t 2 funcref) (elem (i32.const 0) func $f) (func $f (type $b) (i32.const 3))
    (func (export "f") (param i32) (result i32 i64) (local i32)
      (block $catch (result i32)
        (try_table (result i32) (catch $e $catch)
          (i32.const 10)
          (local.set 1 (i32.const 100))
          (block $on (param i32) (result i32 (ref $a))
            (br_on_cast $on funcref (ref $a) (table.get $t (local.get 0)))
            (drop) (local.set 1 (i32.const 1000)) (throw $e (i32.add (local.get 1))))
          (call_ref $a) (i32.add)))
      (i64.extend_i32_u (local.get 1))))`);
  expect(e['f']?.(0)).toEqual([13, 100n]);
  expect(e['f']?.(1)).toEqual([1010, 1000n]);
});

test('references of other hierarchies: all, and none', () => {
  const e = instance(`(module
    (func (export "extern") (param externref) (result i32 i32 i32 i32)
      (ref.test (ref extern) (local.get 0)) (ref.test (ref null extern) (local.get 0))
      (ref.test (ref noextern) (local.get 0)) (ref.test (ref null noextern) (local.get 0)))
    (func (export "cast") (param externref) (result externref) (ref.cast (ref extern) (local.get 0))))`);
  expect([e['extern']?.('x'), e['extern']?.(null)]).toEqual([
    [1, 1, 0, 0],
    [0, 1, 0, 1],
  ]);
  expect(e['cast']?.('x')).toBe('x');
  expect(thrown(() => e['cast']?.(null))).toMatchObject({ name: 'RuntimeError', code: FAILED });
});

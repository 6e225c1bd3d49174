/**
 * A continuation's record counts its uses; at the last one its fiber moves to a fresh record. `scripts/test_generations.mjs` runs these tests, and all of this
 * folder, with records that have few uses left.
 */
import { describe, expect, test } from 'vitest';
import { statistics } from '../../ts/index.js';
import { instance, rows, thrown } from './module.js';

/** Uses that a new record has, where the addon was built so that they are few. */
const left = Number(process.env['HEDDLE_GENERATIONS_LEFT'] ?? Number.POSITIVE_INFINITY);
const USES = 40;
const STALE = { code: 'HEDDLE_TRAP_CONTINUATION_CONSUMED' };

describe('a continuation lives on past the last generation of its record, and no handle from before is valid', () => {
  test('suspended and resumed', () => {
    const e = instance(`(module (type $f (func)) (type $k (cont $f)) (tag $t (param i32)) (table $old ${USES + 2} (ref null $k))
      (func $body (local $n i32) (loop $l (suspend $t (local.get $n)) (local.set $n (i32.add (local.get $n) (i32.const 1))) (br $l))) (elem declare func $body)
      (func (export "make") (table.set $old (i32.const 0) (cont.new $k (ref.func $body))))
      (func (export "use") (param i32) (result i32)
        (block $on (result i32 (ref $k)) (resume $k (on $t $on) (table.get $old (local.get 0))) (unreachable))
        (call $keep (i32.add (local.get 0) (i32.const 1))))
      (func $keep (param i32 (ref $k) i32) (result i32) (table.set $old (local.get 2) (local.get 1)) (local.get 0)))`);
    const { recordsRetired } = statistics();
    e['make']?.();
    for (let i = 0; i < USES; i++) expect(e['use']?.(i)).toBe(i);
    for (let i = 0; i < USES; i++) expect([i, thrown(() => e['use']?.(i))]).toMatchObject([i, STALE]);
    expect(e['use']?.(USES)).toBe(USES);
    // Each record serves as many uses as it has left.
    expect(statistics().recordsRetired - recordsRetired).toBeGreaterThanOrEqual(Math.floor(USES / left) - 1);
  });

  test('bound, one value at a time', () => {
    const count = USES;
    const e =
      instance(`(module ${rows(count + 1, (n) => `(type $f${n} (func (param ${'i64 '.repeat(n)}) (result i64))) (type $k${n} (cont $f${n}))`)}
      (func $sum (type $f${count}) ${rows(count, (i) => `(i64.mul (local.get ${i}) (i64.const ${i + 1}))`)} ${'(i64.add)'.repeat(count - 1)}) (elem declare func $sum)
      ${rows(count + 1, (n) => `(global $b${n} (mut (ref null $k${n})) (ref.null $k${n}))`)}
      (func (export "run") (result i64)
        (global.set $b${count} (cont.new $k${count} (ref.func $sum)))
        ${rows(count, (i) => `(global.set $b${count - i - 1} (cont.bind $k${count - i} $k${count - i - 1} (i64.const ${i}) (global.get $b${count - i})))`)}
        (resume $k0 (global.get $b0)))
      ${rows(count, (n) => `(func (export "stale${n}") (result i64) (resume $k${n} ${'(i64.const 1)'.repeat(n)} (global.get $b${n})))`)})`);
    const expected = Array.from({ length: count }, (_, i) => i * (i + 1)).reduce((a, b) => a + b);
    for (let round = 0; round < 3; round++) {
      expect(e['run']?.()).toBe(BigInt(expected));
      for (let n = 0; n < count; n++) expect(thrown(() => e[`stale${n}`]?.())).toMatchObject(STALE);
    }
  });

  test('switched', () => {
    const e = instance(`(module (rec (type $f (func (param i64 (ref null $c)) (result i64))) (type $c (cont $f))) (tag $t (result i64))
      (table $old ${2 * USES} (ref null $c)) (global $n (mut i32) (i32.const 0))
      (func $count (type $f)
        (loop $l
          (table.set $old (global.get $n) (local.get 1)) (global.set $n (i32.add (global.get $n) (i32.const 1)))
          (if (i64.ge_u (local.get 0) (i64.const ${USES})) (then (return (local.get 0))))
          (switch $c $t (i64.add (local.get 0) (i64.const 1)) (local.get 1))
          (local.set 1) (local.set 0) (br $l))
        (unreachable))
      (elem declare func $count)
      (func (export "run") (result i64) (resume $c (on $t switch) (i64.const 0) (cont.new $c (ref.func $count)) (cont.new $c (ref.func $count))))
      (func (export "stale") (param i32) (result i64) (resume $c (i64.const 0) (ref.null $c) (table.get $old (local.get 0)))))`);
    expect(e['run']?.()).toBe(BigInt(USES));
    // All but the last were used by a switch; that one waits still.
    for (let i = 0; i < USES; i++) expect([i, thrown(() => e['stale']?.(i))]).toMatchObject([i, STALE]);
  });

  test('thrown into', () => {
    const e =
      instance(`(module (type $f (func)) (type $k (cont $f)) (tag $t) (tag $e (param i32)) (global $sum (mut i32) (i32.const 0)) (table $old ${USES + 2} (ref null $k))
      (func $body (loop $l
          (block $h (result i32) (try_table (catch $e $h) (suspend $t)) (i32.const 0))
          (global.set $sum (i32.add (global.get $sum))) (br $l)))
      (elem declare func $body)
      (func (export "make") (block $on (result (ref $k)) (resume $k (on $t $on) (cont.new $k (ref.func $body))) (unreachable)) (call $keep (i32.const 0)))
      (func $keep (param (ref $k) i32) (table.set $old (local.get 1) (local.get 0)))
      (func (export "use") (param i32) (result i32)
        (block $on (result (ref $k)) (resume_throw $k $e (on $t $on) (local.get 0) (table.get $old (local.get 0))) (unreachable))
        (call $keep (i32.add (local.get 0) (i32.const 1))) (global.get $sum)))`);
    e['make']?.();
    let sum = 0;
    for (let i = 0; i < USES; i++) {
      sum += i;
      expect(e['use']?.(i)).toBe(sum);
    }
    for (let i = 0; i < USES; i++) expect([i, thrown(() => e['use']?.(i))]).toMatchObject([i, STALE]);
    expect(e['use']?.(USES)).toBe(sum + USES);
  });
});

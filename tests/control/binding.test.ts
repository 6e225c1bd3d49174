/**
 * A thousand values bound in steps, onto continuations whose records were made for fewer: how many slots a record has is a fact of run time that no type
 * tells, least of all the type by which another module knows the continuation.
 */
import { describe, expect, test } from 'vitest';
import { statistics } from '../../ts/index.js';
import { instance, rows } from './module.js';

const COUNT = 1000;
const STEPS = 5;
const EACH = COUNT / STEPS;

const params = (count: number): string => 'i32 '.repeat(count);
/** The types of what is still to come: $f0 takes all values, $f5 none. All return the weighted sum. */
const TYPES = rows(STEPS + 1, (i) => `(type $f${i} (func (param ${params(COUNT - i * EACH)}) (result i32))) (type $k${i} (cont $f${i}))`);
const value = (i: number): number => 3 * i + 1;
/** Weighted by place, so that an exchange of two values shows. */
const SUM = Array.from({ length: COUNT }, (_, i) => Math.imul(value(i), i + 1)).reduce((a, b) => (a + b) | 0, 0);
/** The weighted sum of the topmost values. */
const WEIGH = `(local.set $i (i32.const ${COUNT}))
  ${rows(COUNT, () => '(local.set $v) (local.set $sum (i32.add (local.get $sum) (i32.mul (local.get $v) (local.get $i)))) (local.set $i (i32.sub (local.get $i) (i32.const 1)))')}
  (local.get $sum)`;
const LOCALS = '(local $i i32) (local $v i32) (local $sum i32)';

/** Makes the continuation: a module that knows it by the type of one parameter only. */
const MAKER = `(module
  ${TYPES}
  (type $start (func (result i32))) (type $kstart (cont $start)) (tag $ask (result ${params(COUNT)}))
  (func $fresh (type $f0) ${LOCALS} ${rows(COUNT, (i) => `(local.get ${i})`)} ${WEIGH})
  (func $waits (result i32) ${LOCALS} (suspend $ask) ${WEIGH})
  (elem declare func $fresh $waits)
  (func (export "fresh") (result (ref null $k0)) (cont.new $k0 (ref.func $fresh)))
  (func (export "suspended") (result (ref null $k0))
    (block $on (result (ref $k0)) (resume $kstart (on $ask $on) (cont.new $kstart (ref.func $waits))) (unreachable))))`;

/** Binds all values in five steps, in an instance of its own, and resumes. Between the steps other continuations are made and run. */
const binder = (which: string): string => `(module
  ${TYPES}
  (import "maker" "${which}" (func $make (result (ref null $k0))))
  (type $small (func (param i32) (result i32))) (type $ksmall (cont $small))
  (func $same (param i32) (result i32) (local.get 0)) (elem declare func $same)
  (func (export "run") (result i32)
    ${rows(STEPS, (step) => `(local $b${step} (ref null $k${step + 1}))`)} (local $other i32)
    ${rows(
      STEPS,
      (step) => `(local.set $b${step} (cont.bind $k${step} $k${step + 1} ${rows(EACH, (i) => `(i32.const ${value(step * EACH + i)})`)}
        ${step === 0 ? '(call $make)' : `(local.get $b${step - 1})`}))
        (local.set $other (resume $ksmall (i32.const ${step}) (cont.new $ksmall (ref.func $same))))`,
    )}
    (resume $k${STEPS} (local.get $b${STEPS - 1}))))`;

describe('1,000 values in five steps, across instances', () => {
  test.each(['fresh', 'suspended'])('onto a continuation that is %s', (which) => {
    const { run } = instance(binder(which), { maker: instance(MAKER) });
    const { continuationsLive } = statistics();
    for (let i = 0; i < 3; i++) expect(run?.()).toBe(SUM);
    expect(statistics().continuationsLive).toBe(continuationsLive);
  });
});

/** A module that knows the type of one parameter only. */
const ONE = '(type $fone (func (param i32) (result i32))) (type $kone (cont $fone))';

test('onto a continuation whose record was made in a module that knows the type of one parameter only', () => {
  const maker = instance(`(module ${ONE} (func (export "make") (param (ref $fone)) (result (ref $kone)) (cont.new $kone (local.get 0))))`);
  const { run } = instance(
    `(module ${TYPES} ${ONE} (import "maker" "make" (func $make (param (ref $fone)) (result (ref $kone))))
      (tag $ask (result ${params(COUNT)})) (elem declare func $waits)
      (func $waits (type $fone) ${LOCALS} (suspend $ask) (local.set $sum (i32.const 0)) ${WEIGH} (i32.add (local.get 0)))
      (func (export "run") (param i32) (result i32)
        (resume $k${STEPS} ${rows(STEPS, (i) => `(cont.bind $k${STEPS - 1 - i} $k${STEPS - i} ${rows(EACH, (n) => `(i32.const ${value((STEPS - 1 - i) * EACH + n)})`)}`)}
          (block $on (result (ref $k0)) (resume $kone (on $ask $on) (local.get 0) (call $make (ref.func $waits))) (unreachable))
          ${')'.repeat(STEPS)})))`,
    { maker },
  );
  for (const n of [0, 5, -9]) expect(run?.(n)).toBe((SUM + n) | 0);
});

describe('the last of 1,000 values is bound by a module that knows the type of one parameter only, the others where all are known', () => {
  const NARROW = `(module ${ONE} (type $f (func (result i32))) (type $k (cont $f)) (import "m" "k" (global $k (mut (ref null $kone))))
    (func (export "run") (param i32) (result i32) (resume $k (cont.bind $kone $k (local.get 0) (global.get $k)))))`;

  test.each([
    ['fresh', '(cont.new $k0 (ref.func $fresh))'],
    ['suspended', '(block $on (result (ref $k0)) (resume $kstart (on $ask $on) (cont.new $kstart (ref.func $waits))) (unreachable))'],
  ])('%s', (_, make) => {
    const wide = instance(`(module ${TYPES} ${ONE}
      (type $start (func (result i32))) (type $kstart (cont $start)) (tag $ask (result ${params(COUNT)}))
      (func $fresh (type $f0) ${LOCALS} ${rows(COUNT, (i) => `(local.get ${i})`)} ${WEIGH})
      (func $waits (result i32) ${LOCALS} (suspend $ask) ${WEIGH})
      (elem declare func $fresh $waits)
      (global $k (export "k") (mut (ref null $kone)) (ref.null $kone))
      (func (export "make") (global.set $k (cont.bind $k0 $kone ${rows(COUNT - 1, (i) => `(i32.const ${value(i)})`)} ${make}))))`);
    const narrow = instance(NARROW, { m: wide });
    wide['make']?.();
    expect(narrow['run']?.(value(COUNT - 1))).toBe(SUM);
  });
});

/**
 * A hundred million tail calls in a row need no stack. What is returned is arithmetic: the count.
 */
import { describe, expect, test } from 'vitest';
import { instance, rows } from './module.js';

const MANY = 100_000_000;
const FEWER = 1_000_000;

/** A pair of functions that hand a counter to each other by some kind of tail call; the one with many parameters needs stack arguments. */
const pair = (kind: (target: string) => string, extra: number): string => `
  (type $few (func (param i32 i64) (result i64))) (type $many (func (param i32 i64 ${'i64 '.repeat(extra)}) (result i64)))
  (table $t funcref (elem $a $b)) (elem declare func $a $b)
  (func $a (type $few)
    (if (i32.eqz (local.get 0)) (then (return (local.get 1))))
    (i32.sub (local.get 0) (i32.const 1)) (i64.add (local.get 1) (i64.const 1)) ${rows(extra, (i) => `(i64.const ${i})`)} ${kind('b')})
  (func $b (type $many)
    (if (i32.eqz (local.get 0)) (then (return (local.get 1))))
    (i32.sub (local.get 0) (i32.const 1))
    (i64.add (local.get 1) (i64.sub ${extra === 0 ? '(i64.const 1)' : `(local.get ${1 + extra})`} (i64.const ${extra === 0 ? 0 : extra - 2})))
    ${kind('a')})
  (func (export "run") (param i32) (result i64) (call $a (local.get 0) (i64.const 0)))
  (type $start (func (param i32) (result i64))) (type $k (cont $start)) (elem declare func $on)
  (func $on (param i32) (result i64) (call $a (local.get 0) (i64.const 0)))
  (func (export "resume") (param i32) (result i64) (resume $k (local.get 0) (cont.new $k (ref.func $on))))`;

const KINDS: Readonly<Record<string, (target: string) => string>> = {
  return_call: (target) => `(return_call $${target})`,
  return_call_indirect: (target) =>
    `(return_call_indirect $t (type ${target === 'a' ? '$few' : '$many'}) (i32.const ${target === 'a' ? 0 : 1}))`,
  return_call_ref: (target) => `(return_call_ref ${target === 'a' ? '$few' : '$many'} (ref.func $${target}))`,
};

describe.each(Object.entries(KINDS))('%s', (name, kind) => {
  test('a hundred million in a row', () => {
    expect(instance(`(module ${pair(kind, 0)})`)['run']?.(MANY)).toBe(BigInt(MANY));
  });

  test('with more arguments than the caller had, on the entry’s fiber and on a continuation', () => {
    for (const extra of [1, 20, 100]) {
      const { run, resume } = instance(`(module ${pair(kind, extra)})`);
      for (const n of [0, 1, 2, FEWER]) {
        expect([name, extra, n, run?.(n), resume?.(n)]).toEqual([name, extra, n, BigInt(n), BigInt(n)]);
      }
    }
  });
});

test('a hundred million in a row on a continuation, which suspends now and then', () => {
  const { run } =
    instance(`(module (type $f (func (param i32 i32) (result i32))) (type $k (cont $f)) (type $g (func (result i32))) (type $kg (cont $g))
    (tag $t) (elem declare func $a)
    (func $a (param i32 i32) (result i32)
      (if (i32.eqz (local.get 0)) (then (return (local.get 1))))
      (if (i32.eqz (i32.and (local.get 0) (i32.const 0xfffff))) (then (suspend $t)))
      (return_call $a (i32.sub (local.get 0) (i32.const 1)) (i32.add (local.get 1) (i32.const 1))))
    (func (export "run") (param i32) (result i32) (local $c (ref null $kg))
      (local.set $c (cont.bind $k $kg (local.get 0) (i32.const 0) (cont.new $k (ref.func $a))))
      (loop $l
        (block $on (result (ref $kg)) (return (resume $kg (on $t $on) (local.get $c))))
        (local.set $c) (br $l)) (unreachable)))`);
  expect(run?.(MANY)).toBe(MANY);
});

describe('across instances', () => {
  // Each module calls the other's export in its own place, by import or by table.
  const module = (how: string): string => `(module (type $f (func (param i32 i32) (result i32))) (import "m" "table" (table $t 2 funcref))
    (global $other (mut i32) (i32.const 0)) (func (export "other") (param i32) (global.set $other (local.get 0)))
    (func (export "f") (type $f)
      (if (i32.eqz (local.get 0)) (then (return (local.get 1))))
      (i32.sub (local.get 0) (i32.const 1)) (i32.add (local.get 1) (i32.const 1)) ${how}))`;
  const INDIRECT = '(global.get $other) (return_call_indirect $t (type $f))';

  test('return_call_indirect, a hundred million in a row', () => {
    const m = instance('(module (table (export "table") 2 funcref))');
    const both = [0, 1].map((i) => {
      const e = instance(module(INDIRECT), { m });
      e['other']?.(1 - i);
      (m['table'] as unknown as { set(i: number, f: unknown): void }).set(i, e['f']);
      return e;
    });
    expect(both[0]?.['f']?.(MANY, 0)).toBe(MANY);
  });

  test('return_call of an import, and return_call_ref of what came from elsewhere', () => {
    const last = instance('(module (func (export "f") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))');
    const text = `(module (type $f (func (param i32 i32) (result i32))) (type $g (func (param i32) (result i32)))
      (import "last" "f" (func $last (type $f))) (elem declare func $last)
      (func $a (export "a") (type $g) (return_call $last (local.get 0) (i32.const 5)))
      (func (export "b") (type $g) (return_call_ref $f (local.get 0) (i32.const 7) (ref.func $last)))
      (func (export "deep") (param i32) (result i32) (local $sum i32)
        (loop $l (local.set $sum (call $a (local.get $sum))) (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (local.get $sum)))`;
    const e = instance(text, { last });
    expect([e['a']?.(1), e['b']?.(1), e['deep']?.(1000)]).toEqual([6, 8, 5000]);
  });

  test('many results and parameters of every kind go through', () => {
    const types = 'i32 f64 i64 f32 '.repeat(10);
    const text = (own: string): string => `(module (type $f (func (param ${types}) (result ${types}))) ${own})`;
    const callee = instance(text(`(func (export "f") (type $f) ${rows(40, (i) => `(local.get ${i})`)})`));
    const { run } = instance(
      text(`(import "m" "f" (func $f (type $f))) (func $tail (param i32) (result ${types})
        ${rows(10, (i) => `(i32.const ${i}) (f64.const ${i}.5) (i64.const ${i}) (f32.const ${i}.25)`)} (return_call $f))
        (func (export "run") (result ${types}) (call $tail (i32.const 1)))`),
      { m: callee },
    );
    expect(run?.()).toEqual(Array.from({ length: 10 }, (_, i) => [i, i + 0.5, BigInt(i), i + 0.25]).flat());
  });
});

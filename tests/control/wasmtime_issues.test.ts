/**
 * What went wrong in Wasmtime's stack switching, as tests of ours: seven reports of bytecodealliance/wasmtime, named by number, and two findings of our own
 * about it. The programs are written from what the reports say happened.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { statistics } from '../../ts/index.js';
import { heddle } from '../cli/command.js';
import { resultOf, withFolder } from '../traps/child.js';
import { type Functions, instance, rows, thrown } from './module.js';

const TYPES = '(type $f (func)) (type $k (cont $f)) (tag $t)';
const live = (): number[] => [statistics().continuationsLive, statistics().stacksLive];

describe('#13028: a trapped start taken for a return, and bound values past the end of their buffer', () => {
  test('a continuation whose function traps at once gives no results', () => {
    const e = instance(`(module (type $f (func (result i64 (ref null $f)))) (type $k (cont $f)) (global $seen (mut i64) (i64.const -1))
      (func $traps (type $f) unreachable) (elem declare func $traps)
      (func (export "run") (resume $k (cont.new $k (ref.func $traps))) (drop) (global.set $seen))
      (func (export "seen") (result i64) (global.get $seen)))`);
    const before = live();
    for (let i = 0; i < 50; i++) expect(thrown(() => e['run']?.())).toMatchObject({ code: 'HEDDLE_TRAP_UNREACHABLE' });
    expect(e['seen']?.()).toBe(-1n);
    expect(live()).toEqual(before);
  });

  test('a continuation type is no other one with more parameters', () => {
    const wide = instance(
      `(module (type $f (func (param ${'i64 '.repeat(100)}))) (type $k (cont $f)) (func (export "take") (param (ref null $k))))`,
    );
    const text = '(module (type $f (func (param i64))) (type $k (cont $f)) (import "m" "take" (func (param (ref null $k)))))';
    expect(thrown(() => instance(text, { m: wide }))).toMatchObject({ code: 'HEDDLE_LINK_TYPE' });
  });

  test('values that are bound one by one stay what they are, whatever else is made in between', () => {
    const count = 64;
    const type = (n: number): string => `(type $f${n} (func (param ${'i64 '.repeat(n)}) (result i64))) (type $k${n} (cont $f${n}))`;
    const e = instance(`(module ${rows(count + 1, type)} (elem declare func $sum $other)
      (func $sum (type $f${count}) ${rows(count, (i) => `(i64.mul (local.get ${i}) (i64.const ${i + 1}))`)} ${'(i64.add)'.repeat(count - 1)})
      (func $other (type $f1) (local.get 0))
      (func (export "run") (result i64) ${rows(count + 1, (i) => `(local $b${i} (ref null $k${i}))`)}
        (local.set $b${count} (cont.new $k${count} (ref.func $sum)))
        ${rows(
          count,
          (
            i,
          ) => `(local.set $b${count - i - 1} (cont.bind $k${count - i} $k${count - i - 1} (i64.const ${i + 7}) (local.get $b${count - i})))
            (drop (resume $k1 (i64.const -1) (cont.new $k1 (ref.func $other))))`,
        )}
        (resume $k0 (local.get $b0))))`);
    const expected = Array.from({ length: count }, (_, i) => (i + 7) * (i + 1)).reduce((a, b) => a + b);
    expect(e['run']?.()).toBe(BigInt(expected));
  });
});

test('#13298: a trap on the resumer’s stack after a resume, with a suspended continuation left', () => {
  const e = instance(`(module ${TYPES} (func $callee (suspend $t)) (elem declare func $callee)
    (func (export "go") (local $k (ref null $k))
      (local.set $k (cont.new $k (ref.func $callee)))
      (block $on (result (ref $k)) (resume $k (on $t $on) (local.get $k)) (unreachable))
      (drop) (unreachable))
    (func (export "fine") (result i32) (i32.const 42)))`);
  for (let i = 0; i < 10; i++) {
    expect(thrown(() => e['go']?.())).toMatchObject({ code: 'HEDDLE_TRAP_UNREACHABLE' });
    expect(e['fine']?.()).toBe(42);
  }
});

test('#13322: a host function on a continuation calls in again, and the continuation suspends afterwards', () => {
  const e: Functions = instance(
    `(module ${TYPES} (import "h" "import" (func $host)) (func $callee (call $host) (suspend $t)) (elem declare func $callee)
      (func (export "inner") (result i32)
        (block $on (result (ref $k)) (resume $k (on $t $on) (cont.new $k (ref.func $suspends))) (return (i32.const 0))) (drop) (i32.const 5))
      (func $suspends (suspend $t)) (elem declare func $suspends)
      (func (export "go") (result i32)
        (block $on (result (ref $k)) (resume $k (on $t $on) (cont.new $k (ref.func $callee))) (return (i32.const 0))) (drop) (i32.const 1)))`,
    { h: { import: () => expect(e['inner']?.()).toBe(5) } },
  );
  for (let i = 0; i < 10; i++) expect(e['go']?.()).toBe(1);
});

describe('#13584: the program ends from inside, after a resume or on a continuation', () => {
  const program = (after: string, on: string): string => `(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1) ${TYPES} (func $body ${on}) (elem declare func $body)
    (func (export "_start") (resume $k (cont.new $k (ref.func $body))) ${after}))`;

  test.each([
    ['proc_exit after a resume', program('(call $exit (i32.const 3))', ''), 3],
    ['proc_exit on a continuation', program('', '(call $exit (i32.const 4))'), 4],
    ['proc_exit(0) on a continuation', program('unreachable', '(call $exit (i32.const 0))'), 0],
    ['a trap after a resume', program('unreachable', ''), 134],
    ['a trap on a continuation', program('', 'unreachable'), 134],
  ])('%s', async (_, text, status) => {
    await withFolder(async (folder) => {
      const file = join(folder, 'program.wat');
      writeFileSync(file, text);
      const outcome = heddle(['run', file]);
      expect([outcome.status, outcome.stdout]).toEqual([status, '']);
    });
  });

  test('an exception that reaches the host after a resume', () => {
    const e = instance(`(module ${TYPES} (tag $e) (func $body) (elem declare func $body)
      (func (export "run") (resume $k (cont.new $k (ref.func $body))) (throw $e)))`);
    const before = live();
    for (let i = 0; i < 50; i++) expect(thrown(() => e['run']?.())).toMatchObject({ code: 'HEDDLE_EXCEPTION' });
    expect(live()).toEqual(before);
  });
});

test('#13703: as many parameters as hardly fit a small stack', async () => {
  // Parameters lie beside the stack, in the record, and the first frame is checked against the limit like any other.
  const results = await resultOf<readonly (readonly [count: number, sum: unknown])[]>('many_parameters');
  expect(results).toEqual([1, 100, 500, 600, 700, 900, 1000].map((count) => [count, (count * (count - 1)) / 2]));
});

describe('#13750 and #14239: references in payloads and on suspended stacks, and a collection', () => {
  const MODULE = `(module (type $f (func (param externref) (result externref))) (type $k (cont $f)) (tag $t (param externref) (result externref))
    (type $g (func (param externref) (result externref))) (type $kg (cont $g)) (import "env" "collect" (func $collect))
    (func $target (type $f) (call $collect) (drop (suspend $t (local.get 0))) (call $collect) (local.get 0)) (elem declare func $target)
    (func (export "run") (param externref) (result externref externref) (local $c (ref null $kg)) (local $v externref)
      (block $on (result externref (ref $kg)) (resume $k (on $t $on) (local.get 0) (cont.new $k (ref.func $target))) (unreachable))
      (local.set $c) (local.set 0 (ref.null extern)) (call $collect) (local.set $v)
      (resume $kg (ref.null extern) (local.get $c)) (call $collect) (local.get $v)))`;

  test('the values are the same afterwards', () => {
    const garbage: object[] = [];
    const collect = (): void => {
      for (let i = 0; i < 1000; i++) garbage[i % 10] = { i };
      (globalThis as { gc?: () => void }).gc?.();
    };
    const { run } = instance(MODULE, { env: { collect } });
    for (let i = 0; i < 20; i++) {
      const value = { i };
      const [a, b] = run?.(value) as [unknown, unknown];
      expect(a).toBe(value);
      expect(b).toBe(value);
    }
  });
});

test('a function with a resume before a suspend has no large frame', () => {
  // Theirs took 64 KiB; 6,000 of ours fit the 1 MiB of a continuation's stack.
  const { run } =
    instance(`(module (type $f (func (param i32) (result i32))) (type $k (cont $f)) (type $v (func)) (type $kv (cont $v)) (tag $t)
    (func $nop) (elem declare func $nop $down)
    (func $down (type $f)
      (resume $kv (cont.new $kv (ref.func $nop)))
      (if (i32.lt_s (local.get 0) (i32.const 0)) (then (suspend $t)))
      (if (result i32) (local.get 0) (then (i32.add (i32.const 1) (call $down (i32.sub (local.get 0) (i32.const 1))))) (else (i32.const 0))))
    (func (export "run") (param i32) (result i32) (resume $k (local.get 0) (cont.new $k (ref.func $down)))))`);
  expect(run?.(6000)).toBe(6000);
});

test('continuations that returned, trapped or threw are given back', () => {
  const e =
    instance(`(module ${TYPES} (tag $e) (func $returns) (func $traps unreachable) (func $throws (throw $e)) (func $waits (suspend $t))
    (elem declare func $returns $traps $throws $waits)
    (func (export "return") (resume $k (cont.new $k (ref.func $returns))))
    (func (export "trap") (resume $k (cont.new $k (ref.func $traps))))
    (func (export "throw") (resume $k (cont.new $k (ref.func $throws))))
    (func (export "cancel") (local $c (ref null $k))
      (block $on (result (ref $k)) (resume $k (on $t $on) (cont.new $k (ref.func $waits))) (unreachable)) (local.set $c)
      (block $h (try_table (catch $e $h) (resume_throw $k $e (local.get $c))))))`);
  const before = live();
  const made = statistics().continuationsMade;
  for (let i = 0; i < 1000; i++) {
    e['return']?.();
    e['cancel']?.();
    expect(() => e['trap']?.()).toThrow('unreachable');
    expect(() => e['throw']?.()).toThrow();
  }
  expect(statistics().continuationsMade - made).toBe(4000);
  expect(live()).toEqual(before);
});

/**
 * Continuations as programs use them. Every expectation is arithmetic on what the program's text says.
 */
import { describe, expect, test } from 'vitest';
import { WebAssembly as Heddle, parseWat, statistics } from '../../ts/index.js';

function instance(text: string, imports: Record<string, Record<string, unknown>> = {}): Record<string, (...args: unknown[]) => unknown> {
  return new Heddle.Instance(new Heddle.Module(parseWat(text)), imports).exports;
}

function codeOf(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error instanceof Error ? Reflect.get(error, 'code') : error;
  }
  return 'returned';
}

const TYPES = '(type $f (func)) (type $k (cont $f)) (tag $yield (param i32))';

describe('a continuation outlives the call that made it', () => {
  test('in a global: each call gets the next value', () => {
    const { start, next } = instance(`(module ${TYPES}
      (global $g (mut (ref null $k)) (ref.null $k))
      (func $squares (local $i i32)
        (loop $l (suspend $yield (i32.mul (local.get $i) (local.get $i)))
          (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 100)))))
      (elem declare func $squares)
      (func (export "start") (global.set $g (cont.new $k (ref.func $squares))))
      (func (export "next") (result i32)
        (block $on (result i32 (ref $k))
          (resume $k (on $yield $on) (global.get $g))
          (global.set $g (ref.null $k))
          (return (i32.const -1)))
        (global.set $g)))`);
    start?.();
    expect(Array.from({ length: 101 }, () => next?.())).toEqual([...Array.from({ length: 100 }, (_, i) => i * i), -1]);
    expect(codeOf(() => next?.())).toBe('HEDDLE_TRAP_NULL_CONTINUATION');
  });

  test('in a table: a thousand take turns', () => {
    const { make, round } = instance(`(module ${TYPES}
      (type $worker (func (param i32))) (type $kw (cont $worker))
      (table $t 1000 (ref null $k))
      (func $count (param $step i32) (local $sum i32)
        (loop $l (local.set $sum (i32.add (local.get $sum) (local.get $step))) (suspend $yield (local.get $sum)) (br $l)))
      (elem declare func $count)
      (func (export "make") (local $i i32)
        (loop $l
          (table.set $t (local.get $i) (cont.bind $kw $k (local.get $i) (cont.new $kw (ref.func $count))))
          (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000)))))
      (func (export "round") (result i32) (local $i i32) (local $sum i32) (local $c (ref null $k))
        (loop $l
          (block $on (result i32 (ref $k))
            (resume $k (on $yield $on) (table.get $t (local.get $i)))
            (unreachable))
          (local.set $c)
          (local.set $sum (i32.add (local.get $sum)))
          (table.set $t (local.get $i) (local.get $c))
          (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000))))
        (local.get $sum)))`);
    make?.();
    const sum = (999 * 1000) / 2;
    expect([1, 2, 3].map(() => round?.())).toEqual([sum, 2 * sum, 3 * sum]);
  });
});

describe('instances', () => {
  test('a continuation made in one is resumed, and its suspend handled, in another', () => {
    const maker = instance(`(module (type $f (func)) (type $k (cont $f)) (tag $yield (export "yield") (param i32))
      (global (export "made") (mut (ref null $k)) (ref.null $k))
      (func $body (suspend $yield (i32.const 11)) (suspend $yield (i32.const 31)))
      (elem declare func $body)
      (func (export "make") (global.set 0 (cont.new $k (ref.func $body)))))`);
    const { drain } = instance(
      `(module (type $f (func)) (type $k (cont $f)) (import "maker" "yield" (tag $yield (param i32)))
      (import "maker" "made" (global $made (mut (ref null $k)))) (import "maker" "make" (func $make))
      (func (export "drain") (result i32) (local $sum i32) (local $c (ref null $k))
        (call $make)
        (local.set $c (global.get $made))
        (loop $l
          (block $on (result i32 (ref $k))
            (resume $k (on $yield $on) (local.get $c))
            (return (local.get $sum)))
          (local.set $c)
          (local.set $sum (i32.add (local.get $sum)))
          (br $l))
        (unreachable)))`,
      { maker },
    );
    expect(drain?.()).toBe(11 + 31);
  });
});

describe('handlers', () => {
  test('a resume without the tag forwards to its parent with the same values, and goes on afterwards', () => {
    const { run } = instance(`(module (type $f (func)) (type $k (cont $f))
      (type $r (func (param i64) (result i32))) 
      (tag $ask (param i32 i64 f32 f64) (result i64)) (tag $other)
      (type $back (func (param i64))) (type $kb (cont $back))
      (global $seen (mut f64) (f64.const 0))
      (func $inner (global.set $seen (f64.convert_i64_s
        (i64.add (suspend $ask (i32.const 1) (i64.const 20) (f32.const 300.5) (f64.const 4000.25)) (i64.const 1)))))
      (func $middle
        (block $on (result (ref $k))
          (resume $k (on $other $on) (cont.new $k (ref.func $inner)))
          (global.set $seen (f64.mul (global.get $seen) (f64.const 2)))
          (return))
        (drop))
      (elem declare func $inner $middle)
      (func (export "run") (result f64 f64) (local $sum f64) (local $c (ref null $kb))
        (local $a i32) (local $b i64) (local $x f32) (local $y f64)
        (block $on (result i32 i64 f32 f64 (ref $kb))
          (resume $k (on $ask $on) (cont.new $k (ref.func $middle)))
          (unreachable))
        (local.set $c) (local.set $y) (local.set $x) (local.set $b) (local.set $a)
        (local.set $sum (f64.add (f64.add (f64.convert_i32_s (local.get $a)) (f64.convert_i64_s (local.get $b)))
          (f64.add (f64.promote_f32 (local.get $x)) (local.get $y))))
        (resume $kb (i64.const 41) (local.get $c))
        (local.get $sum) (global.get $seen)))`);
    expect(run?.()).toEqual([1 + 20 + 300.5 + 4000.25, (41 + 1) * 2]);
  });

  test('a tag that nobody handles is a trap that names it', () => {
    const { run } = instance('(module (tag $lost) (func (export "run") (suspend $lost)))');
    expect(() => run?.()).toThrow('unhandled tag: lost');
  });

  test('a continuation is used once: bound or resumed, the old reference traps', () => {
    const { resumed, bound } = instance(`(module ${TYPES}
      (type $g (func (param i32))) (type $kg (cont $g))
      (func $nop) (func $take (param i32))
      (elem declare func $nop $take)
      (func (export "resumed") (local $c (ref $k))
        (local.set $c (cont.new $k (ref.func $nop))) (resume $k (local.get $c)) (resume $k (local.get $c)))
      (func (export "bound") (local $c (ref $kg))
        (local.set $c (cont.new $kg (ref.func $take)))
        (resume $k (cont.bind $kg $k (i32.const 1) (local.get $c)))
        (resume $kg (i32.const 1) (local.get $c))))`);
    expect(codeOf(() => resumed?.())).toBe('HEDDLE_TRAP_CONTINUATION_CONSUMED');
    expect(codeOf(() => bound?.())).toBe('HEDDLE_TRAP_CONTINUATION_CONSUMED');
  });
});

describe('sizes', () => {
  test('continuations nest ten thousand deep', () => {
    const { nest } = instance(`(module (type $f (func (param i32) (result i32))) (type $k (cont $f))
      (func $down (param $n i32) (result i32)
        (if (result i32) (i32.eqz (local.get $n)) (then (i32.const 0))
          (else (i32.add (i32.const 1)
            (resume $k (i32.sub (local.get $n) (i32.const 1)) (cont.new $k (ref.func $down)))))))
      (elem declare func $down)
      (func (export "nest") (param i32) (result i32) (call $down (local.get 0))))`);
    const before = statistics().continuationsLive;
    expect(nest?.(10_000)).toBe(10_000);
    // Fewer where what other tests dropped was collected meanwhile.
    expect(statistics().continuationsLive).toBeLessThanOrEqual(before);
  });

  test('the most values that a block may have cross in each direction', () => {
    // A block has at most 1,000 results; one of them is the continuation.
    const count = 999;
    const types = Array(count).fill('i32').join(' ');
    const values = (first: number): string => Array.from({ length: count }, (_, i) => `(i32.const ${first + i})`).join(' ');
    // Weighted by place, so that an exchange of two values shows.
    const weigh = (first: number): number =>
      Array.from({ length: count }, (_, i) => Math.imul(first + i, i + 1)).reduce((a, b) => (a + b) | 0, 0);
    const consume = `(local.set $i (i32.const ${count}))
        ${Array.from({ length: count }, () => '(local.set $v) (local.set $sum (i32.add (local.get $sum) (i32.mul (local.get $v) (local.get $i)))) (local.set $i (i32.sub (local.get $i) (i32.const 1)))').join('\n')}`;
    const { run } = instance(`(module (type $f (func (result i32))) (type $k (cont $f))
      (type $b (func (param ${types}) (result i32))) (type $kb (cont $b))
      (tag $swap (param ${types}) (result ${types}))
      (func $body (result i32) (local $i i32) (local $v i32) (local $sum i32)
        (suspend $swap ${values(7)}) ${consume} (local.get $sum))
      (elem declare func $body)
      (func (export "run") (result i32 i32) (local $i i32) (local $v i32) (local $sum i32) (local $c (ref null $kb))
        (block $on (result ${types} (ref $kb))
          (resume $k (on $swap $on) (cont.new $k (ref.func $body)))
          (unreachable))
        (local.set $c) ${consume}
        (resume $kb ${values(100_000)} (local.get $c))
        (local.get $sum)))`);
    expect(run?.()).toEqual([weigh(100_000), weigh(7)]);
  });

  test('a hundred thousand are made and finished with one stack', () => {
    const { churn } = instance(`(module (type $f (func)) (type $k (cont $f)) (func $nop) (elem declare func $nop)
      (func (export "churn") (param $n i32)
        (loop $l (resume $k (cont.new $k (ref.func $nop)))
          (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))`);
    const before = statistics();
    churn?.(100_000);
    const after = statistics();
    expect(after.continuationsMade - before.continuationsMade).toBe(100_000);
    expect(after.continuationsLive).toBe(before.continuationsLive);
    expect(after.stacksLive).toBe(before.stacksLive);
  });
});

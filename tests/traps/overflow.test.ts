import { describe, expect, test } from 'vitest';
import { statistics } from '../../ts/index.js';
import { type AnyInstance, type Exported, exported, heddle, outcome, run, v8 } from '../api/oracle.js';
import { resultOf } from './child.js';
import { overflowModule, RECURSIONS } from './overflow_program.js';

const exhausted = expect.objectContaining({
  name: 'RangeError',
  code: 'HEDDLE_TRAP_STACK_OVERFLOW',
  message: expect.stringMatching(/^call stack exhausted/),
});

/** The greatest depth at which a recursion ends well. */
function depthOf(fn: Exported | undefined): number {
  let [fits, traps] = [0, 1 << 20];
  while (traps - fits > 1) {
    const middle = (fits + traps) >> 1;
    if (outcome(() => fn?.(middle)) === `returned ${middle}`) fits = middle;
    else traps = middle;
  }
  return fits;
}

describe.each(Object.entries(RECURSIONS))('recursion %s', (_name, recursion) => {
  const e = run(heddle, overflowModule(recursion));

  test.each(['entry', 'continuation', 'resumed'])('overflows the stack of a %s, again and again, and leaves it whole', (where) => {
    const fn = e[where];
    const before = statistics();
    expect(() => fn?.(-1)).toThrow(exhausted);
    const depth = depthOf(fn);
    expect(depth).toBeGreaterThan(3);
    for (let i = 0; i < 20; i++) {
      expect(() => fn?.(-1)).toThrow(exhausted);
      expect(() => fn?.(depth + 10)).toThrow(exhausted);
      // Tops of stacks lie up to 3 KiB apart.
      const nearly = depth - Math.ceil(depth / 50) - 1;
      expect(fn?.(nearly)).toBe(nearly);
    }
    const after = statistics();
    expect([after.continuationsLive, after.stacksLive]).toEqual([before.continuationsLive, before.stacksLive]);
  });
});

test('the class is that of V8', () => {
  const text = '(module (func $f (export "f") (call $f) (call $f)))';
  expect(outcome(() => exported(heddle, text, 'f')())).toBe(outcome(() => exported(v8, text, 'f')()));
});

test('the first continuations have as large a stack as a call, later ones a smaller one', () => {
  const e: AnyInstance['exports'] = run(heddle, overflowModule(RECURSIONS['direct'] ?? ''));
  const text = `(module (type $f (func)) (type $k (cont $f)) (tag $t) (table $all 300 (ref null $k)) (elem declare func $w) (func $w (suspend $t))
    (func (export "wait") (param $i i32) (local $c (ref null $k))
      (block $on (result (ref $k)) (resume $k (on $t $on) (cont.new $k (ref.func $w))) (return))
      (local.set $c) (table.set $all (local.get $i) (local.get $c))))`;
  const wait = exported(heddle, text, 'wait');
  const share = (): number => depthOf(e['continuation']) / depthOf(e['entry']);
  expect(share()).toBeCloseTo(1, 1);
  for (let i = 0; i < 300; i++) wait(i);
  expect(share()).toBeCloseTo(1 / 4, 1);
});

test('tail calls do not grow the stack', () => {
  const text = `(module (type $f (func (param i32) (result i32))) (type $k (cont $f)) (elem declare func $a)
    (func $a (type $f) (if (i32.eqz (local.get 0)) (then (return (i32.const 7)))) (return_call $b (i32.sub (local.get 0) (i32.const 1))))
    (func $b (type $f) (return_call_ref $f (local.get 0) (ref.func $a)))
    (func (export "f") (type $f) (resume $k (local.get 0) (cont.new $k (ref.func $a)))))`;
  expect(exported(heddle, text, 'f')(1_000_000)).toBe(7);
});

test('an import has JavaScript’s stack, however deep the fiber is', () => {
  const text = `(module (import "m" "x" (func $x (result i32))) (type $f (func (param i32) (result i32))) (type $k (cont $f)) (elem declare func $r)
    (func $r (type $f) (if (result i32) (i32.eqz (local.get 0)) (then (call $x)) (else (i32.add (call $r (i32.sub (local.get 0) (i32.const 1))) (i32.const 1)))))
    (func (export "f") (type $f) (resume $k (local.get 0) (cont.new $k (ref.func $r)))))`;
  const deep = (n: number): number => (n === 0 ? 0 : 1 + deep(n - 1));
  const endless = (): number => 1 + endless();
  expect(exported(heddle, text, 'f', { m: { x: () => deep(5000) } })(2000)).toBe(7000);
  const failing = exported(heddle, text, 'f', { m: { x: endless } });
  for (let i = 0; i < 3; i++) expect(outcome(() => failing(2000))).toBe('threw RangeError');
});

test('deep continuations are not deep stacks', () => {
  const text = `(module (type $f (func (param i32) (result i32))) (type $k (cont $f)) (elem declare func $r)
    (func $r (export "f") (type $f) (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 0))
      (else (i32.add (resume $k (i32.sub (local.get 0) (i32.const 1)) (cont.new $k (ref.func $r))) (i32.const 1))))))`;
  expect(exported(heddle, text, 'f')(10_000)).toBe(10_000);
});

interface Runaway {
  readonly ends: readonly unknown[];
  /** Kilobytes. */
  readonly grown: number;
  readonly continuationsLive: number;
  readonly stacksLive: number;
  readonly stacksPeak: number;
}

test.each([
  ['pool', 20_000],
  ['mmap', 20_000],
  ['malloc', 5_000],
  ['pool', 1],
])('a function that resumes a new continuation of itself for ever: %s, at most %i stacks', async (strategy, maximum) => {
  const result = await resultOf<Runaway>('runaway', { args: [String(maximum), strategy] });
  expect(result).toMatchObject({
    ends: Array.from({ length: 3 }, () => ['HEDDLE_TRAP_TOO_MANY_STACKS', 42]).flat(),
    continuationsLive: 0,
    stacksLive: 0,
    stacksPeak: maximum,
  });
  // In KiB. A stack that was hardly used takes two pages, and a record beside it; the rest is room for JavaScript's heap and huge pages. Whole stacks would be 256 each.
  expect(result.grown).toBeLessThan(maximum * 9 + 150_000);
});

test.each(['pool', 'mmap', 'malloc'])('stacks from %s, with and without the kernel’s guard', async (strategy) => {
  for (const guard of ['auto', 'software']) {
    const ends = await resultOf<readonly string[]>('stacks', { args: [strategy, guard] });
    expect(ends).toEqual(Array.from({ length: 5 }, () => ['call stack exhausted', 'call stack exhausted', '500', '500']).flat());
  }
});

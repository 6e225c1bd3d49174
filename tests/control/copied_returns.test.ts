/**
 * Frames of versions of a continuation (`cont.clone`) return by way of the copy that they came from (docs/decisions/0045). What they compute, what traps and exceptions find, and what a picture
 * shows is what it would be if each had been called. Expectations are arithmetic, or the same program without clones.
 */
import { expect, test } from 'vitest';
import { collect, inspect, statistics } from '../../ts/index.js';
import { instance, thrown } from './module.js';

/**
 * $behind asks on its way back in each of its frames: what is answered counts with the frame's depth. -1 traps, and -2 throws, which the frame at depth $catch catches and counts as
 * 1000; elsewhere -2 leaves the continuation. Answers are the tree's: `run` answers question q of a way by digit q of a number in base 2, on a version of its own.
 */
const MODULE = `(module
  (type $f (func (param i32) (result i32))) (type $k (cont $f))
  (import "heddle" "cont.clone" (func $clone (param (ref null $k)) (result (ref $k))))
  (tag $ask (result i32)) (tag $e)
  (global $catch (mut i32) (i32.const -1))
  (table $t 64 (ref null $k))
  (elem declare func $behind $down $nested)
  (func $answered (param $a i32) (result i32)
    (if (i32.eq (local.get $a) (i32.const -1)) (then (unreachable)))
    (if (i32.eq (local.get $a) (i32.const -2)) (then (throw $e)))
    (local.get $a))
  (func $behind (param $depth i32) (result i32)
    (if (result i32) (i32.eqz (local.get $depth))
      (then (call $answered (suspend $ask)))
      (else
        (if (result i32) (i32.eq (local.get $depth) (global.get $catch))
          (then (block $h (try_table (catch $e $h) (return (call $behind (i32.sub (local.get $depth) (i32.const 1)))))) (i32.const 1000))
          (else (i32.add (call $behind (i32.sub (local.get $depth) (i32.const 1))) (local.get $depth)))))))
  ;; The same, and asks again in every frame.
  (func $down (param $depth i32) (result i32)
    (if (result i32) (i32.eqz (local.get $depth))
      (then (i32.const 0))
      (else (i32.add (call $down (i32.sub (local.get $depth) (i32.const 1))) (i32.mul (local.get $depth) (call $answered (suspend $ask)))))))
  (func $go (param $i i32) (param $v i32) (param $c (ref null $k)) (result i32)
    (table.set $t (local.get $i)
      (block $on (result (ref $k)) (return (resume $k (on $ask $on) (local.get $v) (local.get $c)))))
    (i32.const -1))
  (func (export "begin") (param $i i32) (param $depth i32) (param $catch i32) (result i32)
    (global.set $catch (local.get $catch))
    (call $go (local.get $i) (local.get $depth) (cont.new $k (ref.func $behind))))
  (func (export "begin down") (param $i i32) (param $depth i32) (result i32)
    (call $go (local.get $i) (local.get $depth) (cont.new $k (ref.func $down))))
  (func (export "clone") (param $from i32) (param $to i32) (table.set $t (local.get $to) (call $clone (table.get $t (local.get $from)))))
  (func (export "answer") (param $i i32) (param $v i32) (result i32) (call $go (local.get $i) (local.get $v) (table.get $t (local.get $i))))
  (func (export "raise") (param $i i32) (result i32) (resume_throw $k $e (table.get $t (local.get $i))))
  (func (export "drop") (param $i i32) (table.set $t (local.get $i) (ref.null $k)))
  ;; Asks, and then resumes another continuation behind some frames, which asks as well: both fibers wait for that answer.
  (func $nested (param $depth i32) (result i32)
    (if (result i32) (i32.eqz (local.get $depth))
      (then (i32.add (suspend $ask) (resume $k (i32.const 5) (cont.new $k (ref.func $behind)))))
      (else (i32.add (call $nested (i32.sub (local.get $depth) (i32.const 1))) (local.get $depth)))))
  (func (export "begin nested") (param $i i32) (param $depth i32) (result i32)
    (call $go (local.get $i) (local.get $depth) (cont.new $k (ref.func $nested))))
  ;; All ways of answering 0 or 1: the sum of the results of those that end.
  (func $all (param $c (ref null $k)) (result i32)
    (local $sum i32) (local $i i32) (local $next (ref null $k))
    (loop $each
      (block $done
        (block $on (result (ref $k))
          (local.set $sum (i32.add (local.get $sum) (resume $k (on $ask $on) (local.get $i)
            (if (result (ref null $k)) (local.get $i) (then (local.get $c)) (else (call $clone (local.get $c)))))))
          (br $done))
        (local.set $next)
        (local.set $sum (i32.add (local.get $sum) (call $all (local.get $next)))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $each (i32.lt_u (local.get $i) (i32.const 2))))
    (local.get $sum))
  (func (export "tree") (param $depth i32) (result i32)
    (block $on (result (ref $k))
      (return (resume $k (on $ask $on) (local.get $depth) (cont.new $k (ref.func $down)))))
    (call $all)))`;

/** Exports of a fresh instance, by name. */
function made(): (name: string, ...args: number[]) => number {
  const exports = instance(MODULE, { heddle: {} });
  return (name, ...args) => Number(exports[name]?.(...args));
}
const sumTo = (n: number): number => (n * (n + 1)) / 2;
/** Around what predictors know, and the pieces that frames return to. */
const DEPTHS = [0, 1, 14, 15, 16, 17, 29, 30, 31, 32, 33, 47, 48, 64, 200];

test.each(DEPTHS)('behind %i frames each version returns what it was answered, and what its frames add', (depth) => {
  collect();
  const before = statistics();
  const call = made();
  call('begin', 0, depth, -1);
  for (let i = 1; i < 6; i++) call('clone', i === 3 ? 1 : 0, i);
  for (const i of [2, 5, 1, 0, 4, 3]) expect(call('answer', i, 100 * i)).toBe(100 * i + sumTo(depth));
  collect();
  const { continuationCopies, stacksLive } = statistics();
  expect({ continuationCopies, stacksLive }).toEqual({ continuationCopies: before.continuationCopies, stacksLive: before.stacksLive });
});

test.each([1, 2, 5, 9])('every way through a program that asks in each of %i frames on its way back', (depth) => {
  // Half of the ways answer a question with 1.
  expect(made()('tree', depth)).toBe(2 ** (depth - 1) * sumTo(depth));
});

test.each([3, 16, 40, 100])('of %i frames some return, the rest is cloned again', (depth) => {
  const call = made();
  call('begin down', 0, depth);
  for (let question = 1; question < depth; question++) {
    call('clone', 0, 1);
    call('clone', 0, 2);
    // Two versions meet by turns: each is copied with frames that the copy before put back.
    expect(call('answer', 1, 1)).toBe(-1);
    expect(call('answer', 2, 1)).toBe(-1);
    call('clone', 2, 0);
    call('clone', 1, 3);
  }
  for (const i of [0, 3, 1, 2]) expect(call('answer', i, 1)).toBe(sumTo(depth));
});

test.each([1, 16, 40])('behind %i frames one that was cloned resumes a fiber, and both are cloned', (depth) => {
  const call = made();
  call('begin nested', 0, depth);
  for (const i of [1, 2]) call('clone', 0, i);
  for (const i of [1, 0, 2]) {
    expect(call('answer', i, 1000 * i)).toBe(-1);
    call('clone', i, 10 + i);
    call('clone', 10 + i, 20 + i);
  }
  for (const i of [20, 2, 11, 0, 22, 1, 10, 21, 12]) expect(call('answer', i, i)).toBe(1000 * (i % 10) + i + sumTo(5) + sumTo(depth));
});

test.each([2, 20, 60])('what is thrown inside is caught in the frame that catches, %i frames up', (depth) => {
  const call = made();
  call('begin', 0, depth, depth - 1);
  for (let i = 1; i < 5; i++) call('clone', 0, i);
  const caught = 1000 + depth;
  expect(call('answer', 1, -2)).toBe(caught);
  expect(call('answer', 2, -2)).toBe(caught);
  expect(call('raise', 3)).toBe(caught);
  expect(call('raise', 0)).toBe(caught);
  expect(call('answer', 4, 5)).toBe(5 + sumTo(depth) - (depth - 1));
});

test('a trap in a version shows the frames that the original shows', () => {
  const call = made();
  const lines = (i: number): string[] =>
    String(
      Reflect.get(
        thrown(() => call('answer', i, -1)),
        'stack',
      ),
    )
      .split('\n')
      .filter((line) => line.includes('wasm-function') || line.includes('wasm:') || /\$?(behind|answered|go|answer)\b/.test(line))
      .filter((line) => !line.includes('.test.ts'));
  call('begin', 0, 12, -1);
  const original = lines(0);
  expect(original.length).toBeGreaterThan(13);
  call('begin', 0, 12, -1);
  call('clone', 0, 1);
  call('clone', 0, 2);
  expect(lines(1)).toEqual(original);
  expect(lines(2)).toEqual(original);
});

test('a picture shows the frames of a version that has returned from some', () => {
  const call = made();
  const known = new Set(inspect().fibers.map((fiber) => fiber.id));
  const pictures = (): unknown[] => inspect().fibers.filter((fiber) => fiber.state === 'suspended' && !known.has(fiber.id));
  call('begin down', 0, 8);
  call('answer', 0, 1);
  call('answer', 0, 1);
  const [original] = pictures() as { frames: unknown[] }[];
  expect(original?.frames.length).toBeGreaterThan(5);
  call('begin down', 1, 8);
  call('clone', 1, 2);
  call('clone', 1, 3);
  for (const i of [2, 3, 1]) {
    call('answer', i, 1);
    call('answer', i, 1);
  }
  for (const picture of pictures() as { frames: unknown[] }[]) expect(picture.frames).toEqual(original?.frames);
  expect(pictures()).toHaveLength(4);
});

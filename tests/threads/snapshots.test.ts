/** Snapshots on several threads at once, each with stacks and copies of its own; and on threads that end with copies alive. */
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { WebAssembly as Heddle, parseWat } from '../../ts/index.js';

/** Counts the ways to write n as an ordered sum of ones and twos: Fibonacci's number n + 1. Each choice is tried by clones. `keep` leaves all copies alive. */
const TEXT = `(module
  (type $f (func (param i32) (result i32))) (type $k (cont $f))
  (import "heddle" "cont.clone" (func $clone (param (ref null $k)) (result (ref $k))))
  (tag $choose (result i32)) (table $kept 100000 (ref null $k)) (global $next (mut i32) (i32.const 0)) (global $keeps (mut i32) (i32.const 0))
  (func $sum (param $left i32) (result i32)
    (loop $l
      (if (i32.eqz (local.get $left)) (then (return (i32.const 1))))
      (if (i32.lt_s (local.get $left) (i32.const 0)) (then (return (i32.const 0))))
      (local.set $left (i32.sub (local.get $left) (suspend $choose)))
      (br $l))
    (unreachable))
  (elem declare func $sum)
  (func $ways (param $value i32) (param $c (ref null $k)) (result i32) (local $n (ref null $k))
    (local.set $n (block $on (result (ref $k)) (return (resume $k (on $choose $on) (local.get $value) (local.get $c)))))
    (if (global.get $keeps) (then
      (table.set $kept (global.get $next) (call $clone (local.get $n)))
      (global.set $next (i32.add (global.get $next) (i32.const 1)))))
    (i32.add (call $ways (i32.const 1) (call $clone (local.get $n))) (call $ways (i32.const 2) (local.get $n))))
  (func (export "ways") (param $n i32) (result i32) (call $ways (local.get $n) (cont.new $k (ref.func $sum))))
  (func (export "keep") (param $n i32) (result i32) (global.set $keeps (i32.const 1)) (call $ways (local.get $n) (cont.new $k (ref.func $sum)))))`;
const module = new Heddle.Module(parseWat(TEXT));

const start = (calls: readonly unknown[]): Worker => new Worker(new URL('worker.mjs', import.meta.url), { workerData: { module, calls } });

/** What a worker says at its end, and how it ended. */
async function ended(worker: Worker): Promise<unknown> {
  let last: unknown;
  worker.on('message', (message: unknown) => {
    last = message;
  });
  const code = await new Promise((done) => {
    worker.on('exit', done);
  });
  return { last, code };
}

test('four threads at once', async () => {
  const all = await Promise.all([10, 15, 18, 20].map((n) => ended(start([['ways', n]]))));
  expect(all).toEqual([89, 987, 4181, 10_946].map((ways) => ({ last: { results: [ways] }, code: 0 })));
});

test('threads that end with thousands of copies, by themselves and by terminate', async () => {
  expect(await ended(start([['keep', 18]]))).toEqual({ last: { results: [4181] }, code: 0 });
  for (let i = 0; i < 3; i++) {
    const worker = start([['keep', 20]]);
    const end = ended(worker);
    await new Promise((done) => {
      worker.once('message', done);
    });
    await worker.terminate();
    expect(await end).toMatchObject({ code: expect.any(Number) });
  }
});

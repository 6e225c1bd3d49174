/** Heaps belong to threads: modules go to others, references do not, and a thread may end with objects that it holds. */
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { WebAssembly as Heddle, parseWat } from '../../ts/api/index.js';

const program = new URL('programs/worker.mjs', import.meta.url);
const TEXT = `(module (type $tree (struct (field (ref null $tree)) (field (ref null $tree)))) (type $f (func (result i32))) (type $k (cont $f)) (tag $t)
  (func $make (param $d i32) (result (ref $tree))
    (if (result (ref $tree)) (i32.eqz (local.get $d))
      (then (struct.new $tree (ref.null $tree) (ref.null $tree)))
      (else (struct.new $tree (call $make (i32.sub (local.get $d) (i32.const 1))) (call $make (i32.sub (local.get $d) (i32.const 1)))))))
  (func $count (param $t (ref null $tree)) (result i32)
    (if (result i32) (ref.is_null (local.get $t)) (then (i32.const 0))
      (else (i32.add (i32.const 1) (i32.add (call $count (struct.get $tree 0 (local.get $t))) (call $count (struct.get $tree 1 (local.get $t))))))))
  (func $waits (result i32) (local $t (ref null $tree)) (local.set $t (call $make (i32.const 9))) (suspend $t) (call $count (local.get $t)))
  (elem declare func $waits) (global $held (mut (ref null $k)) (ref.null $k))
  (func (export "begin") (global.set $held (block $h (result (ref $k)) (drop (resume $k (on $t $h) (cont.new $k (ref.func $waits)))) (unreachable))))
  (func (export "end") (result i32) (resume $k (global.get $held)))
  (func (export "make") (param i32) (result (ref $tree)) (call $make (local.get 0)))
  (func (export "trees") (param $n i32) (result i32) (local $sum i32)
    (loop $l (local.set $sum (i32.add (local.get $sum) (call $count (call $make (i32.const 10)))))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum)))`;
/** Trees of the main thread; the workers make half as many more. A collection at each object takes its time. */
const TREES = process.env['HEDDLE_COLLECT'] === 'always' ? 2 : 200;
/** Nodes of a tree of a depth. */
const nodes = (depth: number): number => 2 ** (depth + 1) - 1;

test('each thread has its own objects, while others collect', async () => {
  const module = new Heddle.Module(parseWat(TEXT));
  const { begin, end, make, trees } = new Heddle.Instance(module).exports as Record<string, (n?: number) => unknown>;
  const object = make?.(3);
  expect(() => structuredClone(object)).toThrow();
  for (let round = 0; round < 2; round++) {
    begin?.();
    const workers = [1, 2, 3].map(() => new Worker(program, { workerData: { module, trees: 1.5 * TREES } }));
    const results = workers.map((worker) => new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject)));
    expect(trees?.(TREES)).toBe(TREES * nodes(10));
    expect(end?.()).toBe(nodes(9));
    expect(await Promise.all(results)).toEqual(Array(3).fill({ trees: 1.5 * TREES * nodes(10), held: nodes(9) }));
    // With objects, a suspended continuation and what stands for them.
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
});

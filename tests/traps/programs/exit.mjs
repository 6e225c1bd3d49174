// Leaves continuations suspended, 1,000 deep and 1,000 side by side, and ends in the way that the argument says.
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { WebAssembly as Heddle, parseWat } from '../../../dist/heddle.mjs';

const way = isMainThread ? process.argv[2] : workerData;

const text = `(module (type $f (func)) (type $k (cont $f)) (type $fi (func (param i32))) (type $ki (cont $fi)) (tag $t)
  (import "m" "leave" (func $leave)) (table $kept 1001 (ref null $k))
  (func $leaf (suspend $t))
  (func $down (param i32)
    (if (i32.eqz (local.get 0)) (then (suspend $t)) (else (resume $ki (i32.sub (local.get 0) (i32.const 1)) (cont.new $ki (ref.func $down)))))
    (call $leave))
  (elem declare func $leaf $down $deep $leave)
  (func $deep (call $down (i32.const 1000)))
  (func (export "suspend") (local $i i32) (local $c (ref null $k))
    (loop $l
      (block $on (result (ref $k)) (resume $k (on $t $on) (cont.new $k (ref.func $leaf))) (unreachable))
      (local.set $c) (table.set $kept (local.get $i) (local.get $c))
      (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000))))
    (block $on (result (ref $k)) (resume $k (on $t $on) (cont.new $k (ref.func $deep))) (unreachable))
    (local.set $c) (table.set $kept (i32.const 1000) (local.get $c)))
  (func (export "resume") (resume $k (table.get $kept (i32.const 1000))))
  (func (export "leave") (resume $k (cont.new $k (ref.func $leave))))
  (func (export "trap") unreachable))`;

const WAYS = {
  end: () => undefined,
  exit: () => process.exit(3),
  'exit inside an import': () => exports.leave(),
  'exit inside the resumed chain': () => exports.resume(),
  'uncaught trap': () => exports.trap(),
  'exit later': () => setTimeout(() => process.exit(3), 1),
  worker: () => {
    new Worker(new URL(import.meta.url), { workerData: 'end' });
  },
  'worker that exits inside an import': () => {
    new Worker(new URL(import.meta.url), { workerData: 'exit inside an import' });
  },
  'terminated worker': async () => {
    const worker = new Worker(new URL(import.meta.url), { workerData: 'wait' });
    worker.on('online', () => setTimeout(() => worker.terminate(), 50));
  },
  wait: () => setInterval(() => undefined, 1000),
};

const { exports } = new Heddle.Instance(new Heddle.Module(parseWat(text)), { m: { leave: () => process.exit(3) } });
exports.suspend();
process.on('exit', () => console.log(`left: ${way}`));
WAYS[way]();

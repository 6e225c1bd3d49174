// Fills a heap of 16 MiB with objects of several sizes, drops them, and does it again; prints how many there were, and the errors.
import { collect, configure, parseWat, statistics, WebAssembly } from '../../../dist/heddle.mjs';

configure({ heap: { memory: 16 << 20 } });
const TEXT = `(module (type $node (struct (field i32) (field (mut (ref null $node))))) (type $nodes (array (mut (ref null $nodes))))
  (global $all (mut (ref null $node)) (ref.null $node)) (global $count (mut i32) (i32.const 0)) (global $arrays (mut (ref null $nodes)) (ref.null $nodes))
  (tag $t (param (ref null $node)))
  (func (export "fill") (loop $l (global.set $all (struct.new $node (i32.const 1) (global.get $all)))
    (global.set $count (i32.add (global.get $count) (i32.const 1))) (br $l)))
  (func (export "arrays") (param $n i32) (local $a (ref null $nodes))
    (loop $l (local.set $a (array.new_default $nodes (local.get $n)))
      (array.set $nodes (local.get $a) (i32.const 0) (global.get $arrays)) (global.set $arrays (local.get $a)) (br $l)))
  (func (export "throws") (local $x exnref) (loop $l
    (local.set $x (block $h (result exnref) (try_table (catch_all_ref $h) (throw $t (global.get $all))) (unreachable)))
    (global.set $all (struct.new $node (i32.const 1) (global.get $all))) (br $l)))
  (func (export "drop") (result i32) (global.set $all (ref.null $node)) (global.set $arrays (ref.null $nodes))
    (global.get $count) (global.set $count (i32.const 0)))
  (func (export "churn") (param $n i32) (result i32) (local $sum i32) (local $c (ref null $node))
    (loop $l (local.set $c (struct.new $node (local.get $n) (local.get $c)))
      (if (i32.eqz (i32.and (local.get $n) (i32.const 15))) (then (struct.set $node 1 (local.get $c) (ref.null $node))))
      (local.set $sum (i32.add (local.get $sum) (struct.get $node 0 (local.get $c))))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum)))`;
const { fill, arrays, throws, drop, churn } = new WebAssembly.Instance(new WebAssembly.Module(parseWat(TEXT))).exports;
const errors = [];
let most = 0;
const failed = (run) => {
  try {
    run();
  } catch ({ name, message, code }) {
    errors.push({ name, message, code });
  }
  most = Math.max(most, statistics().heapBytes);
};
failed(fill);
const fresh = drop();
const afterwards = [];
for (const run of [() => arrays(3), () => arrays(1000), () => arrays(100_000), throws]) {
  failed(run);
  drop();
}
failed(fill);
afterwards.push(drop());
collect();
process.stdout.write(JSON.stringify({ fresh, errors, afterwards, churn: churn(1_000_000), most }));

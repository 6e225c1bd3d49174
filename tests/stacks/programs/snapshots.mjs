// What snapshots take: `limit`, as many as stack.memory allows and a call that wants more; `ended`, originals that have ended while their snapshots live.
import { collect, configure, hibernate, parseWat, statistics, WebAssembly } from '../../../dist/heddle.mjs';

const [kind, count] = [process.argv[2], Number(process.argv[3])];
const TEXT = `(module
  (type $f (func (param i32) (result i32))) (type $k (cont $f))
  (import "heddle" "cont.clone" (func $clone (param (ref null $k)) (result (ref $k))))
  (tag $ask (param i32) (result i32)) (table $t 100000 (ref null $k)) (global $n (mut i32) (i32.const 0))
  ;; Adds up what it is answered; ends with the sum when that is 0.
  (func $sum (param $total i32) (result i32) (local $a i32)
    (loop $l
      (local.set $a (suspend $ask (local.get $total)))
      (local.set $total (i32.add (local.get $total) (local.get $a)))
      (br_if $l (local.get $a)))
    (local.get $total))
  (elem declare func $sum)
  (func $step (param $c (ref null $k)) (param $answer i32) (result (ref null $k))
    (block $end
      (block $on (result i32 (ref $k)) (drop (resume $k (on $ask $on) (local.get $answer) (local.get $c))) (br $end))
      (return (block (param i32 (ref $k)) (result (ref $k)) (local.set $c) (drop) (ref.as_non_null (local.get $c)))))
    (ref.null $k))
  (func $keep (param $c (ref null $k))
    (table.set $t (global.get $n) (call $clone (local.get $c))) (global.set $n (i32.add (global.get $n) (i32.const 1))))
  ;; Of one that goes on: a snapshot of each of its states.
  (func (export "states") (param $count i32) (local $c (ref null $k))
    (local.set $c (call $step (cont.new $k (ref.func $sum)) (i32.const 0)))
    (loop $l
      (call $keep (local.get $c))
      (local.set $c (call $step (local.get $c) (i32.const 1)))
      (br_if $l (i32.lt_u (global.get $n) (local.get $count)))))
  ;; Of many that end: a snapshot of each.
  (func (export "originals") (param $count i32) (local $c (ref null $k))
    (loop $l
      (local.set $c (call $step (cont.new $k (ref.func $sum)) (global.get $n)))
      (call $keep (local.get $c))
      (drop (call $step (local.get $c) (i32.const 0)))
      (br_if $l (i32.lt_u (global.get $n) (local.get $count)))))
  (func (export "end") (param $i i32) (result i32) (resume $k (i32.const 0) (table.get $t (local.get $i))))
  (func (export "made") (result i32) (global.get $n))
  (func (export "clear") (table.fill $t (i32.const 0) (ref.null $k) (i32.const 100000)) (global.set $n (i32.const 0))))`;

if (kind === 'limit') configure({ stack: { memory: count } });
const { exports } = new WebAssembly.Instance(new WebAssembly.Module(parseWat(TEXT)), { heddle: {} });
const result = {};
if (kind === 'limit') {
  try {
    exports.states(100_000);
  } catch ({ code, message }) {
    Object.assign(result, { code, message });
  }
  result.made = exports.made();
  result.bytes = statistics().hibernatedBytes;
  // Those that there are go on, and there is room again once they are gone.
  result.ends = [0, 1, 1000].map((i) => exports.end(i));
  exports.clear();
  exports.states(100);
  result.again = exports.made();
} else {
  exports.originals(count);
  const { stacksLive, continuationCopies } = statistics();
  Object.assign(result, { stacksLive, continuationCopies, emptied: hibernate(), stacksHibernated: statistics().stacksHibernated });
  result.ends = Array.from({ length: count }, (_, i) => exports.end(i)).every((end, i) => end === i);
}
exports.clear();
collect();
const { stacksLive, continuationCopies, hibernatedBytes } = statistics();
console.log(JSON.stringify({ ...result, after: { stacksLive, continuationCopies, hibernatedBytes } }));

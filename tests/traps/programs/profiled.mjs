// What a profiler samples: switches, deep recursion on a continuation, imports, traps. Prints a number that is always the same.
import { WebAssembly as Heddle, parseWat } from '../../../dist/heddle.mjs';

const TEXT = `(module (import "m" "x" (func $x)) (type $f (func (param i32) (result i32))) (type $k (cont $f)) (tag $t)
  (elem declare func $count $deep)
  (type $b (func (result i32))) (type $kb (cont $b))
  (func $count (param $n i32) (result i32)
    (loop $l (suspend $t) (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))) (i32.const 7))
  (func $deep (param $n i32) (result i32)
    (if (result i32) (i32.eqz (local.get $n)) (then (call $x) (i32.const 0))
      (else (i32.add (call $deep (i32.sub (local.get $n) (i32.const 1))) (i32.const 1)))))
  (func (export "switches") (param $n i32) (result i32) (local $c (ref null $kb))
    (local.set $c (cont.bind $k $kb (local.get $n) (cont.new $k (ref.func $count))))
    (loop $l (result i32)
      (block $on (result (ref $kb)) (return (resume $kb (on $t $on) (local.get $c))))
      (local.set $c) (br $l)))
  (func (export "deep") (param $n i32) (result i32) (resume $k (local.get $n) (cont.new $k (ref.func $deep))))
  (func $again (export "overflow") (call $again) (call $again)))`;

let calls = 0;
const { exports } = new Heddle.Instance(new Heddle.Module(parseWat(TEXT)), { m: { x: () => calls++ } });
let sum = exports.switches(3_000_000);
for (let i = 0; i < 2000; i++) sum += exports.deep(1000);
for (let i = 0; i < 50; i++) {
  try {
    exports.overflow();
  } catch {
    sum++;
  }
}
console.log(sum + calls);

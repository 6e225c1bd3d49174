// A program that changes built-in objects of JavaScript's between first calls. Prints JSON.
import { parseWat, WebAssembly } from '../../../dist/heddle.mjs';

const text = `(module
  (type $f (func (result i32))) (type $k (cont $f)) (tag $t (param i32)) (elem declare func $body)
  (func $factorial (export "factorial") (param i32) (result i32)
    (if (result i32) (i32.le_s (local.get 0) (i32.const 1)) (then (i32.const 1))
      (else (i32.mul (local.get 0) (call $factorial (i32.sub (local.get 0) (i32.const 1)))))))
  (func $next (param i32) (suspend $t (local.get 0)))
  (func $body (result i32) (local i32)
    (loop $l (call $next (local.get 0))
      (br_if $l (i32.lt_s (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 10))))
    (i32.const 0))
  (func (export "sum") (result i32) (local $c (ref null $k)) (local $s i32)
    (local.set $c (cont.new $k (ref.func $body)))
    (loop $l
      (block $on (result i32 (ref $k)) (resume $k (on $t $on) (local.get $c)) (drop) (return (local.get $s)))
      (local.set $c)
      (local.set $s (i32.add (local.get $s)))
      (br $l))
    (unreachable))
  (func $trapper unreachable)
  (func (export "trap") (call $trapper))
  (func (export "double") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2))))`;
const { exports } = new WebAssembly.Instance(new WebAssembly.Module(parseWat(text), { compile: 'lazy' }));
const before = exports.factorial(3);
const { push } = Array.prototype;
Array.prototype.push = function (...values) {
  return push.apply(this, values.reverse());
};
Array.prototype[Symbol.iterator] = function* () {};
const double = exports.double(5);
const factorial = exports.factorial(4);
let stack = '';
try {
  exports.trap();
} catch (error) {
  stack = `${error.stack}`;
}
const trapper = /trapper/.test(stack) ? 'function trapper' : stack;
const inlined = exports.sum();
delete Array.prototype[Symbol.iterator];
process.stdout.write(`{"before":${before},"after":[${double},${factorial},"${trapper}"],"inlined":${inlined}}\n`, () => process.exit());

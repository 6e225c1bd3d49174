import { parseWat, WebAssembly } from './ts/index.js';

const wat = `(module
 (import "m" "f" (func $f (param i32 i64 f64) (result f64)))
 (type $ft (func (param i32) (result i32)))
 (type $ct (cont $ft))
 (tag $t (param i32) (result i32))
 (func $fib (export "fib") (param i32) (result i32)
  (if (result i32) (i32.lt_s (local.get 0) (i32.const 2)) (then (local.get 0))
   (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1))) (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
 (func (export "callf") (param i32 i64 f64) (result f64) (call $f (local.get 0)(local.get 1)(local.get 2)))
 (func (export "div") (param i32 i32) (result i32) (i32.div_s (local.get 0)(local.get 1)))
 (func $rec (export "rec") (param i32) (result i32) (i32.add (i32.const 1) (call $rec (local.get 0))))
 (func (export "loop") (loop (br 0)))
 (func $gen (param i32) (result i32) (local $i i32)
   (loop $l (local.set 0 (i32.add (local.get 0) (suspend $t (local.get $i))))
     (br_if $l (i32.lt_s (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000))))
   (local.get 0))
 (elem declare func $gen $self $rec)
 (func (export "sum") (result i32) (local $k (ref null $ct)) (local $s i32)
   (local.set $k (cont.new $ct (ref.func $gen)))
   (local.set $s (i32.const 0))
   (block $done
   (loop $l
     (block $h (result i32 (ref $ct))
        (local.set $s (resume $ct (on $t $h) (local.get $s) (local.get $k)))
        (br $done))
     (local.set $k) (local.set $s (i32.mul (i32.const 2)))
     (br $l)))
   (local.get $s))
 (func $self (param i32) (result i32) (resume $ct (local.get 0) (cont.new $ct (ref.func $self))))
 (func (export "selfrec") (param i32) (result i32) (call $self (local.get 0)))
 (func (export "unhandled") (result i32) (suspend $t (i32.const 1)))
 (func (export "overflowinfiber") (result i32) (resume $ct (i32.const 0) (cont.new $ct (ref.func $rec))))
)`;
const log = (...a) => console.log(...a);
const tryit = (f) => {
  const t = performance.now();
  try {
    log(f(), (performance.now() - t).toFixed(1) + 'ms');
  } catch (e) {
    log(e.constructor.name, e.message, e.code ?? '', (performance.now() - t).toFixed(1) + 'ms', e.stack.split('\n').length);
  }
};
const bytes = parseWat(wat);
const mod = new WebAssembly.Module(bytes);
const thrown = new Error('mine');
const inst = new WebAssembly.Instance(mod, {
  m: {
    f: (a, b, c) => {
      if (a === 99) throw thrown;
      if (a === 98) return inst.exports.fib(20);
      return a + Number(b) + c;
    },
  },
});
const x = inst.exports;
tryit(() => x.fib(25));
tryit(() => x.callf(1, 2n, 3.5));
tryit(() => x.callf(98, 2n, 3.5));
try {
  x.callf(99, 0n, 0);
} catch (e) {
  log(e === thrown);
}
tryit(() => x.div(7, 2));
tryit(() => x.div(7, 0));
tryit(() => x.div(-0x80000000, -1));
tryit(() => x.rec(1));
tryit(() => x.rec(1));
tryit(() => x.overflowinfiber());
tryit(() => x.sum());
tryit(() => x.unhandled());
tryit(() => x.div('9', undefined));
tryit(() => x.selfrec(1));
tryit(() => x.fib(20));
log((process.memoryUsage().rss / 1e6) | 0);

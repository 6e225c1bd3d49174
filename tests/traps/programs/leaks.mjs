// Traps 1,000 times, then up to 10,000 times, of many kinds and in many places; prints memory and counters after each. Needs --expose-gc.
import { WebAssembly as Heddle, parseWat, statistics } from '../../../dist/heddle.mjs';

const TEXT = `(module
  (type $void (func)) (type $vk (cont $void)) (type $fi (func (param i32))) (type $ki (cont $fi)) (tag $pause) (tag $lonely)
  (import "m" "throws" (func $throws)) (memory 1) (table $t 2 funcref)
  (func $unreachable unreachable)
  (func $bounds (drop (i32.load (i32.const 65533))))
  (func $division (drop (i32.div_u (i32.const 1) (i32.load (i32.const 0)))))
  (func $conversion (drop (i32.trunc_f64_s (f64.const nan))))
  (func $indirect (call_indirect $t (type $void) (i32.const 0)))
  (func $null (resume $vk (ref.null $vk)))
  (func $unhandled (suspend $lonely))
  (func $exception (call $throws))
  (func $overflow (call $overflow) (call $overflow))
  (func $suspends (suspend $pause) unreachable)
  (table $kinds funcref (elem $unreachable $bounds $division $conversion $indirect $null $unhandled $exception $overflow))
  (elem declare func $down $suspends)
  (func $down (export "trap") (param $kind i32) (param $depth i32) (result i32)
    (if (i32.eqz (local.get $depth)) (then (call_indirect $kinds (type $void) (local.get $kind))))
    (resume $kk (local.get $kind) (i32.sub (local.get $depth) (i32.const 1)) (cont.new $kk (ref.func $down))))
  (type $fd (func (param i32 i32) (result i32))) (type $kk (cont $fd))
  (func (export "resumed")
    (block $on (result (ref $vk)) (resume $vk (on $pause $on) (cont.new $vk (ref.func $suspends))) (return))
    (resume $vk)))`;

const thrown = new Error('thrown by an import');
const imports = {
  m: {
    throws() {
      throw thrown;
    },
  },
};
const { exports } = new Heddle.Instance(new Heddle.Module(parseWat(TEXT)), imports);
const KINDS = 9;

/** One trap, and what must be thrown is thrown. */
function trap(n) {
  try {
    if (n % 10 === 9) exports.resumed();
    else exports.trap(n % KINDS, n % 7);
  } catch (error) {
    if (error === thrown || error instanceof WebAssembly.RuntimeError || error instanceof RangeError) return;
    throw error;
  }
  throw new Error(`no trap in round ${n}`);
}

/** Bytes in memory, when all garbage is gone. */
function resident() {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 5; i++) {
    globalThis.gc();
    least = Math.min(least, process.memoryUsage.rss());
  }
  return least;
}

const result = { before: statistics() };
for (let n = 0; n < 1000; n++) trap(n);
result.after1000 = { resident: resident(), ...statistics() };
for (let n = 1000; n < 10_000; n++) trap(n);
result.after10000 = { resident: resident(), ...statistics() };
console.log(JSON.stringify(result));

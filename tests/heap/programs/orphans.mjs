// Instances that nothing refers to but a suspended continuation: they are collected with it, not before. Needs --expose-gc. Prints counters at each step.
import { Continuation, collect, hibernate, parseWat, statistics, WebAssembly } from '../../../dist/heddle.mjs';

const COUNT = 20;
/** After the suspend it needs its memory, a global, a table, a data segment and other functions. */
const TEXT = `(module (tag $t) (memory 1) (data $d "\\2a") (global $g (mut i32) (i32.const 1)) (table 1 funcref) (elem (i32.const 0) func $inc)
  (type $inc (func (param i32) (result i32)))
  (func $inc (type $inc) (i32.add (local.get 0) (global.get $g)))
  (func (export "run") (param i32) (result i32)
    (i32.store (i32.const 100) (local.get 0))
    (suspend $t)
    (global.set $g (i32.const 7))
    (memory.init $d (i32.const 8) (i32.const 0) (i32.const 1))
    (i32.add (i32.load (i32.const 100)) (i32.add (i32.load8_u (i32.const 8)) (call_indirect (type $inc) (i32.const 1000) (i32.const 0))))))`;

async function settle() {
  for (let i = 0; i < 6; i++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    globalThis.gc();
    collect();
  }
  const { instances, codes, continuationsLive, memories } = statistics();
  return { instances, codes, continuationsLive, memories };
}

// In a function of its own: a local of this one would stay until it ends.
const make = (_, i) => {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(parseWat(TEXT)));
  return new Continuation(exports.run).resume(i).continuation;
};
const waiting = Array.from({ length: COUNT }, make);
const alone = await settle();
if (process.argv[2] === 'hibernate') hibernate();
const asleep = await settle();
const values = waiting.splice(0, COUNT / 2).map((continuation) => continuation.resume().value);
const half = await settle();
waiting.length = 0;
const none = await settle();
process.stdout.write(JSON.stringify({ alone, asleep, values, half, none }));

// Calls whose promise nobody holds any more are given back once V8 has collected them. Needs --expose-gc. Prints what was held before and after.
import { setImmediate as turn } from 'node:timers/promises';
import { WebAssembly as Heddle, parseWat, statistics } from '../../../dist/ts/index.js';

const { instance } = await Heddle.instantiate(
  parseWat(`(module (type $f (func)) (type $k (cont $f)) (import "env" "wait" (func $wait)) (elem declare func $inner)
    (func $inner (call $wait)) (func (export "wait") (call $wait))
    (func (export "nested") (resume $k (cont.new $k (ref.func $inner)))))`),
  { env: { wait: new Heddle.Suspending(() => new Promise(() => {})) } },
);
const count = 500;
const before = statistics();
function start() {
  for (let i = 0; i < count; i++) {
    void Heddle.promising(instance.exports.wait)();
    void Heddle.promising(instance.exports.nested)();
  }
}
start();
const waiting = statistics();
for (let i = 0; i < 50 && statistics().continuationsHeld > before.continuationsHeld; i++) {
  globalThis.gc();
  await turn();
}
const after = statistics();
console.log(
  JSON.stringify({
    held: waiting.continuationsHeld - before.continuationsHeld,
    live: waiting.continuationsLive - before.continuationsLive,
    heldAfter: after.continuationsHeld - before.continuationsHeld,
    liveAfter: after.continuationsLive - before.continuationsLive,
    stacksAfter: after.stacksLive - before.stacksLive,
  }),
);

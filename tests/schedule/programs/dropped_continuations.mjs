// Continuations of JavaScript's that nothing refers to any more are given back once V8 has collected them. Needs --expose-gc.
import { setImmediate as turn } from 'node:timers/promises';
import { Continuation, WebAssembly as Heddle, parseWat, statistics } from '../../../dist/ts/index.js';

const { instance } = await Heddle.instantiate(parseWat('(module (tag $t) (func (export "f") (suspend $t)))'));
const before = statistics();
function make() {
  for (let i = 0; i < 500; i++) {
    new Continuation(instance.exports.f);
    new Continuation(instance.exports.f).resume();
  }
}
make();
const made = statistics();
for (let i = 0; i < 50 && statistics().continuationsHeld > before.continuationsHeld; i++) {
  globalThis.gc();
  await turn();
}
const after = statistics();
console.log(
  JSON.stringify({
    held: made.continuationsHeld - before.continuationsHeld,
    heldAfter: after.continuationsHeld - before.continuationsHeld,
    liveAfter: after.continuationsLive - before.continuationsLive,
    stacksAfter: after.stacksLive - before.stacksLive,
  }),
);

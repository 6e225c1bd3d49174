// Continuations of JavaScript's that nothing refers to any more are given back once V8 has collected them. Needs --expose-gc.
import { Continuation, WebAssembly as Heddle, parseWat } from '../../../dist/heddle.mjs';
import { held } from './held.mjs';

const { instance } = await Heddle.instantiate(parseWat('(module (tag $t) (func (export "f") (suspend $t)))'));
const { made, after } = await held(() => {
  for (let i = 0; i < 500; i++) {
    new Continuation(instance.exports.f);
    new Continuation(instance.exports.f).resume();
  }
});
console.log(JSON.stringify({ held: made.held, heldAfter: after.held, liveAfter: after.live, stacksAfter: after.stacks }));

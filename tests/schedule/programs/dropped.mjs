// Calls whose promise nobody holds any more are given back once V8 has collected them. Needs --expose-gc. Prints what was held before and after.
import { WebAssembly as Heddle, parseWat } from '../../../dist/heddle.mjs';
import { held } from './held.mjs';

const { instance } = await Heddle.instantiate(
  parseWat(`(module (type $f (func)) (type $k (cont $f)) (import "env" "wait" (func $wait)) (elem declare func $inner)
    (func $inner (call $wait)) (func (export "wait") (call $wait))
    (func (export "nested") (resume $k (cont.new $k (ref.func $inner)))))`),
  { env: { wait: new Heddle.Suspending(() => new Promise(() => {})) } },
);
const { made, after } = await held(() => {
  for (let i = 0; i < 500; i++) {
    void Heddle.promising(instance.exports.wait)();
    void Heddle.promising(instance.exports.nested)();
  }
});
console.log(JSON.stringify({ held: made.held, live: made.live, heldAfter: after.held, liveAfter: after.live, stacksAfter: after.stacks }));

// Makes and drops instances, as many as the second argument says. The first is a list of words: `cross` (a second instance imports from each), `park` (each has
// a suspended continuation), `go` (which is resumed by the last of them). Prints counters and memory half way and at the end. Needs --expose-gc.
import { collect, parseWat, statistics, WebAssembly } from '../../../dist/heddle.mjs';

const FIRST = `(module (type $f (func)) (type $k (cont $f)) (tag $t (export "t"))
  (global $g (mut (ref null $k)) (ref.null $k)) (table (export "table") 2 funcref)
  (func $waits (export "waits") (suspend $t)) (elem declare func $waits)
  (func (export "park")
    (global.set $g (block $h (result (ref $k)) (resume $k (on $t $h) (cont.new $k (ref.func $waits))) (return))))
  (func (export "go") (result i32) (resume $k (global.get $g)) (i32.const 42)))`;
const SECOND = `(module (import "a" "waits" (func)) (import "a" "go" (func $go (result i32))) (import "a" "table" (table 2 funcref))
  (import "a" "t" (tag)) (import "m" "host" (func)) (func $f) (elem (i32.const 0) func $f)
  (func (export "go") (result i32) (call $go)))`;

const [words, count] = [process.argv[2].split('-'), Number(process.argv[3])];
const [first, second] = [FIRST, SECOND].map((text) => new WebAssembly.Module(parseWat(text)));
const host = () => undefined;
/** Counters once V8 and Heddle have collected, as often as one may need the other. */
async function look() {
  for (let i = 0; i < 3; i++) {
    await new Promise(setImmediate);
    globalThis.gc();
    collect();
  }
  return { ...statistics(), resident: process.memoryUsage.rss() };
}

let half;
let sum = 0;
for (let i = 1; i <= count; i++) {
  const a = new WebAssembly.Instance(first).exports;
  if (words.includes('park')) a.park();
  const { go } = words.includes('cross') ? new WebAssembly.Instance(second, { a, m: { host } }).exports : a;
  if (words.includes('go')) sum += go();
  // Node frees what N-API functions had only when the event loop turns.
  if (i % 500 === 0) await new Promise(setImmediate);
  if (i === count / 2) half = await look();
}
process.stdout.write(JSON.stringify({ half, end: await look(), sum }));

// Memories without guards whose JavaScript objects V8 collects before Heddle's collector frees what it knows of them: nobody reaches them any more, and all others
// go on. Needs --expose-gc and --disable-wasm-trap-handler. Prints what was read, and counters.
import { collect, parseWat, statistics, WebAssembly } from '../../../dist/heddle.mjs';

const COUNT = 20;
const TEXT = `(module (memory (export "memory") 1)
  (func (export "write") (param i32 i32) (i32.store (local.get 0) (local.get 1)))
  (func (export "read") (param i32) (result i32) (i32.load (local.get 0))))`;

const module = new WebAssembly.Module(parseWat(TEXT));
const make = () => new WebAssembly.Instance(module).exports;
const kept = make();
const only = make().memory;
new Int32Array(only.buffer)[4] = 7;
kept.write(16, 42);
/** Only JavaScript can still use these once a collection has found their instances gone. */
let memories = Array.from({ length: COUNT }, () => make().memory);
const turn = () => new Promise((resolve) => setTimeout(resolve, 5));
for (let i = 0; i < 4; i++) {
  await turn();
  globalThis.gc();
  collect();
}
const held = statistics().memories;
const lengths = memories.map(({ buffer }) => buffer.byteLength);
memories = undefined;
await turn();
globalThis.gc();
const before = statistics().memories;
const first = kept.read(16);
// The new ones may lie where the others lay.
const others = Array.from({ length: 2 * COUNT }, make);
for (const [i, { write }] of others.entries()) write(16, i);
collect();
collect();
const sum = others.reduce((value, { read }) => value + read(16), 0);
const after = statistics().memories;
const reached = new WebAssembly.Instance(
  new WebAssembly.Module(
    parseWat('(module (import "m" "memory" (memory 1)) (func (export "read") (param i32) (result i32) (i32.load (local.get 0))))'),
  ),
  { m: { memory: only } },
).exports.read(16);
process.stdout.write(JSON.stringify({ held, lengths, before, first, sum, after, reached, last: kept.read(16) }));

// What a collection frees is told to TypeScript by number: with accessors for indices in the prototypes, which answer with the numbers of what lives, only what is dead is freed.
import { collect, parseWat, WebAssembly } from '../../../dist/heddle.mjs';

const module = new WebAssembly.Module(
  parseWat(`(module
    (import "env" "f" (func $f (result i32)))
    (import "env" "g" (func $g (param i32) (result i32)))
    (func (export "f") (result i32) (call $f))
    (func (export "g") (param i32) (result i32) (call $g (local.get 0))))`),
);
const make = (x) => new WebAssembly.Instance(module, { env: { f: () => x, g: (y) => x + y } }).exports;
const kept = make(7);
const held = Array.from({ length: 20 }, (_, i) => make(100 + i));

/** Drops instances while `collect` asks a patched Object.prototype. */
async function round() {
  held.length = 0;
  for (let turn = 0; turn < 3; turn++) {
    globalThis.gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
  for (let i = 0; i < 60; i++)
    Object.defineProperty(Object.prototype, i, { __proto__: null, configurable: true, get: () => i % 3, set: () => {} });
  collect();
  for (let i = 0; i < 60; i++) delete Object.prototype[i];
}

const found = [];
for (let i = 0; i < 3; i++) {
  await round();
  held.push(...Array.from({ length: 20 }, (_, k) => make(200 + k)));
  found.push([kept.f(), kept.g(1), held[0].f(), held[19].g(1)]);
}
console.log(JSON.stringify(found));

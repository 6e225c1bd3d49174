// A program that calls one of two functions (`g` the other one), and then ends (`end`) or waits until the cache has an entry (`wait NAME`: that one). Prints JSON: whether the call made the function, and the names of the cache's entries.
import { readdirSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { parseWat, statistics, WebAssembly } from '../../../dist/heddle.mjs';

const text = `(module (import "m" "x" (func $x (param i32))) (tag $e (param i32))
  (func $inner (param i32) (if (local.get 0) (then (throw $e (local.get 0)))))
  (func (export "f") (param i32) (result i32)
    (block $h (result i32) (try_table (catch $e $h) (call $inner (local.get 0))) (i32.const 5)))
  (func (export "g") (call $x (i32.const 1))))`;
const { exports } = new WebAssembly.Instance(new WebAssembly.Module(parseWat(text)), { m: { x: () => undefined } });
const entries = () => readdirSync(process.env.HEDDLE_CACHE).filter((name) => /^[0-9a-f]{64}$/.test(name));
const before = statistics().codeBytes;
const [what, name] = process.argv.slice(2);
if (name === 'g') exports.g();
else if (exports.f(0) !== 5 || exports.f(7) !== 7) throw new Error('f gave something else');
const made = statistics().codeBytes > before ? 1 : 0;
const isThere = () => (what === 'wait' ? entries().includes(name) : entries().length > 0);
if (what !== 'end') while (!isThere()) await setTimeout(50);
console.log(JSON.stringify({ made, entries: entries() }));

// Built-in objects that change while a module is compiled by worker threads: `node changes.mjs`. Prints, as JSON, by when that is, whether the cache then has the same bytes as without.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseWat, WebAssembly } from '../../../dist/heddle.mjs';

const folder = process.env.HEDDLE_CACHE;
// Large enough for worker threads.
const functions = Array.from(
  { length: 400 },
  (_, i) => `(func (export "f${i}") (param i32) (result i32) ${'(i32.add (i32.const 1)'.repeat(40)} (local.get 0)${')'.repeat(40)})`,
);
const bytes = parseWat(`(module ${functions.join('')})`);

function takeCache() {
  const names = readdirSync(folder).filter((name) => /^[0-9a-f]{64}$/.test(name));
  const files = names.sort().map((name) => `${name} ${readFileSync(join(folder, name)).toString('base64')}`);
  for (const name of names) rmSync(join(folder, name));
  return files.join('\n');
}

const { push, map } = Array.prototype;
/** Loses every third value. */
let pushes = 0;
function lossy(...values) {
  return ++pushes % 3 === 0 ? this.length : push.apply(this, values);
}

takeCache();
await WebAssembly.compile(bytes);
const expected = takeCache();
const found = { size: expected.length > 10_000 };
const turns = (count) => (count === 0 ? undefined : new Promise((resolve) => setImmediate(() => resolve(turns(count - 1)))));
for (const when of [0, 1, 5, 20]) {
  const compiled = WebAssembly.compile(bytes);
  await turns(when);
  Array.prototype.push = lossy;
  Array.prototype.map = function (...args) {
    return map.apply(this, args).reverse();
  };
  try {
    const { exports } = await WebAssembly.instantiate(await compiled);
    found[`after ${when} turns`] = exports.f399(2);
  } catch (error) {
    found[`after ${when} turns`] = error.code ?? String(error);
  }
  Array.prototype.push = push;
  Array.prototype.map = map;
  found[`the same after ${when} turns`] = [expected, ''].includes(takeCache());
}
console.log(JSON.stringify(found));

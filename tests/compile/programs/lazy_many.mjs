// 2,000 modules whose functions are made at their first calls live at a time; then none does. Prints JSON: how many descriptors each step has added, how many functions gave what they should, and the bytes that the file with the code takes.
import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { collect, parseWat, WebAssembly } from '../../../dist/heddle.mjs';

const MODULES = 2000;
const folder = '/proc/self/fd';
const names = () => readdirSync(folder).flatMap((name) => (links(name) === undefined ? [] : [name]));
const links = (name) => {
  try {
    return readlinkSync(`${folder}/${name}`);
  } catch {
    return undefined; // The folder itself, which was open.
  }
};
const bytesOfCode = () => {
  const files = names().filter((name) => links(name).includes('heddle code'));
  return files.reduce((sum, name) => sum + 512 * statSync(`${folder}/${name}`).blocks, 0);
};

const make = (i) =>
  new WebAssembly.Instance(
    new WebAssembly.Module(parseWat(`(module (func (export "f") (result i32) (i32.const ${i})))`), { compile: 'lazy' }),
  );

make(0).exports.f();
const before = names().length;
let instances = [];
for (let i = 0; i < MODULES; i++) instances.push(make(i));
const right = instances.filter(({ exports }, i) => exports.f() === i).length;
const added = names().length - before;
const whileLive = bytesOfCode();
instances = [];
for (let i = 0; i < 3; i++) {
  globalThis.gc();
  await setTimeout(50);
  collect();
}
const result = { right, added, bytes: whileLive, after: bytesOfCode() };
process.stdout.write(JSON.stringify(result), () => process.exit());

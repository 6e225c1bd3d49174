// Runs one file of the JS API suite: `node child.mjs heddle|v8 SUITE FILE`. Sends what came out of its subtests to the parent, or prints it.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runInThisContext } from 'node:vm';
import { finish, globals } from './testharness.mjs';

/** The suite's scripts name each other so, as they lie in the web platform tests. */
const ROOT = '/wasm/jsapi/';

const [engine, suite, file] = process.argv.slice(2);
if (engine === 'heddle') globalThis.WebAssembly = (await import('../../dist/heddle.mjs')).WebAssembly;
for (const [name, value] of Object.entries(globals)) Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });

function run(path) {
  runInThisContext(readFileSync(path, 'utf8'), { filename: path });
}

const path = join(suite, file);
const text = readFileSync(path, 'utf8');
const scripts = [...text.matchAll(/^\/\/ META: script=(.+)$/gm)].map(([, name]) => name);
let thrown;
try {
  for (const name of scripts) run(name.startsWith(ROOT) ? join(suite, name.slice(ROOT.length)) : join(dirname(path), name));
  run(path);
} catch (error) {
  thrown = String(error?.stack ?? error);
}
const results = await finish();
if (thrown !== undefined) results.push({ name: '(the file)', ok: false, message: thrown });
if (process.send) process.send(results, () => process.exit());
else {
  for (const { name, ok, message } of results) console.log(`${ok ? 'ok  ' : 'FAIL'} ${name}${ok ? '' : `: ${message}`}`);
  process.exit();
}

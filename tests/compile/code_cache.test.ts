/** Two installations of one version, one cache: what V8 made of Heddle's JavaScript names the file that it was read from, so each has its own. Needs `npm run build`. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { root } from '../cli/command.js';

const folder = mkdtempSync(join(tmpdir(), 'heddle-code-cache-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeAll(() => {
  for (const name of ['one', 'two']) {
    mkdirSync(join(folder, name));
    cpSync(join(root, 'dist'), join(folder, name, 'dist'), { recursive: true });
    cpSync(join(root, 'package.json'), join(folder, name, 'package.json'));
    for (const other of ['build', 'codegen', 'node_modules']) symlinkSync(join(root, other), join(folder, name, other));
  }
});

const PROGRAM = `
const { parseWat, WebAssembly } = require(process.argv[1]);
const bytes = parseWat('(module $m (import "a" "f" (func $f)) (func (export "go") (call $f)))');
const module = new WebAssembly.Module(bytes);
const { exports } = new WebAssembly.Instance(module, { a: { f() { throw new Error('said'); } } });
try { exports.go(); } catch (error) { console.log(error.stack); }
`;

/** The stack of an error that goes through WebAssembly, as an installation shows it: the two lines between the import and the program. */
function frames(name: string): readonly string[] {
  const args = ['-e', PROGRAM, join(folder, name, 'dist/heddle.cjs')];
  const env = { ...process.env, HEDDLE_CACHE: join(folder, 'cache') };
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env });
  return `${stdout}${stderr}`.split('\n').filter((line) => /^Error|heddle|\(m:/.test(line));
}

test.each(['one', 'two', 'one', 'two'])('%s: no frame of Heddle, and those of WebAssembly', (name) => {
  expect(frames(name)).toEqual(['Error: said', expect.stringMatching(/^ {4}at go \(m:0x|^ {4}at go \(m:wasm-function\[1\]:0x/)]);
});

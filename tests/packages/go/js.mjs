// Runs the program that the official Go compiler made for JavaScript, by Go's own glue.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const require = createRequire(import.meta.url);
Object.assign(globalThis, { require, fs: require('node:fs'), path: require('node:path') });
require(process.argv[3]);
const folder = mkdtempSync(join(tmpdir(), 'heddle-go-'));
const go = new Go();
go.argv = ['main', join(folder, 'one')];
go.env = {};
go.exit = (status) => {
  rmSync(folder, { recursive: true });
  console.log('status', status);
};
const { instance } = await WebAssembly.instantiate(readFileSync(process.argv[2]), go.importObject);
await go.run(instance);

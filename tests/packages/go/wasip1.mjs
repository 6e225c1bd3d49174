// Runs the program that the official Go compiler made for WASI.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WASI } from 'node:wasi';

const folder = mkdtempSync(join(tmpdir(), 'heddle-go-'));
const wasi = new WASI({ version: 'preview1', args: ['main', '/files/one'], preopens: { '/files': folder }, returnOnExit: true });
const module = await WebAssembly.compile(readFileSync(process.argv[2]));
const status = wasi.start(await WebAssembly.instantiate(module, wasi.getImportObject()));
rmSync(folder, { recursive: true });
console.log('status', status);

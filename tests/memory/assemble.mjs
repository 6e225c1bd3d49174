// Modules for programs that run where address space is short: assembled and compiled by a run before, so that V8 needs no room for the compiler.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { WebAssembly as Heddle, parseWat } from '../../dist/heddle.mjs';

const folder = process.env.HEDDLE_TEST_MODULES;

/** Bytes of a text; kept in the folder that HEDDLE_TEST_MODULES names. */
export function assemble(text) {
  if (folder === undefined) return parseWat(text);
  const file = join(folder, `${createHash('sha256').update(text).digest('hex')}.wasm`);
  if (!existsSync(file)) writeFileSync(file, parseWat(text));
  return readFileSync(file);
}

/** An instance's exports. */
export function instantiate(text, imports) {
  return new Heddle.Instance(new Heddle.Module(assemble(text)), imports).exports;
}

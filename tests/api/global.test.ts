import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';

test('Heddle in the place of the global WebAssembly compiles and runs, traps included', () => {
  const program = `
    import { WebAssembly as Heddle, parseWat } from './dist/heddle.mjs';
    globalThis.WebAssembly = Heddle;
    const { instance } = await WebAssembly.instantiate(parseWat('(module (memory (export "m") 1) (func (export "f") unreachable))'));
    try { instance.exports.f(); } catch (error) { console.log(error instanceof WebAssembly.RuntimeError, instance.exports.m instanceof WebAssembly.Memory); }
  `;
  const env = { ...process.env, HEDDLE_CACHE: 'off' };
  expect(execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8', env })).toBe('true true\n');
});

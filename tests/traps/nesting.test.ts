/**
 * JavaScript and WebAssembly that call each other in turns nest on the thread's own stack: how deep, and what is at the end.
 */
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';

const entry = new URL('../../dist/heddle.mjs', import.meta.url).href;

const PROGRAM = `
import { parseWat, WebAssembly } from ${JSON.stringify(entry)};
const texts = [
  '(module (import "m" "js" (func $js)) (func (export "w") (call $js)))',
  '(module (import "m" "js" (func $js (param externref) (result externref))) (func (export "w") (param externref) (result externref) (call $js (local.get 0))))',
];
const levels = [];
for (const text of texts) {
  let count = 0;
  const { w } = new WebAssembly.Instance(new WebAssembly.Module(parseWat(text)), { m: { js: () => { count++; return w(); } } }).exports;
  for (let i = 0; i < 3; i++) {
    count = 0;
    try { w(); } catch (error) { levels.push([count, error.name]); }
  }
}
console.log(JSON.stringify(levels));
`;

test('at least 400 levels of calls without values, 280 of others, then a RangeError, each time', () => {
  const text = execFileSync(process.execPath, ['--input-type=module', '-e', PROGRAM], { encoding: 'utf8' });
  const levels = JSON.parse(text) as [number, string][];
  expect(levels.map(([, name]) => name)).toEqual(Array(6).fill('RangeError'));
  for (const [count] of levels.slice(0, 3)) expect(count).toBeGreaterThanOrEqual(400);
  for (const [count] of levels.slice(3)) expect(count).toBeGreaterThanOrEqual(280);
});

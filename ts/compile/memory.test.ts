/** A compiler thread's code generator does not keep the memory that its largest function took. */
import { expect, test } from 'vitest';
import { parseWat } from '../source/bytes.js';
import { crateSize, dropCrate } from '../source/crate.js';
import { compileSettings } from './settings.js';
import { FunctionCompiler, prepare } from './work.js';

const large = `(func (param i32) (result i32) (local.get 0) ${'(i32.add (i32.mul (local.get 0) (i32.const 7))) (call 0) '.repeat(12_000)})`;
const small = '(func (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))';

test('what compiles after a large function is the same, in a memory that is small again', () => {
  const { job } = prepare(parseWat(`(module ${small} ${large} ${small} ${large} ${small})`), compileSettings('x64', []));
  const plain = new FunctionCompiler(job);
  const expected = [0, 1, 2, 3, 4].map((i) => plain.functions(i, i + 1));
  plain.free();
  dropCrate();
  const sizes: number[] = [];
  const compiler = new FunctionCompiler(job, (bytes) => sizes.push(bytes.length));
  const before = crateSize();
  expect([0, 1, 2, 3, 4].map((i) => compiler.functions(i, i + 1))).toEqual(expected);
  compiler.free();
  // A fresh one each time that it has grown.
  expect(sizes.length).toBeGreaterThan(0);
  for (const size of sizes) expect(size).toBeGreaterThanOrEqual(16 << 20);
  expect(crateSize()).toBeLessThan(before + (16 << 20));
});

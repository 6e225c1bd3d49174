/** Arguments and results of --invoke, from end to end. ts/cli/values/parse.test.ts has what texts there are. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { heddle, output } from './command.js';

const folder = mkdtempSync(join(tmpdir(), 'heddle-values-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const module = join(folder, 'values.wat');
writeFileSync(
  module,
  `(module
    (func (export "v") (param v128) (result v128) (local.get 0))
    (func (export "f") (param f32 f32 f64) (result f32 f32 f64) (local.get 0) (local.get 1) (local.get 2))
    (func (export "r") (param externref))
    (func (export "q") (param funcref))
    (func (export "i") (param i64 i32) (result i64 i32) (local.get 0) (local.get 1)))`,
);
const lines = (name: string, ...args: string[]): string[] =>
  output(['run', '--invoke', name, module, ...args])
    .trim()
    .split('\n');

test('vectors and the bits of NaNs go in and come out', () => {
  expect(lines('v', 'v128.const f32x4 1 2 3 nan:0x1')).toEqual(['i32x4:1065353216,1073741824,1077936128,2139095041']);
  expect(lines('f', '1.1', '-nan:0x200001', 'nan:0x1')).toEqual(['1.1', '-nan:0x200001', 'nan:0x1']);
  const { status, stdout, stderr } = heddle(['run', '--invoke', 'f', module, '1e39', '1', '1']);
  expect([status, stdout, stderr]).toEqual([1, '', 'heddle: 1e39 does not fit an f32 (HEDDLE_ARGUMENT)\n']);
});

test('-- in front of arguments is none', () => {
  expect(lines('i', '--', '-5', '1_000')).toEqual(['-5', '1000']);
  expect(heddle(['run', '--invoke', 'i', module, '--', '1', '--']).stderr).toContain('"--" is not an i32');
});

test('articles and plurals are right', () => {
  expect(heddle(['run', '--invoke', 'r', module, '1']).stderr).toContain('cannot be an externref');
  expect(heddle(['run', '--invoke', 'q', module, '1']).stderr).toContain('cannot be a funcref');
  expect(heddle(['run', '--invoke', 'r', module]).stderr).toContain('r takes 1 argument, 0 given');
  expect(heddle(['run', '--invoke', 'i', module, '1']).stderr).toContain('i takes 2 arguments, 1 given');
});

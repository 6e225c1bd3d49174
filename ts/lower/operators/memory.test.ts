/**
 * What an access becomes, seen in the CLIF: a guarded memory's is no more than address and access; everything else compares with the length first.
 */
import { expect, test } from 'vitest';
import { clifText, lowerText } from '../support.test-helper.js';

const FEATURES = 1 | 4;

function comparisons(memory: string, access: string, options = {}): number {
  const lowered = lowerText(`(module (memory ${memory}) (func (param i32 i64) (result i32) ${access}))`, options, FEATURES);
  return (clifText(lowered, lowered.programs[0] as Int32Array).match(/\b(icmp|brif|trapz|trapnz)\b/g) ?? []).length;
}

test.each([
  ['1', '(i32.load (local.get 0))'],
  ['1', '(i32.load offset=4294967291 (local.get 0))'],
  ['1 1 shared', '(i32.load8_u offset=5 (local.get 0))'],
  ['1', '(i32x4.extract_lane 0 (v128.load offset=4 (local.get 0)))'],
])('guards check it: memory %s, %s', (memory, access) => {
  expect(comparisons(memory, access)).toBe(0);
  expect(comparisons(memory, access, { checked: true })).toBeGreaterThan(0);
});

test.each([
  ['1', '(i32.load offset=4294967292 (local.get 0))'],
  ['i64 1', '(i32.load (local.get 1))'],
  ['1 (pagesize 1)', '(i32.load (local.get 0))'],
  ['1 1 shared', '(i32.atomic.load8_u (local.get 0))'],
])('the code checks it: memory %s, %s', (memory, access) => {
  expect(comparisons(memory, access)).toBeGreaterThan(0);
});

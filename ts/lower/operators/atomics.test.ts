/**
 * Every atomic operator is lowered and compiled for both instruction sets, with aarch64's atomic instructions and without. What they do is tested by the specification's
 * scripts and tests/threads.
 */
import { describe, expect, test } from 'vitest';
import { compileAll, lowerText, OTHER_TARGETS } from '../support.test-helper.js';
import { ATOMICS } from './atomics.js';

const THREADS = 1;
const FORMS = [
  ['i32', ''],
  ['i64', ''],
  ['i32', '8'],
  ['i32', '16'],
  ['i64', '8'],
  ['i64', '16'],
  ['i64', '32'],
] as const;
const unsigned = (bits: string): string => (bits === '' ? '' : '_u');

const FUNCTIONS = FORMS.flatMap(([type, bits]) => [
  `(func (param i32) (result ${type}) (${type}.atomic.load${bits}${unsigned(bits)} offset=8 (local.get 0)))`,
  `(func (param i32 ${type}) (${type}.atomic.store${bits} offset=4294967288 (local.get 0) (local.get 1)))`,
  ...['add', 'sub', 'and', 'or', 'xor', 'xchg'].map(
    (name) =>
      `(func (param i32 ${type}) (result ${type}) (${type}.atomic.rmw${bits}.${name}${unsigned(bits)} (local.get 0) (local.get 1)))`,
  ),
  `(func (param i32 ${type} ${type}) (result ${type})
    (${type}.atomic.rmw${bits}.cmpxchg${unsigned(bits)} offset=16 (local.get 0) (local.get 1) (local.get 2)))`,
]).concat([
  '(func (param i32 i32) (result i32) (memory.atomic.notify (local.get 0) (local.get 1)))',
  '(func (param i32 i32 i64) (result i32) (memory.atomic.wait32 (local.get 0) (local.get 1) (local.get 2)))',
  '(func (param i32 i64 i64) (result i32) (memory.atomic.wait64 (local.get 0) (local.get 1) (local.get 2)))',
  '(func (atomic.fence))',
]);

describe('atomic operators', () => {
  test('the lists above are complete', () => expect(new Set(FUNCTIONS).size).toBe(ATOMICS.length));

  test.each([{}, { checked: true }])('compile with %j', (options) => {
    const lowered = lowerText(`(module (memory 1 1 shared) ${FUNCTIONS.join('\n')})`, options, THREADS);
    for (const size of [...compileAll(lowered), ...compileAll(lowered, OTHER_TARGETS)]) expect(size).toBeGreaterThan(0);
  });
});

/**
 * Modules on which Heddle and V8 once differed, each with a sentence that says how; and modules that show that the comparison sees what it should.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseWat } from '../../ts/index.js';
import { compare } from './compare.mjs';
import { hasObjects } from './modules.mjs';

const folder = new URL('regressions/', import.meta.url);

describe.each(readdirSync(folder))('%s', (name) => {
  const text = readFileSync(new URL(name, folder), 'utf8');

  test('says what differed', () => expect(text).toMatch(/^;; [A-Z]/));

  test.each([1, 2, 3, 4, 5])('is the same on both engines (seed %d)', (seed) => {
    expect(compare(parseWat(text), seed)).toEqual({ executions: expect.any(Number) as number });
  });
});

describe('the comparison', () => {
  // An import that does not return the same in both engines.
  test.each([
    ['a result', '(func (export "f") (result i32) (call 0))'],
    ['memory', '(memory (export "m") 1) (func (export "f") (i32.store (i32.const 100) (call 0)))'],
    ['a global', '(global (export "g") (mut i32) (i32.const 0)) (func (export "f") (global.set 1 (call 0)))'],
    [
      'a table',
      '(table (export "t") 1 2 funcref) (func (export "f") (drop (table.grow 0 (ref.null func) (i32.and (call 0) (i32.const 1)))))',
    ],
    [
      'a trap',
      '(func (export "f") (if (i32.and (call 0) (i32.const 1)) (then (unreachable))) (drop (i32.div_u (i32.const 1) (i32.const 0))))',
    ],
  ])('sees another %s', (_what, fields) => {
    const text = `(module (import "m" "f" (func (result i32))) (global (export "fuel left") (mut i32) (i32.const 0)) ${fields})`;
    const result = compare(parseWat(text), 7, (engine) => (engine === 'V8' ? 0 : 1));
    expect(result.difference).toMatch(/V8/);
  });

  // What JavaScript sees of a structure is the same in both; its field is not.
  test.runIf(hasObjects()).each([
    ['a structure', '(type $t (struct (field i32)))', '(struct.new $t (call 0))'],
    ['an array', '(type $t (array i8))', '(array.new $t (call 0) (i32.const 2))'],
    [
      'a structure in one',
      '(type $s (struct (field i16))) (type $t (struct (field (ref $s))))',
      '(struct.new $t (struct.new $s (call 0)))',
    ],
  ])('sees other contents of %s', (_what, types, made) => {
    const text = `(module ${types} (import "m" "f" (func (result i32))) (global (export "fuel left") (mut i32) (i32.const 0))
      (func (export "f") (result (ref $t)) ${made}))`;
    expect(compare(parseWat(text), 7)).toEqual({ executions: 4 });
    const result = compare(parseWat(text), 7, (engine) => (engine === 'V8' ? 0 : 1));
    expect(result.difference).toMatch(/V8: #\d+ = /);
  });
});

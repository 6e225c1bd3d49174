/** Constant expressions that make garbage-collected objects: the module is refused, at the operator's offset. */
import { describe, expect, test } from 'vitest';
import { parseWat } from '../source/bytes.js';
import { FEATURE_BITS } from '../validate/validate.js';
import { requireCompilable } from './limits.js';
import { compileSettings } from './settings.js';
import { prepare } from './work.js';

const settings = compileSettings('x64', [], { features: FEATURE_BITS });
const TYPES = '(type $s (struct (field i32))) (type $a (array i32))';

/** What is refused, with the operator's bytes (the GC proposal's binary format). */
const REFUSED: Readonly<Record<string, readonly [text: string, operator: string, bytes: readonly number[]]>> = {
  'a structure in a global': [`${TYPES} (global (ref $s) (struct.new $s (i32.const 7)))`, 'struct.new', [0xfb, 0, 0]],
  'an empty structure in a global': [`${TYPES} (global (ref $s) (struct.new_default $s))`, 'struct.new_default', [0xfb, 1, 0]],
  'an array in a global': [`${TYPES} (global (ref $a) (array.new $a (i32.const 7) (i32.const 3)))`, 'array.new', [0xfb, 6, 1]],
  'an array of zeros in a global': [`${TYPES} (global (ref $a) (array.new_default $a (i32.const 3)))`, 'array.new_default', [0xfb, 7, 1]],
  'a fixed array in a global': [`${TYPES} (global (ref $a) (array.new_fixed $a 1 (i32.const 3)))`, 'array.new_fixed', [0xfb, 8, 1, 1]],
  'an i31 in the second of two globals': ['(global i32 (i32.const 1)) (global i31ref (ref.i31 (i32.const 7)))', 'ref.i31', [0xfb, 28]],
  'a conversion in a global': ['(global externref (extern.convert_any (ref.i31 (i32.const 7))))', 'ref.i31', [0xfb, 28]],
  'the initial value of a table': ['(table 1 i31ref (ref.i31 (i32.const 7)))', 'ref.i31', [0xfb, 28]],
  'the second item of a segment behind others': [
    `(table $t 9 funcref) (table $u 9 i31ref) (func $f) (elem (table $t) (i32.const 0) func $f $f) (elem declare func $f)
     (elem (table $u) (i32.const 0) i31ref (item (ref.null i31)) (item (ref.i31 (i32.const 7))))`,
    'ref.i31',
    [0xfb, 28],
  ],
  'a passive segment': ['(elem i31ref (item (ref.i31 (i32.const 7))))', 'ref.i31', [0xfb, 28]],
};

describe('constant expressions', () => {
  test.each(Object.entries(REFUSED))('%s is refused by validation and by a compile', (_, [text, operator, bytes]) => {
    const module = parseWat(`(module ${text})`);
    const offset = Buffer.from(module).indexOf(Buffer.from(bytes));
    const error = expect.objectContaining({ name: 'CompileError', code: 'HEDDLE_UNSUPPORTED', offset });
    for (const refuse of [() => requireCompilable(module), () => prepare(module, settings)]) {
      expect(refuse).toThrow(error);
      expect(refuse).toThrow(`operator ${operator} is not supported (at offset ${offset})`);
    }
  });

  test('others are taken, whatever their immediates are', () => {
    const text = `(global $g (import "m" "g") i32) (func $f)
      (global i32 (i32.add (global.get $g) (i32.mul (i32.const 0xfb01c) (i32.const 0x000fb000)))) (global i64 (i64.const 0xfb01c000fb01c))
      (global v128 (v128.const i32x4 0xfb01c 0xfb01c 0xfb01c 0xfb01c)) (global f64 (f64.const nan:0xfb01c)) (global funcref (ref.func $f))
      (global i31ref (ref.null i31)) (table 3 funcref (ref.func $f)) (elem (i32.const 1) funcref (item (ref.func $f)) (item (ref.null func)))`;
    const module = parseWat(`(module ${text})`);
    expect(requireCompilable(module).globals).toHaveLength(6);
    expect(prepare(module, settings).job.description.globals).toHaveLength(6);
  });
});

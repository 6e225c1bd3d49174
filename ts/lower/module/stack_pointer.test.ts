import { describe, expect, test } from 'vitest';
import { parseWat } from '../../source/bytes.js';
import { withCrate } from '../../source/crate.js';
import { FEATURE_BITS, validateModule } from '../../validate/validate.js';
import { findStackPointer, type StackPointer, type StackPointerChoice, WrongStackPointer } from './stack_pointer.js';

function find(text: string, choice: StackPointerChoice = null): StackPointer {
  const bytes = parseWat(text);
  const { description } = validateModule(bytes);
  return withCrate((crate) => {
    const info = new crate.ModuleInfo(bytes, FEATURE_BITS, false);
    try {
      return findStackPointer(description, bytes, (index) => info.ops(index), choice);
    } finally {
      info.free();
    }
  });
}

const COUNTER = '(global $counter (mut i32) (i32.const 0))';
const POINTER = '(global $sp (mut i32) (i32.const 65536))';
/** What clang makes of a function with a frame, with and without optimization. */
const OPTIMIZED = `(func (local i32) (global.set $sp (local.tee 0 (i32.sub (global.get $sp) (i32.const 32))))
  (global.set $sp (i32.add (local.get 0) (i32.const 32))))`;
const PLAIN = `(func (param i32) (local i32 i32 i32)
  global.get $sp local.set 1 i32.const 48 local.set 2 local.get 1 local.get 2 i32.sub local.set 3 local.get 3 global.set $sp)`;
const ALIGNED = `(func (param i32) (local i32)
  (if (local.get 0) (then (return)))
  (global.set $sp (local.tee 1 (i32.and (i32.sub (global.get $sp) (i32.const 64)) (i32.const -64)))))`;

const found = (global: number, by: string): object => ({ kind: 'found', global, by, helpers: {} });

describe('the stack pointer', () => {
  test.each([
    ['optimized', OPTIMIZED],
    ['not optimized', PLAIN],
    ['aligned, behind an early return', ALIGNED],
    ['by an addition', '(func (global.set $sp (i32.add (global.get $sp) (i32.const -16))))'],
  ])('is what a prologue lowers: %s', (_, prologue) => {
    expect(find(`(module ${COUNTER} ${POINTER} ${prologue})`)).toEqual(found(1, 'prologues'));
  });

  test.each([
    ['a counter', '(func (global.set $sp (i32.sub (global.get $sp) (i32.const 1))))'],
    ['what only grows', '(func (global.set $sp (i32.add (global.get $sp) (i32.const 16))))'],
    ["another global's value", '(func (global.set $sp (i32.sub (global.get $counter) (i32.const 16))))'],
    ['what is not written back', '(func (drop (i32.sub (global.get $sp) (i32.const 16))))'],
    [
      'a value that went through a branch',
      '(func (global.set $sp (if (result i32) (i32.const 1) (then (global.get $sp)) (else (i32.const 0)))))',
    ],
    ['an i64', '(global $wide (mut i64) (i64.const 0)) (func (global.set $wide (i64.sub (global.get $wide) (i64.const 16))))'],
  ])('is not %s', (_, prologue) => {
    expect(find(`(module ${COUNTER} ${POINTER} ${prologue})`)).toEqual({ kind: 'none' });
  });

  test('is what is exported by its name, then what is imported, then what is named', () => {
    const other = OPTIMIZED.replaceAll('$sp', '$other');
    const rest = `(global $other (mut i32) (i32.const 0)) ${other} ${OPTIMIZED}`;
    expect(find(`(module (global $sp (export "__stack_pointer") (mut i32) (i32.const 0)) ${rest})`)).toEqual(found(0, 'export'));
    expect(find(`(module (import "env" "__stack_pointer" (global $sp (mut i32))) ${rest})`)).toEqual(found(0, 'import'));
    expect(find(`(module (global $__stack_pointer (mut i32) (i32.const 0)) ${rest.replaceAll('$sp', '$__stack_pointer')})`)).toEqual(
      found(0, 'name'),
    );
    expect(find(`(module (global $sp (mut i32) (i32.const 0)) ${rest})`)).toEqual({ kind: 'ambiguous', globals: [0, 1] });
  });

  test('is what the option says', () => {
    const text = `(module ${COUNTER} ${POINTER} (export "stack" (global $counter)) ${OPTIMIZED})`;
    expect(find(text, 0)).toEqual(found(0, 'option'));
    expect(find(text, 'stack')).toEqual(found(0, 'option'));
    expect(find(text, false)).toEqual({ kind: 'none' });
    for (const wrong of [2, 'other']) expect(() => find(text, wrong)).toThrow(WrongStackPointer);
  });

  test('of a module that switches stacks itself is looked for when asked', () => {
    const text = `(module (type $f (func)) (type $k (cont $f)) ${POINTER} ${OPTIMIZED})`;
    expect(find(text)).toEqual({ kind: 'none' });
    expect(find(text, true)).toEqual(found(0, 'prologues'));
  });

  test('is not looked for in a damaged name section', () => {
    const bytes = parseWat(`(module ${POINTER} ${OPTIMIZED} (@custom "name" "\\07\\ff\\ff\\ff\\ff\\0f\\05\\00\\80"))`);
    const { description } = validateModule(bytes);
    expect(findStackPointer(description, bytes, () => new Uint32Array(1), null)).toEqual({ kind: 'none' });
  });
});

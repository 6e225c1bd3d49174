/**
 * Which calls are replaced with their callee, seen in the CLIF: a call of function N is `fnN` there.
 */
import { describe, expect, test } from 'vitest';
import { inlinedRow, moveLocation } from '../function/locations.js';
import { clifText, compileAll, lowerText } from '../support.test-helper.js';

const TYPES = '(type $f (func)) (type $k (cont $f)) (tag $t) (tag $v (param i32) (result i32))';

/** The functions that the program of a defined function calls directly, stubs left out. */
function callees(text: string, definedIndex: number): number[] {
  const lowered = lowerText(`(module ${TYPES} ${text})`);
  compileAll(lowered);
  const clif = clifText(lowered, lowered.programs[definedIndex] as Int32Array);
  const functions = lowered.description.functions.length;
  const named = new Map([...clif.matchAll(/^ {4}(fn\d+) = .*?u0:(\d+)/gm)].map(([, name, number]) => [name, Number(number)]));
  return [...clif.matchAll(/call (fn\d+)\(/g)].map(([, name]) => named.get(name) ?? -1).filter((number) => number < functions);
}

describe('a call is replaced where the callee', () => {
  test.each([
    ['suspends', '(func $a (suspend $t))'],
    ['resumes', '(func $a (resume $k (ref.null $k)))'],
    ['throws into a continuation', '(func $a (resume_throw $k $t (ref.null $k)))'],
    ['has a loop and returns early', '(func $a (loop (suspend $t) (br_if 1 (i32.const 1)) (return)))'],
  ])('%s', (_, callee) => {
    expect(callees(`${callee} (func (call $a) (call $a))`, 1)).toEqual([]);
  });

  test('is another one in a body that was inlined', () => {
    expect(callees('(func $a (suspend $t)) (func $b (call $a) (suspend $t)) (func (call $b))', 2)).toEqual([]);
  });
});

describe('it stays a call where the callee', () => {
  test.each([
    ['switches no stack', '(func $a (drop (i32.const 0)))'],
    ['is large', `(func $a ${'(suspend $t)'.repeat(100)})`],
    ['has many locals', `(func $a (local ${'i64 '.repeat(17)}) (suspend $t))`],
    ['makes a tail call', '(func $a (suspend $t) (return_call 1))'],
  ])('%s', (_, callee) => {
    expect(callees(`${callee} (func (call $a))`, 1)).toEqual([0]);
  });

  test('is the function itself, or the one that is being inlined', () => {
    expect(callees('(func $a (suspend $t) (call $a))', 0)).toEqual([0]);
    expect(callees('(func $a (suspend $t) (call $b)) (func $b (suspend $t) (call $a)) (func (call $a))', 2)).toEqual([0]);
  });

  test('is the fifth in a row of bodies', () => {
    const row = Array.from({ length: 6 }, (_, i) => `(func (suspend $t) ${i < 5 ? `(call ${i + 1})` : ''})`).join('');
    expect(callees(row, 0)).toEqual([5]);
  });

  test('would make the caller grow without bound', () => {
    const left = callees(`(func $a (suspend $t)) (func ${'(call $a)'.repeat(1000)})`, 1);
    expect(left.length).toBeGreaterThan(500);
    expect(left.length).toBeLessThan(1000);
  });
});

test('locations name rows, and move with them', () => {
  expect([0, 5, -1, -2, -3].map(inlinedRow)).toEqual([undefined, undefined, undefined, 0, 1]);
  expect([7, -1, -2, -5].map((location) => moveLocation(location, 10))).toEqual([7, -1, -12, -15]);
});

test('each place of a body that was inlined has a row for each call: function, byte offset, the call', () => {
  const { inlined } = lowerText(`(module ${TYPES} (func $a (suspend $t)) (func (call $a) (call $a)))`);
  const [none, rows = new Int32Array(0)] = inlined;
  expect(none?.length).toBe(0);
  const [function1, offset1, call1, function2, offset2, call2] = rows;
  expect(rows.length).toBe(6);
  expect([function1, function2]).toEqual([0, 0]);
  expect(offset2).toBe(offset1);
  // `call 0` takes two bytes.
  expect(call2).toBe((call1 ?? 0) + 2);
});

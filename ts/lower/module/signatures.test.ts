import { describe, expect, test } from 'vitest';
import { lowerText } from '../support.test-helper.js';

const { signatures, spaces } = lowerText(`(module
  (type $a (func (param i32) (result funcref))) (type $b (func (param i32) (result externref))) (type $c (func (param f32)))
  (type $seven (func (result i32 i32 i32 i32 i32 i32 i64)))
  (type $nine (func (result f32 f64 f32 f32 f32 f32 f32 f32 f32)))
  (type $fits (func (result i32 i32 i32 i32 i32 i32 f32 f64 f32 f32 f32 f32 f32 f32)))
  (type $k (cont $c))
  (import "" "a" (func (type $a))) (import "" "b" (func (type $b)))
  (func (type $c)) (func (type $seven) unreachable) (func (type $c)))`).context;

describe('moduleSignatures()', () => {
  test('makes one shape of types that Cranelift cannot tell apart', () => {
    expect(signatures.shape(0)).toBe(signatures.shape(1));
    expect(signatures.shape(0)).not.toBe(signatures.shape(2));
  });

  test('passes more than 6 integers or more than 8 floats through memory', () => {
    expect([3, 4, 5].map((type) => signatures.shape(type).indirect)).toEqual([true, true, false]);
  });

  test('numbers functions, then enter and import trampolines, helpers, and the stubs last', () => {
    expect(spaces.functions.length).toBe(5);
    expect(signatures.enterTrampolines.map((t) => t.number)).toEqual([5, 6, 7]);
    expect(signatures.importTrampolines.map((t) => t.number)).toEqual([8]);
    expect(signatures.waitTrampolines.map((t) => t.number)).toEqual([9]);
    expect(signatures.lengthHelper).toBe(-1);
    expect([signatures.switchStub, signatures.hostCallStub]).toEqual([10, 11]);
    expect(signatures.functionSignatures.length).toBe(12);
  });

  test('finds the trampolines of a type', () => {
    expect([0, 1, 2, 3].map((type) => signatures.enter(type))).toEqual([5, 5, 6, 7]);
    expect(signatures.import(1)).toBe(8);
    expect(() => signatures.import(2)).toThrow('has no such trampoline');
    expect(signatures.waiting(1)).toBe(9);
  });

  test('imports whose values do not fit the mailbox and one register wait by their import trampoline', () => {
    const { signatures: own } = lowerText(`(module
      (import "" "pair" (func (result i32 i32))) (import "" "vector" (func (param v128))) (import "" "none" (func (param f64 externref))))`).context;
    expect(own.waitTrampolines.length).toBe(1);
    expect(own.waiting(0)).toBe(own.import(0));
    expect(own.waiting(1)).toBe(own.import(1));
    expect(own.waiting(2)).toBe(own.waitTrampolines[0]?.number);
  });

  test('refuses a type that is not a function type', () => {
    expect(() => signatures.shape(6)).toThrow('not a function type');
  });

  test('writes a table whose entries are as long as they say', () => {
    const words = signatures.signatures;
    let at = 1;
    for (let i = 0; i < (words[0] ?? 0); i++) at += 3 + (words[at + 1] ?? 0) + (words[at + 2] ?? 0);
    expect(at).toBe(words.length);
    expect(Math.max(...signatures.functionSignatures)).toBeLessThan(words[0] ?? 0);
  });
});

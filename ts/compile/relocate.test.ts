import { expect, test } from 'vitest';
import { offsetsOf, relocate } from './relocate.js';

const view = (code: Uint8Array): DataView => new DataView(code.buffer);

test('x86-64 calls get the distance from the end of the field, by their addend', () => {
  const code = new Uint8Array(64);
  relocate(code, Int32Array.of(8, 1, 1, -4, 40, 4, 0, -4), Int32Array.of(0, 48));
  expect(view(code).getInt32(8, true)).toBe(48 - 4 - 8);
  expect(view(code).getInt32(40, true)).toBe(0 - 4 - 40);
});

test('aarch64 calls keep their opcode and get the distance in words', () => {
  const code = new Uint8Array(128);
  view(code).setUint32(4, 0x9400_0000, true);
  view(code).setUint32(100, 0x9400_0000, true);
  relocate(code, Int32Array.of(4, 2, 1, 0, 100, 2, 0, 0), Int32Array.of(0, 96));
  expect(view(code).getUint32(4, true)).toBe((0x9400_0000 | 23) >>> 0);
  expect(view(code).getUint32(100, true)).toBe((0x9400_0000 | (-25 & 0x03ff_ffff)) >>> 0);
});

test('a call of a function without code, and a kind that needs an address, are bugs', () => {
  const code = new Uint8Array(16);
  expect(() => relocate(code, Int32Array.of(0, 1, 0, 0), Int32Array.of(-1))).toThrow(/no code/);
  expect(() => relocate(code, Int32Array.of(0, 1, 5, 0), Int32Array.of(0))).toThrow(/no code/);
  expect(() => relocate(code, Int32Array.of(0, 3, 0, 0), Int32Array.of(0))).toThrow(/kind 3/);
});

test('an aarch64 branch that is too far is refused, not cut', () => {
  expect(() => relocate(new Uint8Array(8), Int32Array.of(0, 2, 0, 0), Int32Array.of(2 ** 27))).toThrow(/branch over/);
});

test('offsetsOf knows functions by number, and stubs where they are fixed', () => {
  expect([...offsetsOf(Int32Array.of(2, 512, 9, 1, 544, 3), 5, new Map([[4, 128]]))]).toEqual([-1, 544, 512, -1, 128]);
});

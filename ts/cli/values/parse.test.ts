/** Arguments and results of --invoke as text. What floats are is what V8 makes of the same decimal, or the specification's own examples. */
import { describe, expect, test } from 'vitest';
import type { CellWords } from '../../instance/cells.js';
import { parseValue } from './parse.js';
import { showCell } from './show.js';
import { F32, F64, V128 } from './types.js';

const read = (type: number, ...texts: string[]): string[] => texts.map((text) => showCell(type, parseValue(text, type)));
const word = (text: string): number => (parseValue(text, F32)[0] ?? 0) | 0;
const long = (text: string): string => {
  const [low, high] = parseValue(text, F64);
  return String(BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low)));
};
const bits32 = (value: number): number => new Int32Array(new Float32Array([value]).buffer)[0] ?? 0;
const bits64 = (value: number): string => String(new BigInt64Array(new Float64Array([value]).buffer)[0]);

describe('vectors', () => {
  test.each([
    ['i32x4:1,2,3,4', 'i32x4:1,2,3,4'],
    ['v128.const i32x4 1 2 0x10 -4', 'i32x4:1,2,16,-4'],
    ['i32x4 1 2 3 4', 'i32x4:1,2,3,4'],
    ['i8x16:1,0,0,0,2,0,0,0,3,0,0,0,255,-1,-1,0xff', 'i32x4:1,2,3,-1'],
    ['i16x8: 1, 0, 2, 0, 3, 0, -1, 65535', 'i32x4:1,2,3,-1'],
    ['i64x2:1,-2', 'i32x4:1,0,-2,-1'],
    ['f32x4:1.5,-0,inf,0x1p-1', `i32x4:${[1.5, -0, Number.POSITIVE_INFINITY, 0.5].map(bits32).join(',')}`],
    ['f64x2:0,2', 'i32x4:0,0,0,1073741824'],
  ])('%s is %s, which is taken as well', (text, shown) => {
    expect(read(V128, text, shown)).toEqual([shown, shown]);
  });

  test.each([
    ['1', 'is not a v128: it is written as i32x4:1,2,3,4'],
    ['i32x2:1,2', 'is not a v128'],
    ['constructor:1', 'is not a v128'],
    ['i32x4:1,2,3', 'i32x4 has 4 lanes, 3 given'],
    ['i8x16:0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,256', '256 does not fit an i8'],
    ['f32x4:1,2,3,1e39', '1e39 does not fit an f32'],
    ['i32x4:1,2,3,4)', '"4)" is not an i32'],
  ])('%s is refused', (text, message) => {
    expect(() => parseValue(text, V128)).toThrow(message);
  });
});

describe('floats', () => {
  test('an f32 is printed as the shortest text that is read as the same', () => {
    const texts = ['1.1', '16777216', '3.4028235e+38', '1e-45', '-0.3', 'nan', '-nan', 'nan:0x200001', 'inf', '-inf', '0', '-0'];
    expect(read(F32, ...texts)).toEqual(texts);
    expect(read(F64, '1.1', '5e-324', '1e22')).toEqual(['1.1', '5e-324', '1e+22']);
    for (let i = 0; i < 2000; i++) {
      const cell: CellWords = [Math.imul(i, 0x9e3779b1) >>> 0, 0, 0, 0];
      expect(parseValue(showCell(F32, cell), F32)).toEqual(cell);
    }
  });

  test('are read as the text format has them, and NaNs keep their bits', () => {
    expect(['0x1.8p3', '1_0.5', 'nan', '-nan', 'nan:0x200001', '-0'].map(word)).toEqual([
      bits32(12),
      bits32(10.5),
      0x7fc00000,
      0xffc00000 | 0,
      0x7fa00001,
      0x80000000 | 0,
    ]);
    expect(['0x1p-1074', '.5', 'nan:0x1'].map(long)).toEqual(['1', bits64(0.5), String(0x7ff0_0000_0000_0001n)]);
  });

  test('an f32 is rounded once', () => {
    // The first is above the middle of 1 and the next f32 by less than an f64 can tell: rounded to an f64 first, it would become 1.
    const above = '1.00000005960464477540';
    expect([above, '1.000000059604644775390625', '1.0000000596', `-${above}`].map(word)).toEqual([
      0x3f800001,
      0x3f800000,
      0x3f800000,
      0xbf800001 | 0,
    ]);
  });

  test.each(['1e400', '-1e400', '0x1p1024'])('%s does not fit an f64', (text) => {
    expect(() => parseValue(text, F64)).toThrow(`${text} does not fit an f64`);
  });

  test.each(['', ' ', '1 2', '1)', 'nan:0', 'x', '1e', '--1'])('%j is not an f64', (text) => {
    expect(() => parseValue(text, F64)).toThrow(`${JSON.stringify(text)} is not an f64`);
  });
});

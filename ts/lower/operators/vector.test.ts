/**
 * Every vector operator is lowered and compiled for both instruction sets, relaxed ones included.
 */
import { describe, expect, test } from 'vitest';
import { clifText, compileAll, lowerText, OLDEST, OTHER_TARGETS, TARGETS } from '../support.test-helper.js';
import { VECTORS } from './vector.js';

const words = (text: string): string[] => text.trim().split(/\s+/);
const over = (types: string, names: string): string[] => words(types).flatMap((type) => words(names).map((name) => `${type}.${name}`));

const V = 'v128';
const SHAPES = 'i8x16 i16x8 i32x4 i64x2';
const FLOATS = 'f32x4 f64x2';
const LANE: Record<string, string> = { i8x16: 'i32', i16x8: 'i32', i32x4: 'i32', i64x2: 'i64', f32x4: 'f32', f64x2: 'f64' };
const laneOf = (operator: string): string => LANE[operator.split('.')[0] ?? ''] ?? 'i32';

/** Operators by what they take and give. */
const UNARY = [
  ...over(SHAPES, 'abs neg'),
  ...over(FLOATS, 'abs neg sqrt ceil floor trunc nearest'),
  ...words('i8x16.popcnt v128.not f32x4.demote_f64x2_zero f64x2.promote_low_f32x4'),
  ...over('i16x8', 'extadd_pairwise_i8x16_s extadd_pairwise_i8x16_u'),
  ...over('i32x4', 'extadd_pairwise_i16x8_s extadd_pairwise_i16x8_u'),
  ...['i16x8 i8x16', 'i32x4 i16x8', 'i64x2 i32x4'].flatMap((pair) => {
    const [to = '', from = ''] = pair.split(' ');
    return over(to, `extend_low_${from}_s extend_high_${from}_s extend_low_${from}_u extend_high_${from}_u`);
  }),
  ...over('i32x4', 'trunc_sat_f32x4_s trunc_sat_f32x4_u trunc_sat_f64x2_s_zero trunc_sat_f64x2_u_zero'),
  ...over('i32x4', 'relaxed_trunc_f32x4_s relaxed_trunc_f32x4_u relaxed_trunc_f64x2_s_zero relaxed_trunc_f64x2_u_zero'),
  ...words('f32x4.convert_i32x4_s f32x4.convert_i32x4_u f64x2.convert_low_i32x4_s f64x2.convert_low_i32x4_u'),
];
const BINARY = [
  ...over('i8x16 i16x8 i32x4', 'eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u add sub min_s min_u max_s max_u'),
  ...over('i64x2', 'eq ne lt_s gt_s le_s ge_s add sub mul'),
  ...over(FLOATS, 'eq ne lt gt le ge add sub mul div min max pmin pmax relaxed_min relaxed_max'),
  ...over('i8x16 i16x8', 'add_sat_s add_sat_u sub_sat_s sub_sat_u avgr_u'),
  ...words('i16x8.mul i32x4.mul i16x8.q15mulr_sat_s i32x4.dot_i16x8_s i8x16.swizzle'),
  ...words('i8x16.narrow_i16x8_s i8x16.narrow_i16x8_u i16x8.narrow_i32x4_s i16x8.narrow_i32x4_u'),
  ...['i16x8 i8x16', 'i32x4 i16x8', 'i64x2 i32x4'].flatMap((pair) => {
    const [to = '', from = ''] = pair.split(' ');
    return over(to, `extmul_low_${from}_s extmul_high_${from}_s extmul_low_${from}_u extmul_high_${from}_u`);
  }),
  ...over('v128', 'and andnot or xor'),
  ...words('i8x16.relaxed_swizzle i16x8.relaxed_q15mulr_s i16x8.relaxed_dot_i8x16_i7x16_s'),
];
const TERNARY = [
  'v128.bitselect',
  ...over(FLOATS, 'relaxed_madd relaxed_nmadd'),
  ...over(SHAPES, 'relaxed_laneselect'),
  'i32x4.relaxed_dot_i8x16_i7x16_add_s',
];
const TESTS = [...over(SHAPES, 'all_true bitmask'), 'v128.any_true'];
const SHIFTS = over(SHAPES, 'shl shr_s shr_u');
const SPLATS = over(`${SHAPES} ${FLOATS}`, 'splat');
const EXTRACTS = [...over('i8x16 i16x8', 'extract_lane_s extract_lane_u'), ...over(`i32x4 i64x2 ${FLOATS}`, 'extract_lane')];
const REPLACES = over(`${SHAPES} ${FLOATS}`, 'replace_lane');
const LOADS = over(
  'v128',
  'load load8x8_s load8x8_u load16x4_s load16x4_u load32x2_s load32x2_u load8_splat load16_splat load32_splat load64_splat load32_zero load64_zero',
);
const LANE_LOADS = over('v128', 'load8_lane load16_lane load32_lane load64_lane');
const LANE_STORES = over('v128', 'store8_lane store16_lane store32_lane store64_lane');

const get = (i: number): string => `(local.get ${i})`;
const func = (params: string, result: string, body: string): string => `(func (param ${params}) ${result && `(result ${result})`} ${body})`;

const FUNCTIONS = [
  ...UNARY.map((op) => func(V, V, `(${op} ${get(0)})`)),
  ...BINARY.map((op) => func(`${V} ${V}`, V, `(${op} ${get(0)} ${get(1)})`)),
  ...TERNARY.map((op) => func(`${V} ${V} ${V}`, V, `(${op} ${get(0)} ${get(1)} ${get(2)})`)),
  ...TESTS.map((op) => func(V, 'i32', `(${op} ${get(0)})`)),
  ...SHIFTS.map((op) => func(`${V} i32`, V, `(${op} ${get(0)} ${get(1)})`)),
  ...SPLATS.map((op) => func(laneOf(op), V, `(${op} ${get(0)})`)),
  ...EXTRACTS.map((op) => func(V, laneOf(op), `(${op} 1 ${get(0)})`)),
  ...REPLACES.map((op) => func(`${V} ${laneOf(op)}`, V, `(${op} 1 ${get(0)} ${get(1)})`)),
  ...LOADS.map((op) => func('i32', V, `(${op} offset=3 ${get(0)})`)),
  ...LANE_LOADS.map((op) => func(`i32 ${V}`, V, `(${op} offset=3 1 ${get(0)} ${get(1)})`)),
  ...LANE_STORES.map((op) => func(`i32 ${V}`, '', `(${op} offset=3 1 ${get(0)} ${get(1)})`)),
  func(`i32 ${V}`, '', `(v128.store ${get(0)} ${get(1)})`),
  func(`${V} ${V}`, V, `(i8x16.shuffle 0 31 1 30 2 29 3 28 4 27 5 26 6 25 7 24 ${get(0)} ${get(1)})`),
];

describe('vector operators', () => {
  test('the lists above are complete', () => expect(new Set(FUNCTIONS).size).toBe(VECTORS.length));

  test.each([{}, { checked: true }])('compile with %j', (options) => {
    for (const size of compileAll(lowerText(`(module (memory 1) ${FUNCTIONS.join('\n')})`, options))) expect(size).toBeGreaterThan(0);
  });

  test('compile without SSE4.1 and SSSE3, with nothing that is called', () => {
    for (const size of compileAll(lowerText(`(module (memory 1) ${FUNCTIONS.join('\n')})`, OLDEST), OTHER_TARGETS))
      expect(size).toBeGreaterThan(0);
  });

  test('compile with fused products where the CPU has them', () => {
    const text = `(module ${['f32x4', 'f64x2'].map((type) => func(`${V} ${V} ${V}`, V, `(${type}.relaxed_nmadd ${get(0)} ${get(1)} ${get(2)})`)).join('\n')})`;
    const lowered = lowerText(text, { fuses: true });
    const targets = [{ triple: 'x86_64-unknown-linux-gnu', settings: 'has_avx,has_fma' }, TARGETS[1]];
    for (const size of compileAll(lowered, targets)) expect(size).toBeGreaterThan(0);
    expect(lowered.programs.map((program) => clifText(lowered, program)).join('')).toMatch(/= fma /);
  });

  test('a test is a condition, not a number', () => {
    const text = `(module (func (param ${V}) (result i32) (if (result i32) (v128.any_true ${get(0)}) (then (i32.eqz (i32x4.all_true ${get(0)}))) (else (i32.const 2)))))`;
    for (const size of compileAll(lowerText(text))) expect(size).toBeGreaterThan(0);
  });
});

// Modules of loads and stores of every width, and which of them are inside a memory: arithmetic on bigints, nothing of an engine.

/** Instruction, value type, bytes. */
export const LOADS = [
  ['i32.load8_s', 'i32', 1],
  ['i32.load8_u', 'i32', 1],
  ['i32.load16_s', 'i32', 2],
  ['i32.load16_u', 'i32', 2],
  ['i32.load', 'i32', 4],
  ['i64.load8_s', 'i64', 1],
  ['i64.load8_u', 'i64', 1],
  ['i64.load16_s', 'i64', 2],
  ['i64.load16_u', 'i64', 2],
  ['i64.load32_s', 'i64', 4],
  ['i64.load32_u', 'i64', 4],
  ['i64.load', 'i64', 8],
  ['f32.load', 'f32', 4],
  ['f64.load', 'f64', 8],
];
export const STORES = [
  ['i32.store8', 'i32', 1],
  ['i32.store16', 'i32', 2],
  ['i32.store', 'i32', 4],
  ['i64.store8', 'i64', 1],
  ['i64.store16', 'i64', 2],
  ['i64.store32', 'i64', 4],
  ['i64.store', 'i64', 8],
  ['f32.store', 'f32', 4],
  ['f64.store', 'f64', 8],
];
/** Vectors come and go as two i64. */
export const VECTORS = [
  ['v128.load', 16],
  ['v128.load8x8_s', 8],
  ['v128.load8_splat', 1],
  ['v128.load16_splat', 2],
  ['v128.load32_splat', 4],
  ['v128.load64_splat', 8],
  ['v128.load32_zero', 4],
  ['v128.load64_zero', 8],
];

export const OFFSETS = [
  0, 1, 7, 8, 0xffff, 0x1_0000, 0x1_0001, 0x7fff_ffff, 0x8000_0000, 0xffff_0000, 0xffff_fff0, 0xffff_fff8, 0xffff_fffc, 0xffff_ffff,
];

const hex = (n) => `0x${n.toString(16)}`;

/** Exports "<instruction> <offset>" of every access. `memory` says which one, and what stands before it. */
export function accessModule({ limits, prefix = '', name = '' }) {
  const fields = [];
  for (const offset of OFFSETS) {
    const at = `${name} offset=${hex(offset)}`;
    for (const [op, type] of LOADS)
      fields.push(`(func (export "${op} ${offset}") (param i32) (result ${type}) (${op} ${at} (local.get 0)))`);
    for (const [op, type] of STORES)
      fields.push(`(func (export "${op} ${offset}") (param i32 ${type}) (${op} ${at} (local.get 0) (local.get 1)))`);
    for (const [op] of VECTORS) {
      fields.push(`(func (export "${op} ${offset}") (param i32) (result i64) (i64x2.extract_lane 0 (${op} ${at} (local.get 0))))`);
    }
    fields.push(`(func (export "v128.store ${offset}") (param i32 i64) (v128.store ${at} (local.get 0) (i64x2.splat (local.get 1))))`);
  }
  return `(module ${prefix} (import "m" "memory" (memory $m ${limits}))
    ${fields.join('\n    ')}
    (func (export "size") (result i32) (memory.size ${name})) (func (export "grow") (param i32) (result i32) (memory.grow ${name} (local.get 0)))
    (data $d "abcdefgh")
    (func (export "fill") (param i32 i32 i32) (memory.fill ${name} (local.get 0) (local.get 1) (local.get 2)))
    (func (export "copy") (param i32 i32 i32) (memory.copy ${name} ${name} (local.get 0) (local.get 1) (local.get 2)))
    (func (export "init") (param i32 i32 i32) (memory.init ${name} $d (local.get 0) (local.get 1) (local.get 2))))`;
}

/** Indices at which an access of a width and offset is just inside, just outside, and far away. */
export function indicesFor(bytes, offset, width) {
  const edge = bytes - offset - width;
  const near = [-9, -1, 0, 1, 2, width - 1, width, 4096].map((d) => edge + d);
  const all = [
    ...near,
    0,
    1,
    bytes - 1,
    bytes,
    bytes + 1,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_fff8,
    0xffff_fffe,
    0xffff_ffff,
    0x1_0000_0000 - offset,
  ];
  return [...new Set(all.filter((i) => i >= 0 && i <= 0xffff_ffff))];
}

/** Whether an access is inside: the effective address has 33 bits and never wraps. */
export function isInside(bytes, index, offset, width) {
  return BigInt(index) + BigInt(offset) + BigInt(width) <= BigInt(bytes);
}

/** Floats as text. NaNs keep their bits, which JavaScript's numbers do not promise. */

const view = new DataView(new ArrayBuffer(8));

/** The same number as an f32's bits; of a number beyond them, infinity's. */
export function singleBits(value: number): number {
  view.setFloat32(0, value);
  return view.getUint32(0);
}

/** The f32 of bits. */
export function single(bits: number): number {
  view.setUint32(0, bits);
  return view.getFloat32(0);
}

/** Bits of infinity, by the bits of a float. */
export const INFINITE = { 32: 0x7f80_0000n, 64: 0x7ff0_0000_0000_0000n } as const;
/** The bit that makes a NaN a quiet one. */
export const QUIET = { 32: 0x40_0000n, 64: 0x8_0000_0000_0000n } as const;

/** A float's bits as the shortest text that is read as the same. */
export function floatText(bits: bigint, size: 32 | 64): string {
  const sign = bits >> BigInt(size - 1) === 1n ? '-' : '';
  const rest = BigInt.asUintN(size - 1, bits);
  if (rest === INFINITE[size]) return `${sign}inf`;
  if (rest > INFINITE[size]) {
    const payload = rest - INFINITE[size];
    return payload === QUIET[size] ? `${sign}nan` : `${sign}nan:0x${payload.toString(16)}`;
  }
  if (rest === 0n) return `${sign}0`;
  if (size === 32) return shortestSingle(single(Number(bits)));
  view.setBigUint64(0, bits);
  return String(view.getFloat64(0));
}

/** Digits that every f32 can be told by. */
const MOST_DIGITS = 9;

function shortestSingle(value: number): string {
  for (let digits = 1; digits < MOST_DIGITS; digits++) {
    const near = Number(value.toPrecision(digits));
    if (Math.fround(near) === value) return String(near);
  }
  return String(Number(value.toPrecision(MOST_DIGITS)));
}

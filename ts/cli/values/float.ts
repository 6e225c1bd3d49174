/** Floats as text and as bits. NaNs keep theirs, which JavaScript's numbers do not promise. */
import { wrongArgument } from '../../errors/catalog.js';
import { parseWat } from '../../source/bytes.js';
import { INFINITE, QUIET, single, singleBits } from '../../wast/float_text.js';

const view = new DataView(new ArrayBuffer(8));

/** The bits of a float in decimal or as the text format has it: `0x1.8p3`, `inf`, `nan`, `nan:0x200000`. Throws a TypeError with code HEDDLE_ARGUMENT. */
export function floatBits(text: string, bits: 32 | 64): bigint {
  const special = /^([+-]?)(?:(inf|infinity)|nan)$/i.exec(text);
  if (special !== null) {
    const sign = special[1] === '-' ? 1n << BigInt(bits - 1) : 0n;
    return sign | INFINITE[bits] | (special[2] === undefined ? QUIET[bits] : 0n);
  }
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return assembled(text, bits);
  const value = Number(text);
  if (!Number.isFinite(value) || (bits === 32 && !Number.isFinite(Math.fround(value)))) throw tooLarge(text, bits);
  if (bits === 32) return isMidway(value) ? assembled(text, bits) : BigInt(singleBits(value));
  view.setFloat64(0, value);
  return view.getBigUint64(0);
}

/** Whether a number is as far from one f32 as from the next: then the text may have been rounded to it, and would be rounded twice. */
function isMidway(value: number): boolean {
  const near = Math.fround(value);
  if (near === value) return false;
  const bits = singleBits(near);
  // One further from zero, or one nearer to it.
  const other = single(Math.abs(near) < Math.abs(value) ? bits + 1 : bits - 1);
  return Math.abs(value - near) === Math.abs(other - value);
}

const tooLarge = (text: string, bits: number): Error => wrongArgument(`${text} does not fit an f${bits}`);

/** As the assembler reads it. */
function assembled(text: string, bits: 32 | 64): bigint {
  const type = `f${bits}`;
  const literal = text.replace(/^([+-]?)\./, '$10.');
  if (!/^[+-]?(\d|nan:0x)[\w.+-]*$/.test(literal)) throw wrongArgument(`${JSON.stringify(text)} is not an ${type}`);
  let bytes: Uint8Array;
  try {
    bytes = parseWat(`(module (global ${type} (${type}.const ${literal})))`);
  } catch (error) {
    if (error instanceof Error && error.message.includes('out of range')) throw tooLarge(text, bits);
    throw wrongArgument(`${JSON.stringify(text)} is not an ${type}`);
  }
  // The constant is the last but for the byte that ends the expression.
  const at = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 1 - bits / 8);
  return bits === 32 ? BigInt(at.getUint32(0, true)) : at.getBigUint64(0, true);
}

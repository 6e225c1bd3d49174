/** Relocations: every target lies in the module's own code, so they are resolved when all of it is placed. */
import { internal } from '../errors/catalog.js';
import { word } from './part.js';

/** Kinds of contract/formats.md, section 6. */
export const X86_CALL = 1;
export const ARM64_CALL = 2;
const X86_RELATIVE = 4;

/**
 * Writes the targets' distances into the code.
 * @param offsets where each function number lies, -1 for one that has no code
 * @param place where this code itself begins, counted as they are
 */
export function relocate(code: Uint8Array, relocations: Int32Array, offsets: Int32Array, place = 0): void {
  const view = new DataView(code.buffer, code.byteOffset, code.byteLength);
  for (let i = 0; i < relocations.length; i += 4) {
    const at = word(relocations, i);
    const kind = word(relocations, i + 1);
    const target = offsets[word(relocations, i + 2)];
    if (target === undefined || target < 0) throw internal(`function ${word(relocations, i + 2)} is called but has no code`);
    const distance = target + word(relocations, i + 3) - (at + place);
    if (kind === X86_CALL || kind === X86_RELATIVE) view.setInt32(at, distance, true);
    else if (kind === ARM64_CALL) branch26(view, at, distance);
    else throw internal(`relocation of kind ${kind} at ${at}`);
  }
}

/** The 26-bit word distance of an aarch64 `bl` or `b`. */
function branch26(view: DataView, at: number, distance: number): void {
  if (distance % 4 !== 0 || distance < -(2 ** 27) || distance >= 2 ** 27) throw internal(`branch over ${distance} bytes at ${at}`);
  view.setUint32(at, ((view.getUint32(at, true) & 0xfc00_0000) | ((distance >> 2) & 0x03ff_ffff)) >>> 0, true);
}

/** Where each function number lies. `fixed` are those outside the functions' table: stubs and imports without code. */
export function offsetsOf(functions: Int32Array, count: number, fixed: ReadonlyMap<number, number>): Int32Array {
  const offsets = new Int32Array(count).fill(-1);
  for (let i = 0; i < functions.length; i += 3) offsets[word(functions, i)] = word(functions, i + 1);
  for (const [number, offset] of fixed) offsets[number] = offset;
  return offsets;
}

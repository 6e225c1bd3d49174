/**
 * Where the fields of structures and the elements of arrays lie: behind the head (`VMObject`), in their order, each aligned to its size, a v128 to 8 bytes. So
 * the layout of a subtype begins with that of its supertype.
 *
 * Nothing here asks what a program can patch: it serves the registry of types.
 */
import { VMObject } from '../generated/abi.js';

/** Storage types of packed fields. */
export const PACKED_I8 = 0x78;
/** See {@link PACKED_I8}. */
export const PACKED_I16 = 0x77;

const REFERENCE = 0x8000_0000;
const WORD = 8;
/** Words of a structure that have a bit of their own in {@link ObjectLayout}; the last bit says that every word may be a reference. */
const WORDS = 63;

/** Binary logarithm of the bytes of a storage type: a value type, or a packed one. */
export function storageSizeLog2(storage: number): number {
  switch (storage) {
    case PACKED_I8:
      return 0;
    case PACKED_I16:
      return 1;
    case 0x7f:
    case 0x7d:
      return 2;
    case 0x7b:
      return 4;
    default:
      return 3;
  }
}

/** A structure's layout. */
export interface ObjectLayout {
  /** Bytes with the head. */
  readonly bytes: number;
  /** Which of its words are references: `VMType.references`, in halves. */
  readonly low: number;
  readonly high: number;
}

/**
 * The layout of a structure, from the words of its type that begin with the number of its fields (contract/formats.md, section 2). `place` is told each field's
 * offset in the object, in order.
 */
export function structLayout(words: Uint32Array, at: number, place?: (offset: number) => void): ObjectLayout {
  const count = words[at] ?? 0;
  let bytes: number = VMObject.$size;
  let low = 0;
  let high = 0;
  for (let i = 0; i < count; i++) {
    const storage = words[at + 1 + 2 * i] ?? 0;
    const size = 1 << storageSizeLog2(storage);
    const alignment = size > WORD ? WORD : size;
    bytes = (bytes + alignment - 1) & -alignment;
    place?.(bytes);
    if (storage >= REFERENCE) {
      const word = bytes / WORD;
      if (word < 32) low |= 1 << word;
      else if (word < WORDS) high |= 1 << (word - 32);
      else high |= 1 << 31;
    }
    bytes += size;
  }
  return { bytes: (bytes + WORD - 1) & -WORD, low: low >>> 0, high: high >>> 0 };
}

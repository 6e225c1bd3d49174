/**
 * HalfSipHash-1-3 over words. Its key is the process's own, so that no module can choose types that fall on each other.
 */
import { random } from '../base/digest.js';

let key0 = 0;
let key1 = 0;
let isKeyed = false;

/** Makes the key, when the first words are hashed: the addon, which has random bytes, is there by then. */
function makeKey(): void {
  const bytes = random(8);
  for (let i = 0; i < 4; i++) {
    key0 = (key0 << 8) | (bytes[i] ?? 0);
    key1 = (key1 << 8) | (bytes[4 + i] ?? 0);
  }
  isKeyed = true;
}

/** The hash of the words from `start` up to `end`, as a signed 32-bit number. */
export function hashWords(words: Uint32Array, start: number, end: number): number {
  if (!isKeyed) makeKey();
  let v0 = key0;
  let v1 = key1;
  let v2 = key0 ^ 0x6c79_6765;
  let v3 = key1 ^ 0x7465_6462;
  // One more turn for the length, then three to finish, with no word.
  for (let i = start; i < end + 4; i++) {
    const word = i < end ? (words[i] ?? 0) | 0 : i === end ? end - start : 0;
    if (i === end + 1) v2 ^= 0xff;
    v3 ^= word;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= word;
  }
  return v1 ^ v3;
}

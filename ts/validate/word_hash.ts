/**
 * HalfSipHash-1-3 over words. Its key is the process's own, so that no module can choose types that fall on each other.
 */
import { randomBytes } from 'node:crypto';

const secret = randomBytes(8);
const KEY0 = secret.readInt32LE(0);
const KEY1 = secret.readInt32LE(4);

/** The hash of the words from `start` up to `end`, as a signed 32-bit number. */
export function hashWords(words: Uint32Array, start: number, end: number): number {
  let v0 = KEY0;
  let v1 = KEY1;
  let v2 = KEY0 ^ 0x6c79_6765;
  let v3 = KEY1 ^ 0x7465_6462;
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

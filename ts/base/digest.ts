/**
 * Hashes, by what Node's crypto module was when Heddle was loaded.
 */
import { createHash, createHmac, type Hash, type Hmac, timingSafeEqual } from 'node:crypto';
import { Bytes, getPrototypeOf, typedLength, typedSet, uncurried } from './intrinsics.js';

const newHash: (name: string) => Hash = createHash;
const newHmac: (name: string, secret: Uint8Array) => Hmac = createHmac;
const sameInTime: (a: Uint8Array, b: Uint8Array) => boolean = timingSafeEqual;
const hashMethods = getPrototypeOf(createHash('sha256')) as Hash;
const hmacMethods = getPrototypeOf(createHmac('sha256', 'key')) as Hmac;
const hashUpdate = uncurried(hashMethods.update);
const hashDigest = uncurried(hashMethods.digest);
const hmacUpdate = uncurried(hmacMethods.update);
const hmacDigest = uncurried(hmacMethods.digest);

type Part = Uint8Array | string;

/** SHA-256 of what a list has, one after another. */
export function sha256OfAll(parts: readonly Part[]): Buffer {
  const hash = newHash('sha256');
  for (let i = 0; i < parts.length; i++) hashUpdate(hash, parts[i]);
  return hashDigest(hash) as Buffer;
}

/** SHA-256 of some byte ranges, one after another. */
export function sha256(...parts: readonly Part[]): Buffer {
  return sha256OfAll(parts);
}

/** HMAC-SHA256 of some byte ranges, one after another. */
export function hmac(secret: Uint8Array, ...parts: readonly Part[]): Buffer {
  const code = newHmac('sha256', secret);
  for (let i = 0; i < parts.length; i++) hmacUpdate(code, parts[i]);
  return hmacDigest(code) as Buffer;
}

const DIGITS = '0123456789abcdef';

/** Bytes in hexadecimal. */
export function hex(bytes: Uint8Array): string {
  let text = '';
  const count = typedLength(bytes);
  for (let i = 0; i < count; i++) {
    const byte = bytes[i] as number;
    text += (DIGITS[byte >> 4] as string) + (DIGITS[byte & 15] as string);
  }
  return text;
}

/** Whether two byte ranges are equal. How long it takes tells their lengths only. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return typedLength(a) === typedLength(b) && sameInTime(a, b);
}

/** Byte ranges one behind the other. */
export function concatenated(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let size = 0;
  for (let i = 0; i < parts.length; i++) size += typedLength(parts[i] as Uint8Array);
  const made = new Bytes(size);
  let at = 0;
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i] as Uint8Array;
    typedSet(made, part, at);
    at += typedLength(part);
  }
  return made;
}

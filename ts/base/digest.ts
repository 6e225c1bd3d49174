/**
 * Hashes and random bytes. They are the addon's once it is loaded: Node takes 4 to 10 ms to load its crypto module, which is there for when the addon is not, or finds no OpenSSL.
 */
import { append, apply, Bytes, copied, each, joinedLists, typedLength, typedSet, utf8 } from './intrinsics.js';
import { nodeRandom, nodeSha256 } from './node_digest.js';

/** What the addon has of it (ts/link/native.ts); undefined where it cannot. */
export interface NativeDigest {
  sha256(...parts: Uint8Array[]): ArrayBuffer | undefined;
  random(size: number): ArrayBuffer | undefined;
}

/** A buffer's bytes. */
const viewed: (buffer: ArrayBuffer) => Buffer = Buffer.from;

let native: NativeDigest | undefined;

/** From here on they are the addon's. */
export function useNativeDigest(digest: NativeDigest): void {
  native = digest;
}

type Part = Uint8Array | string;

/** SHA-256 of what a list has, one after another. */
export function sha256OfAll(parts: readonly Part[]): Buffer {
  const pieces: Uint8Array[] = [];
  each(parts, (part) => append(pieces, typeof part === 'string' ? utf8(part) : part));
  return nativeSha256(pieces) ?? nodeSha256(pieces);
}

/** SHA-256 of some byte ranges, one after another. */
export function sha256(...parts: readonly Part[]): Buffer {
  return sha256OfAll(parts);
}

/** The addon takes 8 ranges. */
function nativeSha256(pieces: readonly Uint8Array[]): Buffer | undefined {
  if (native === undefined) return undefined;
  const hash = apply(native.sha256, native, pieces.length <= 8 ? pieces : [concatenated(pieces)]) as ArrayBuffer | undefined;
  return hash && viewed(hash);
}

/** Bytes that nobody can foresee, at most 256. */
export function random(size: number): Uint8Array {
  const bytes = native?.random(size);
  return bytes === undefined ? nodeRandom(size) : new Bytes(bytes);
}

/** A block of SHA-256, in bytes. */
const BLOCK = 64;

/** HMAC-SHA256 of some byte ranges, one after another (RFC 2104). */
export function hmac(secret: Uint8Array, ...parts: readonly Part[]): Buffer {
  const key = new Bytes(BLOCK);
  typedSet(key, typedLength(secret) > BLOCK ? sha256(secret) : secret);
  const inner = copied(key);
  for (let i = 0; i < BLOCK; i++) {
    (inner[i] as number) ^= 0x36;
    (key[i] as number) ^= 0x5c;
  }
  return sha256(key, sha256OfAll(joinedLists<Part>([inner], parts)));
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
  const count = typedLength(a);
  if (typedLength(b) !== count) return false;
  let difference = 0;
  for (let i = 0; i < count; i++) difference |= (a[i] as number) ^ (b[i] as number);
  return difference === 0;
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

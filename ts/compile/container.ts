/**
 * A file whose contents are checked before they are used: 8 bytes mark, 8 bytes payload length, 32 bytes key, 32 bytes SHA-256 of key and payload,
 * 32 bytes seal or zeros, zeros up to 128, payload. The seal says who wrote the file: it is HMAC-SHA256 over what is before it, and with that, by the hash, over all.
 */
import { equalBytes, hmac, sha256, sha256OfAll } from '../base/digest.js';

export { sha256 };

const MARK = Buffer.from('HEDDLE\x00\x01', 'latin1');
/** Bytes before the payload. */
export const HEADER = 128;
const LENGTH_AT = 8;
const KEY_AT = 16;
const HASH_AT = 48;
const SEAL_AT = 80;
const SEAL_END = 112;

function sealOf(header: Uint8Array, secret: Uint8Array): Uint8Array {
  return hmac(secret, 'heddle file\n', header.subarray(0, SEAL_AT));
}

/** The pieces of a file, to be written one after another. `key` has 32 bytes; the file is sealed where there is a secret. */
export function pack(key: Uint8Array, payload: readonly Uint8Array[], secret?: Uint8Array): Uint8Array[] {
  const header = Buffer.alloc(HEADER);
  MARK.copy(header);
  header.writeBigUInt64LE(BigInt(payload.reduce((sum, part) => sum + part.length, 0)), LENGTH_AT);
  header.set(key, KEY_AT);
  header.set(sha256OfAll([key, ...payload]), HASH_AT);
  if (secret !== undefined) header.set(sealOf(header, secret), SEAL_AT);
  return [header, ...payload];
}

/** Whether bytes begin as a container does. */
export function isContainer(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, MARK.length - 1)).equals(MARK.subarray(0, -1));
}

/** Whether a file was sealed with a secret. That holds for the payload where {@link unpack} finds its hash right. */
export function isSealed(file: Uint8Array, secret: Uint8Array): boolean {
  return file.length >= HEADER && equalBytes(file.subarray(SEAL_AT, SEAL_END), sealOf(file, secret));
}

/**
 * Key and payload of a file, where every byte that counts is as it was written. The payload begins at a multiple of 16 bytes in its buffer, if the
 * file does.
 */
export function unpack(file: Uint8Array): { readonly key: Uint8Array; readonly payload: Uint8Array } | undefined {
  if (file.length < HEADER) return undefined;
  const header = Buffer.from(file.buffer, file.byteOffset, HEADER);
  const payload = new Uint8Array(file.buffer, file.byteOffset + HEADER, file.length - HEADER);
  const key = header.subarray(KEY_AT, HASH_AT);
  if (!header.subarray(0, LENGTH_AT).equals(MARK) || header.readBigUInt64LE(LENGTH_AT) !== BigInt(payload.length)) return undefined;
  if (!header.subarray(HASH_AT, HASH_AT + 32).equals(sha256(key, payload))) return undefined;
  return { key, payload };
}

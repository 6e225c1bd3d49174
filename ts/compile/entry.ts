/**
 * One entry of the cache in an open file. Where the addon helps, a large one is not read but mapped: what is run of it is the system's one copy of the file,
 * and tables that nobody looks at are never in memory (docs/decisions/0023).
 *
 * With the addon an entry is: 8 bytes mark, 8 bytes payload length, 32 bytes key, 32 bytes SHA-256 of what is before it and the sum of what is behind the header
 * (native/base/sum.h), zeros up to 128, payload. Without, it is a file as in container.ts. Each process looks at the whole of an entry once before it uses it.
 */
import { fstatSync, readSync, writeSync } from 'node:fs';
import { equalBytes, sha256 } from '../base/digest.js';
import { HEADER, pack, unpack } from './container.js';
import { contents } from './own_files.js';

/** What the addon does with open files (ts/link/native.ts). */
export interface FileAccess {
  mapFile(file: number, size: number): ArrayBuffer | undefined;
  sumFile(file: number, start: number, end: number): ArrayBuffer | undefined;
  readEntry(folder: string, key: Uint8Array, most: number): Uint8Array | undefined | false;
}

const MARK = Buffer.from('HEDDLE\x00\x02', 'latin1');
const LENGTH_AT = 8;
const KEY_AT = 16;
const HASH_AT = 48;
const HASH_END = 80;
/** Smaller entries are faster read than mapped. */
export const WORTH_MAPPING = 1 << 18;
/** How many files are remembered as whole. */
const MOST_KNOWN = 4096;

/** The files that this thread has found whole, by what tells one from another and from what it was before. */
const whole = new Set<string>();

/** The payload of an entry, at a multiple of 16 bytes in its buffer, where it is the key's and all of it is as it was written. */
export function readEntry(file: number, key: Uint8Array, access: FileAccess | undefined): Uint8Array | undefined {
  const { dev, ino, size: long, mtimeNs, ctimeNs } = fstatSync(file, { bigint: true });
  const size = Number(long);
  if (size < HEADER) return undefined;
  const isLarge = size >= WORTH_MAPPING && access !== undefined;
  const read = isLarge ? start(file) : contents(file);
  if (read === undefined || read.length < HEADER) return undefined;
  const header = Buffer.from(read.buffer, read.byteOffset, HEADER);
  if (!header.subarray(0, LENGTH_AT).equals(MARK)) return readContainer(isLarge ? contents(file) : read, key);
  if (access === undefined || !isHeader(header, key, size - HEADER)) return undefined;
  const identity = `${dev} ${ino} ${long} ${mtimeNs} ${ctimeNs}`;
  if (!whole.has(identity)) {
    if (!isWhole(file, header, size, access)) return undefined;
    if (whole.size >= MOST_KNOWN) whole.clear();
    whole.add(identity);
  }
  const mapped = isLarge ? access.mapFile(file, size) : undefined;
  if (mapped !== undefined) return new Uint8Array(mapped, HEADER);
  const bytes = isLarge ? contents(file) : read;
  return bytes?.length === size ? bytes.subarray(HEADER) : undefined;
}

/** Writes an entry to a file that was opened to be read and written, and is empty. */
export function writeEntry(file: number, key: Uint8Array, payload: readonly Uint8Array[], access: FileAccess | undefined): void {
  if (access === undefined) {
    writeAll(file, pack(key, payload));
    return;
  }
  const header = Buffer.alloc(HEADER);
  writeAll(file, [header, ...payload]);
  const length = payload.reduce((sum, piece) => sum + piece.length, 0);
  MARK.copy(header);
  header.writeBigUInt64LE(BigInt(length), LENGTH_AT);
  header.set(key, KEY_AT);
  const hash = hashOf(file, header, HEADER + length, access);
  if (hash === undefined) throw new Error('what was written cannot be read');
  header.set(hash, HASH_AT);
  if (writeSync(file, header, 0, HEADER, 0) !== HEADER) throw new Error('the header was not written');
}

function start(file: number): Uint8Array | undefined {
  const header = Buffer.alloc(HEADER);
  return readSync(file, header, 0, HEADER, 0) === HEADER ? header : undefined;
}

function readContainer(bytes: Uint8Array | undefined, key: Uint8Array): Uint8Array | undefined {
  const content = bytes && unpack(bytes);
  return content !== undefined && equalBytes(content.key, key) ? content.payload : undefined;
}

/** Whether a header is one of this key and length, but for its hash. */
function isHeader(header: Buffer, key: Uint8Array, length: number): boolean {
  if (header.readBigUInt64LE(LENGTH_AT) !== BigInt(length)) return false;
  return equalBytes(header.subarray(KEY_AT, HASH_AT), key) && header.subarray(HASH_END).every((byte) => byte === 0);
}

function isWhole(file: number, header: Buffer, size: number, access: FileAccess): boolean {
  const hash = hashOf(file, header, size, access);
  return hash !== undefined && equalBytes(header.subarray(HASH_AT, HASH_END), hash);
}

function hashOf(file: number, header: Buffer, size: number, access: FileAccess): Uint8Array | undefined {
  const sum = access.sumFile(file, HEADER, size);
  return sum && sha256('heddle entry\n', header.subarray(0, HASH_AT), new Uint8Array(sum));
}

function writeAll(file: number, pieces: readonly Uint8Array[]): void {
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; ) at += writeSync(file, piece, at);
  }
}

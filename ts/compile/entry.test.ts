import { chmodSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { addon } from '../link/addon.js';
import { CACHE_LIMIT, Cache } from './cache.js';
import { sha256 } from './container.js';
import type { FileAccess } from './entry.js';

const KEY = sha256('key');
/** Small ones are read, large ones mapped. */
const SIZES = { small: 1001, large: 300_001 };
const payloadOf = (size: number, seed = 1): Uint8Array => Uint8Array.from({ length: size }, (_, i) => (i * 31 + seed + (i >> 8)) & 0xff);

let home = '';
let folder = '';
const cache = (access: FileAccess | undefined = addon()): Cache => new Cache({ folder }, CACHE_LIMIT, access);
const entry = (): string => join(folder, KEY.toString('hex'));
const bytesOf = (payload: Uint8Array | undefined): Buffer | undefined => payload && Buffer.from(payload);

/** The addon, whose calls are counted. */
function counted(): { readonly access: FileAccess; readonly calls: { map: number; sum: number } } {
  const calls = { map: 0, sum: 0 };
  const access: FileAccess = {
    mapFile(file, size) {
      calls.map++;
      return addon().mapFile(file, size);
    },
    sumFile(file, start, end) {
      calls.sum++;
      return addon().sumFile(file, start, end);
    },
    readEntry: () => false,
  };
  return { access, calls };
}

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'heddle-entry-'));
  folder = join(home, 'heddle');
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

describe.each(Object.entries(SIZES))('a %s entry, with the addon', (_, size) => {
  const payload = payloadOf(size);
  const written = (): string => {
    expect(cache().write(KEY, [payload.subarray(0, 7), payload.subarray(7)])).toBe(true);
    return entry();
  };

  test('comes back as it was written, for typed arrays', () => {
    written();
    const read = cache().read(KEY);
    expect(bytesOf(read)?.equals(payload)).toBe(true);
    expect((read?.byteOffset ?? 1) % 16).toBe(0);
  });

  test('with one bit flipped anywhere is not there', () => {
    const good = readFileSync(written());
    const step = Math.max(1, Math.floor(size / 2000));
    for (let at = 0; at < good.length; at += at < 192 ? 1 : step) {
      const bad = Buffer.from(good);
      bad[at] = (bad[at] ?? 0) ^ (1 << (at % 8));
      writeFileSync(entry(), bad);
      expect(cache().read(KEY), `byte ${at}`).toBeUndefined();
    }
    writeFileSync(entry(), good);
    expect(cache().read(KEY)).toBeDefined();
  });

  test('with two words exchanged is not there', () => {
    const bytes = readFileSync(written());
    const word = Buffer.from(bytes.subarray(256, 264));
    bytes.copy(bytes, 256, 256 + 64, 264 + 64);
    word.copy(bytes, 256 + 64);
    writeFileSync(entry(), bytes);
    expect(cache().read(KEY)).toBeUndefined();
  });

  test('that is shorter or longer than written is not there', () => {
    for (const length of [128 + size - 1, 129, 128, 127, 8, 0]) {
      written();
      truncateSync(entry(), length);
      expect(cache().read(KEY), `${length} bytes`).toBeUndefined();
    }
    writeFileSync(written(), 'x', { flag: 'a' });
    expect(cache().read(KEY)).toBeUndefined();
  });

  test('is looked at once while it is the same file, and again when it was replaced', () => {
    const { access, calls } = counted();
    written();
    const reader = cache(access);
    expect(reader.read(KEY)).toBeDefined();
    expect(reader.read(KEY)).toBeDefined();
    expect(calls.sum).toBe(1);
    written();
    expect(reader.read(KEY)).toBeDefined();
    expect(calls.sum).toBe(2);
  });

  test('stays what it was for who has it, when it is replaced or removed', () => {
    written();
    const read = cache().read(KEY);
    const other = payloadOf(size, 99);
    expect(cache().write(KEY, [other])).toBe(true);
    expect(bytesOf(cache().read(KEY))?.equals(other)).toBe(true);
    unlinkSync(entry());
    expect(bytesOf(read)?.equals(payload)).toBe(true);
    expect(cache().read(KEY)).toBeUndefined();
  });

  test('that others may write, or that is a link, is not there', () => {
    chmodSync(written(), 0o620);
    expect(cache().read(KEY)).toBeUndefined();
    chmodSync(entry(), 0o600);
    expect(cache().read(KEY)).toBeDefined();
    renameSync(entry(), join(home, 'real'));
    symlinkSync(join(home, 'real'), entry());
    expect(cache().read(KEY)).toBeUndefined();
  });

  test('is there without a mapping, too, and not where it cannot be summed', () => {
    written();
    expect(bytesOf(cache({ ...counted().access, mapFile: () => undefined }).read(KEY))?.equals(payload)).toBe(true);
    written();
    expect(cache({ ...counted().access, sumFile: () => undefined }).read(KEY)).toBeUndefined();
  });

  test('is not there without the addon, while one that was written without is there with it', () => {
    const alone = new Cache({ folder });
    written();
    expect(alone.read(KEY)).toBeUndefined();
    expect(alone.write(KEY, [payload])).toBe(true);
    expect(bytesOf(cache().read(KEY))?.equals(payload)).toBe(true);
  });
});

test('only what is worth it is mapped', () => {
  for (const [size, maps] of [
    [SIZES.small, 0],
    [SIZES.large, 1],
  ] as const) {
    const { access, calls } = counted();
    cache(access).write(KEY, [payloadOf(size)]);
    cache(access).read(KEY);
    expect(calls.map).toBe(maps);
  }
});

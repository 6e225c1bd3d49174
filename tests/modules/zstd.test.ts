/** Zstandard from npm through its own glue, which calls the global WebAssembly: the same bytes as under V8. */

import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { beforeAll, expect, test } from 'vitest';
import { WebAssembly as Heddle } from '../../ts/index.js';

interface Zstd {
  init(): Promise<void>;
  compress(data: Uint8Array, level?: number): Uint8Array;
  decompress(data: Uint8Array): Uint8Array;
  compressUsingDict(context: number, data: Uint8Array, dictionary: Uint8Array, level?: number): Uint8Array;
  decompressUsingDict(context: number, data: Uint8Array, dictionary: Uint8Array): Uint8Array;
  createCCtx(): number;
  createDCtx(): number;
}

const require = createRequire(import.meta.url);
const PACKAGE = '@bokuweb/zstd-wasm';

/** A fresh copy of the package, started while the global WebAssembly is `namespace`. */
async function load(namespace: object): Promise<Zstd> {
  for (const path of Object.keys(require.cache)) if (path.includes(PACKAGE)) delete require.cache[path];
  const zstd = require(PACKAGE) as Zstd;
  const before = globalThis.WebAssembly;
  Object.defineProperty(globalThis, 'WebAssembly', { value: namespace, configurable: true, writable: true });
  try {
    await zstd.init();
  } finally {
    Object.defineProperty(globalThis, 'WebAssembly', { value: before, configurable: true, writable: true });
  }
  return zstd;
}

const TEXT = Buffer.from(Array.from({ length: 20_000 }, (_, i) => `line ${i}: ${(i * 2_654_435_761) % 1_000_003}\n`).join(''));
const DATA: readonly (readonly [string, Uint8Array])[] = [
  ['nothing', new Uint8Array()],
  ['a byte', Uint8Array.of(7)],
  ['zeros', new Uint8Array(1_000_000)],
  ['text', TEXT],
  ['noise', randomBytes(300_000)],
];

let ours: Zstd;
let v8: Zstd;

beforeAll(async () => {
  ours = await load(Heddle);
  v8 = await load(WebAssembly);
  expect(ours).not.toBe(v8);
}, 60_000);

test.each(DATA)(
  '%s',
  (_name, data) => {
    for (const level of [1, 3, 19]) {
      const packed = ours.compress(data, level);
      expect(Buffer.compare(packed, v8.compress(data, level))).toBe(0);
      expect(Buffer.compare(ours.decompress(packed), data)).toBe(0);
      expect(Buffer.compare(v8.decompress(packed), data)).toBe(0);
    }
  },
  60_000,
);

test('with a dictionary', () => {
  const [dictionary, data] = [TEXT.subarray(0, 50_000), TEXT.subarray(40_000, 90_000)];
  const packed = ours.compressUsingDict(ours.createCCtx(), data, dictionary);
  expect(Buffer.compare(packed, v8.compressUsingDict(v8.createCCtx(), data, dictionary))).toBe(0);
  expect(packed.length).toBeLessThan(ours.compress(data).length);
  expect(Buffer.compare(ours.decompressUsingDict(ours.createDCtx(), packed, dictionary), data)).toBe(0);
});

test('what is broken is refused in the same words', () => {
  const whole = v8.compress(TEXT);
  const packed = whole.slice(0, whole.length >> 1);
  const message = ({ decompress }: Zstd): string => {
    try {
      return `${decompress(packed).length} bytes`;
    } catch (error) {
      return String(error);
    }
  };
  expect(message(ours)).toBe(message(v8));
  expect(message(ours)).toContain('Failed');
});

import { once } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { MessageChannel, Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { collect, createMemory } from '../../ts/index.js';

setFlagsFromString('--expose-gc');
const forceGc = runInNewContext('gc') as () => void;

const MiB = 1 << 20;
const entry = new URL('../../dist/heddle.mjs', import.meta.url).href;

/** `ArrayBuffer.prototype.transfer`, which V8 has from Node 22 on. */
const transfer = (ArrayBuffer.prototype as { transfer?: (this: ArrayBuffer) => ArrayBuffer }).transfer;

/** A memory that only a mapping of Heddle's can be. */
const memoryOf = (bytes: number) => createMemory({ initial: bytes, pageSize: 1 });

/** What JavaScript can try on a buffer: each is refused, or makes a copy. */
const WAYS: Readonly<Record<string, (buffer: ArrayBuffer) => unknown>> = {
  transfer: (buffer) => (buffer as unknown as { transfer(): unknown }).transfer(),
  transferToFixedLength: (buffer) => (buffer as unknown as { transferToFixedLength(): unknown }).transferToFixedLength(),
  structuredClone: (buffer) => structuredClone(buffer, { transfer: [buffer] }),
  postMessage: (buffer) => {
    const { port1 } = new MessageChannel();
    port1.postMessage(buffer, [buffer]);
    port1.close();
  },
  resize: (buffer) => (buffer as unknown as { resize(length: number): unknown }).resize(1),
};

describe.each(Object.entries(WAYS))('%s of a mapped memory’s buffer', (name, way) => {
  test('leaves the memory as it is', () => {
    const memory = memoryOf(65_536);
    const { buffer } = memory;
    new Uint8Array(buffer)[5] = 42;
    const posts = name === 'structuredClone' || name === 'postMessage';
    // Node 20 copies what may not be posted away; V8's methods throw a TypeError, where it has them and where it has not.
    if (posts && transfer === undefined) way(buffer);
    else expect(() => way(buffer)).toThrow(posts ? expect.objectContaining({ name: 'DataCloneError' }) : TypeError);
    expect(memory.buffer).toBe(buffer);
    expect([buffer.byteLength, new Uint8Array(buffer)[5]]).toEqual([65_536, 42]);
    memory.grow(100_000_000);
    expect([buffer.byteLength, memory.buffer.byteLength, new Uint8Array(memory.buffer)[5]]).toEqual([0, 100_065_536, 42]);
  });
});

// Below Node 22 there is no way to take the memory of a buffer without an error.
describe.skipIf(transfer === undefined)('a buffer that was taken all the same', () => {
  const take = (buffer: ArrayBuffer): Uint8Array => new Uint8Array(transfer?.call(buffer) ?? buffer);

  test('is the memory until that grows, and then what the memory was', () => {
    const memory = memoryOf(65_536);
    const taken = take(memory.buffer);
    taken[7] = 1;
    expect(memory.buffer.byteLength).toBe(65_536);
    expect(new Uint8Array(memory.buffer)[7]).toBe(1);
    memory.grow(100_000_000);
    memory.grow(100_000_000);
    taken.fill(9);
    expect(taken.length).toBe(65_536);
    expect(taken.every((byte) => byte === 9)).toBe(true);
    const now = new Uint8Array(memory.buffer);
    expect([now[7], now[8], now[65_535], now.length]).toEqual([1, 0, 0, 200_065_536]);
  });

  test('outlives the memory', async () => {
    const taken = take(memoryOf(MiB).buffer);
    for (let i = 0; i < 5; i++) {
      forceGc();
      collect();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    taken.fill(3);
    expect(taken.every((byte) => byte === 3)).toBe(true);
  });

  test('outlives the thread that it came from', async () => {
    const worker = new Worker(
      `const { parentPort } = require('node:worker_threads');
       import(${JSON.stringify(entry)}).then(({ createMemory }) => {
         const taken = ArrayBuffer.prototype.transfer.call(createMemory({ initial: ${MiB}, pageSize: 1 }).buffer);
         parentPort.postMessage(taken, [taken]);
       });`,
      { eval: true },
    );
    const [[taken]] = (await Promise.all([once(worker, 'message'), once(worker, 'exit')])) as [[ArrayBuffer], unknown];
    const bytes = new Uint8Array(taken);
    bytes.fill(5);
    expect(bytes.every((byte) => byte === 5)).toBe(true);
  });
});

test('memories that are dropped give their memory back', async () => {
  const before = process.memoryUsage.rss();
  for (let i = 0; i < 32; i++) {
    new Uint8Array(memoryOf(8 * MiB).buffer).fill(1);
    forceGc();
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
  // 256 MiB in all.
  expect(process.memoryUsage.rss() - before).toBeLessThan(128 * MiB);
});

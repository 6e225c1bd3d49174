/**
 * Memories with 64-bit addresses and with pages of one byte, as JavaScript sees them. What is expected is the specification's text and arithmetic: V8 on
 * Node 20 has neither.
 */
import { describe, expect, test } from 'vitest';
import { createMemory, WebAssembly as Heddle, parseWat } from '../../ts/index.js';

const text = (memory: string, index: string): string => `(module
  (memory (export "memory") ${memory})
  (data (${index}.const 3) "heddle")
  (func (export "size") (result ${index}) memory.size)
  (func (export "grow") (param ${index}) (result ${index}) (memory.grow (local.get 0)))
  (func (export "load8") (param ${index}) (result i32) (i32.load8_u (local.get 0)))
  (func (export "load64") (param ${index}) (result i64) (i64.load offset=8 (local.get 0)))
  (func (export "store") (param ${index} i32) (i32.store8 (local.get 0) (local.get 1)))
  (func (export "fill") (param ${index} i32 ${index}) (memory.fill (local.get 0) (local.get 1) (local.get 2)))
  (func (export "far") (param ${index}) (result i32) (i32.load8_u offset=0xffffffff (local.get 0))))`;

function instance(memory: string, index: string): Record<string, (...args: unknown[]) => unknown> & { memory: WebAssembly.Memory } {
  return new Heddle.Instance(new Heddle.Module(parseWat(text(memory, index)))).exports as never;
}

const OUT_OF_BOUNDS = expect.objectContaining({ code: 'HEDDLE_TRAP_MEMORY_BOUNDS' }) as unknown;

function thrown(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}

describe('a memory with 64-bit addresses', () => {
  test('bounds are those of its length, before and after it grows', () => {
    const { size, grow, load8, store, memory } = instance('i64 1 3', 'i64');
    expect([size?.(), load8?.(3n), load8?.(65_535n)]).toEqual([1n, 'h'.charCodeAt(0), 0]);
    for (const address of [65_536n, 2n ** 32n, 2n ** 63n, -1n]) expect(thrown(() => load8?.(address))).toEqual(OUT_OF_BOUNDS);
    expect(grow?.(2n)).toBe(1n);
    store?.(3n * 65_536n - 1n, 77);
    expect([size?.(), new Uint8Array(memory.buffer)[3 * 65_536 - 1], load8?.(3n)]).toEqual([3n, 77, 'h'.charCodeAt(0)]);
    expect(thrown(() => load8?.(3n * 65_536n))).toEqual(OUT_OF_BOUNDS);
    expect([grow?.(1n), grow?.(-1n), grow?.(2n ** 48n), size?.()]).toEqual([-1n, -1n, -1n, 3n]);
  });

  test('sums of address and offset do not wrap', () => {
    const { load64, far } = instance('i64 1', 'i64');
    for (const address of [2n ** 64n - 8n, 2n ** 64n - 1n, 65_536n - 15n, 2n ** 64n - 2n ** 32n]) {
      expect(thrown(() => load64?.(address))).toEqual(OUT_OF_BOUNDS);
      expect(thrown(() => far?.(address))).toEqual(OUT_OF_BOUNDS);
    }
    expect(load64?.(65_536n - 16n)).toBe(0n);
  });

  test('JavaScript and WebAssembly see the same bytes, and growing detaches the buffer', () => {
    const { load8, grow, memory } = instance('i64 1', 'i64');
    const before = memory.buffer;
    expect(memory.buffer).toBe(before);
    new Uint8Array(before)[100] = 5;
    expect(load8?.(100n)).toBe(5);
    grow?.(0n);
    expect([before.byteLength, memory.buffer.byteLength]).toEqual([0, 65_536]);
    expect((memory.grow as unknown as (delta: bigint) => bigint)(1n)).toBe(1n);
    expect(memory.buffer.byteLength).toBe(2 * 65_536);
    expect(() => memory.grow(1)).toThrow(TypeError);
    // Not 2n ** 40n: V8's own memories take no more than the lower 32 bits of it (Node 24.21, 26.10).
    expect(() => (memory.grow as unknown as (delta: bigint) => bigint)(2n ** 31n)).toThrow(RangeError);
    for (const pages of [2n ** 31n, 2n ** 32n, 2n ** 40n, 2n ** 64n - 1n]) expect(grow?.(pages)).toBe(-1n);
    expect(memory.buffer.byteLength).toBe(2 * 65_536);
  });

  test('passes from one instance to another, by its type', () => {
    const memory = createMemory({ address: 'i64', initial: 1n, maximum: 2n });
    expect(memory).toBeInstanceOf(WebAssembly.Memory);
    const link = (type: string): unknown =>
      new Heddle.Instance(new Heddle.Module(parseWat(`(module (import "m" "m" (memory ${type})))`)), { m: { m: memory } });
    expect(() => link('i64 1 2')).not.toThrow();
    for (const type of ['1 2', 'i64 1 1', 'i64 2', '1 1 shared'])
      expect(thrown(() => link(type))).toMatchObject({ code: 'HEDDLE_LINK_TYPE' });
  });

  test('survives many moves of its base', () => {
    const { grow, load8, store } = instance('i64 1', 'i64');
    for (let page = 1n; page < 200n; page++) {
      store?.(page * 65_536n - 1n, Number(page));
      expect(grow?.(1n)).toBe(page);
    }
    for (let page = 1n; page < 200n; page++) expect(load8?.(page * 65_536n - 1n)).toBe(Number(page));
  });
});

describe('a memory with pages of one byte', () => {
  test('is as long as it says, to the byte', () => {
    const { size, grow, load8, store, memory } = instance('9 20 (pagesize 1)', 'i32');
    expect([size?.(), load8?.(8), memory.buffer.byteLength]).toEqual([9, 'e'.charCodeAt(0), 9]);
    expect(thrown(() => load8?.(9))).toEqual(OUT_OF_BOUNDS);
    expect(grow?.(4)).toBe(9);
    store?.(12, 1);
    expect([size?.(), memory.buffer.byteLength, thrown(() => load8?.(13))]).toEqual([13, 13, OUT_OF_BOUNDS]);
    expect([grow?.(8), grow?.(7), grow?.(1)]).toEqual([-1, 13, -1]);
  });

  test('its page size is part of its type', () => {
    const memory = createMemory({ initial: 65_536, pageSize: 1 });
    const link = (type: string): unknown =>
      new Heddle.Instance(new Heddle.Module(parseWat(`(module (import "m" "m" (memory ${type})))`)), { m: { m: memory } });
    expect(() => link('5 (pagesize 1)')).not.toThrow();
    expect(thrown(() => link('1'))).toMatchObject({ code: 'HEDDLE_LINK_TYPE' });
  });

  test('beside a memory with guards, both keep their bounds', () => {
    const { exports } = new Heddle.Instance(
      new Heddle.Module(
        parseWat(`(module (memory $small 3 (pagesize 1)) (memory $large 1)
          (func (export "small") (param i32) (result i32) (i32.load8_u $small (local.get 0)))
          (func (export "large") (param i32) (result i32) (i32.load8_u $large (local.get 0))))`),
      ),
    );
    expect([exports['small'](2), exports['large'](65_535)]).toEqual([0, 0]);
    expect([thrown(() => exports['small'](3)), thrown(() => exports['large'](65_536))]).toEqual([OUT_OF_BOUNDS, OUT_OF_BOUNDS]);
  });
});

describe('createMemory', () => {
  test.each([
    [{ initial: 1, address: 'i64' }, TypeError],
    [{ initial: -1n, address: 'i64' }, TypeError],
    [{ initial: 1n }, TypeError],
    [{ initial: 1, pageSize: 2 }, TypeError],
    [{ initial: 1, shared: true }, TypeError],
    [{ initial: 2, maximum: 1 }, RangeError],
    [{ initial: 2n ** 60n, address: 'i64' }, Heddle.LinkError],
  ])('refuses %o', (descriptor, type) => {
    expect(() => createMemory(descriptor as never)).toThrow(type);
  });

  test("is V8's own where V8 has it", () => {
    const memory = createMemory({ initial: 1, maximum: 1, shared: true });
    expect(Object.getPrototypeOf(memory)).toBe(WebAssembly.Memory.prototype);
    expect(memory.buffer).toBeInstanceOf(SharedArrayBuffer);
  });
});

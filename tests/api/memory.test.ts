import { describe, expect, test } from 'vitest';
import { type AnyInstance, type Api, type Exported, heddle, outcome, run, v8 } from './oracle.js';

const ACCESS = `(module
  (import "m" "memory" (memory 1 8))
  (import "m" "during" (func $during))
  (func (export "size") (result i32) memory.size)
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
  (func (export "store") (param i32 i32) (i32.store (local.get 0) (local.get 1)))
  (func (export "fill") (param i32 i32 i32) (memory.fill (local.get 0) (local.get 1) (local.get 2)))
  (func (export "copy") (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2)))
  (func (export "size_after") (result i32) (drop (memory.size)) (call $during) memory.size)
  (func (export "load_after") (param i32) (result i32)
    (drop (i32.load (i32.const 0))) (call $during) (i32.load (local.get 0)))
  (func (export "fill_after") (param i32) (call $during) (memory.fill (local.get 0) (i32.const 7) (i32.const 4))))`;

function access(api: Api, memory: unknown, during: () => void = () => undefined): AnyInstance['exports'] {
  return run(api, ACCESS, { m: { memory, during } });
}

/** Who grows the memory behind an instance's back, by one page. */
const GROWERS: readonly (readonly [name: string, grow: (memory: Exported) => void])[] = [
  ['JavaScript', (memory) => memory.grow(1)],
  ['an instance of V8', (memory) => access(v8, memory)['grow']?.(1)],
  ['another instance of Heddle', (memory) => access(heddle, memory)['grow']?.(1)],
];

describe.each(GROWERS)('a memory that %s grows', (_who, grow) => {
  test('between two calls', () => {
    const memory = new heddle.Memory({ initial: 1, maximum: 8 });
    const e = access(heddle, memory);
    expect(outcome(() => e['load']?.(65_536))).toBe('threw RuntimeError');
    grow(memory);
    expect([e['size']?.(), e['load']?.(65_536), e['load']?.(131_068)]).toEqual([2, 0, 0]);
    expect(outcome(() => e['load']?.(131_069))).toBe('threw RuntimeError');
    grow(memory);
    e['store']?.(196_604, 5);
    e['fill']?.(196_600, 1, 4);
    e['copy']?.(131_072, 196_600, 8);
    expect([e['load']?.(131_072), e['load']?.(131_076), e['size']?.()]).toEqual([0x0101_0101, 5, 3]);
    expect(new DataView(memory.buffer).getInt32(131_076, true)).toBe(5);
  });

  test('during a call', () => {
    const memory = new heddle.Memory({ initial: 1, maximum: 8 });
    const e = access(heddle, memory, () => grow(memory));
    expect(e['size_after']?.()).toBe(2);
    expect(e['load_after']?.(131_072)).toBe(0);
    e['fill_after']?.(196_608);
    expect(e['load']?.(196_608)).toBe(0x0707_0707);
    expect(outcome(() => e['load']?.(262_144))).toBe('threw RuntimeError');
  });
});

describe('one memory of both engines', () => {
  test.each([false, true])('shared: %s', (shared) => {
    const text = ACCESS.replace('(memory 1 8)', shared ? '(memory 1 8 shared)' : '(memory 1 8)');
    const memory = new heddle.Memory({ initial: 1, maximum: 8, shared });
    const [ours, theirs] = [heddle, v8].map((api) => run(api, text, { m: { memory, during: () => undefined } }));
    ours?.['store']?.(100, 0x1234_5678);
    expect(theirs?.['load']?.(100)).toBe(0x1234_5678);
    theirs?.['store']?.(65_532, -1);
    expect(ours?.['load']?.(65_532)).toBe(-1);
    expect(ours?.['grow']?.(2)).toBe(1);
    expect(theirs?.['size']?.()).toBe(3);
    expect(theirs?.['grow']?.(1)).toBe(3);
    expect(ours?.['size']?.()).toBe(4);
    ours?.['store']?.(4 * 65_536 - 4, 77);
    expect(theirs?.['load']?.(4 * 65_536 - 4)).toBe(77);
    expect(outcome(() => ours?.['load']?.(4 * 65_536 - 3))).toBe('threw RuntimeError');
    expect(new DataView(memory.buffer).getInt32(100, true)).toBe(0x1234_5678);
  });

  test("an instance's own memory is V8's", () => {
    const e = run(heddle, '(module (memory (export "m") 1 2) (data (i32.const 3) "abc"))');
    expect(e['m']).toBeInstanceOf(WebAssembly.Memory);
    const theirs = run(v8, '(module (import "a" "m" (memory 1 2)) (func (export "f") (result i32) (i32.load8_u (i32.const 4))))', { a: e });
    expect(theirs['f']?.()).toBe('b'.charCodeAt(0));
  });
});

describe('growing', () => {
  test.each([
    [1, 1],
    [7, 1],
    [8, -1],
    [0, 1],
    [-1, -1],
    [65_536, -1],
    [0x7fff_ffff, -1],
  ])('by %i', (delta, expected) => {
    const story = (api: Api): unknown[] => {
      const memory = new api.Memory({ initial: 1, maximum: 8 });
      const e = access(api, memory);
      const before = memory.buffer;
      const steps = [e['grow']?.(delta), e['size']?.(), memory.buffer.byteLength];
      return [...steps, before === memory.buffer, before.byteLength];
    };
    expect(story(heddle)).toEqual(story(v8));
    expect(story(heddle)[0]).toBe(expected);
  });

  test('detaches the old buffer', () => {
    const memory = new heddle.Memory({ initial: 1, maximum: 8 });
    const e = access(heddle, memory);
    const before = memory.buffer;
    e['grow']?.(1);
    expect(before.byteLength).toBe(0);
    expect(memory.buffer.byteLength).toBe(131_072);
  });

  test('keeps the contents, and new pages are zero', () => {
    const memory = new heddle.Memory({ initial: 1, maximum: 8 });
    const e = access(heddle, memory);
    e['fill']?.(0, 0x5a, 65_536);
    e['grow']?.(2);
    const all = new Uint8Array(memory.buffer);
    expect(all.subarray(0, 65_536).every((byte) => byte === 0x5a)).toBe(true);
    expect(all.subarray(65_536).every((byte) => byte === 0)).toBe(true);
  });

  test('from a continuation', () => {
    const text = `(module (memory (export "m") 1 4) (type $f (func)) (type $k (cont $f)) (tag $t)
      (func $body (drop (memory.grow (i32.const 1))) (suspend $t) (i32.store (i32.const 131068) (i32.const 3)))
      (elem declare func $body)
      (func (export "f") (result i32) (local $c (ref null $k))
        (block $on (result (ref $k)) (resume $k (on $t $on) (cont.new $k (ref.func $body))) unreachable)
        (local.set $c) (drop (i32.load (i32.const 65536))) (resume $k (local.get $c)) (i32.load (i32.const 131068))))`;
    expect(run(heddle, text)['f']?.()).toBe(3);
  });

  test('to nothing: a memory of no pages', () => {
    for (const api of [heddle, v8]) {
      const e = run(
        api,
        `(module (memory (export "m") 0 1) (func (export "load") (result i32) (i32.load8_u (i32.const 0)))
        (func (export "grow") (result i32) (memory.grow (i32.const 1))))`,
      );
      expect(outcome(() => e['load']?.())).toBe('threw RuntimeError');
      expect([e['grow']?.(), e['load']?.(), e['grow']?.()]).toEqual([0, 0, -1]);
    }
  });
});

test('a memory of 65,536 pages is used to its last byte', () => {
  const text = `(module (import "m" "m" (memory 1 65536)) (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "store") (param i32 i32) (i32.store8 (local.get 0) (local.get 1)))
    (func (export "load") (param i32) (result i32) (i32.load8_u (local.get 0)))
    (func (export "load4") (param i32) (result i32) (i32.load (local.get 0))))`;
  const memory = new heddle.Memory({ initial: 1, maximum: 65_536 });
  const e = run(heddle, text, { m: { m: memory } });
  expect(e['grow']?.(65_535)).toBe(1);
  expect(e['grow']?.(1)).toBe(-1);
  e['store']?.(-1, 200);
  expect(e['load']?.(-1)).toBe(200);
  expect(new Uint8Array(memory.buffer)[2 ** 32 - 1]).toBe(200);
  expect(outcome(() => e['load4']?.(-1))).toBe('threw RuntimeError');
});

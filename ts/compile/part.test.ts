import { expect, test } from 'vitest';
import { Assembly, type Part, transferList } from './part.js';

const none = new Int32Array(0);

/** A part of one function of `size` bytes, each of them `byte`, with one entry in every table. */
function part(number: number, size: number, byte: number): Part {
  return {
    code: new Uint8Array(size).fill(byte),
    functions: Int32Array.of(number, 0, size),
    relocations: Int32Array.of(1, 1, 9, -4),
    traps: Int32Array.of(2, 253),
    sources: Int32Array.of(0, 100, 3, -1, 4, -3),
    calls: Int32Array.of(5, 16, -1, 1, 3, 8, 12, -1, -1, 0),
    stackMaps: Int32Array.of(5, 32, 2, 8, 16, 12, 32, 0),
    inlined: Int32Array.of(7, 50, 100, 8, 60, -2),
    scopes: Int32Array.of(-1, 1, 48, 0, 2, 48, -1),
  };
}

const add = (assembly: Assembly, one: Part): void => assembly.add(one, one);

test('Assembly places parts at multiples of 32 and moves every table that is an offset', () => {
  const assembly = new Assembly(512, 1);
  add(assembly, part(3, 40, 0xaa));
  add(assembly, part(4, 8, 0xbb));
  const whole = assembly.finish();
  expect([...whole.functions]).toEqual([3, 512, 40, 4, 576, 8]);
  expect([...whole.relocations]).toEqual([513, 1, 9, -4, 577, 1, 9, -4]);
  expect([...whole.traps]).toEqual([514, 253, 578, 253]);
  expect([...whole.sources]).toEqual([512, 100, 515, -1, 516, -3, 576, 100, 579, -1, 580, -5]);
  // Rows of the second part lie behind the two of the first.
  expect([...whole.inlined]).toEqual([7, 50, 100, 8, 60, -2, 7, 50, 100, 8, 60, -4]);
  expect([...whole.calls]).toEqual([517, 16, -1, 1, 3, 520, 524, -1, -1, 0, 581, 16, -1, 1, 10, 584, 588, -1, -1, 0]);
  // Neither where a scope is nor the tags are offsets in the code; scopes of the second part lie behind the words of the first.
  expect([...whole.scopes]).toEqual([-1, 1, 48, 0, 2, 48, -1, -1, 1, 48, 7, 2, 48, -1]);
  expect([...whole.stackMaps]).toEqual([517, 32, 2, 8, 16, 524, 32, 0, 581, 32, 2, 8, 16, 588, 32, 0]);
  expect(whole.code.length).toBe(584);
  expect([whole.code[511], whole.code[512], whole.code[551], whole.code[552], whole.code[576]]).toEqual([0, 0xaa, 0xaa, 0, 0xbb]);
});

test('parts of parts come out as if all functions had been added one by one', () => {
  const functions = Array.from({ length: 7 }, (_, i) => part(i, 10 + 30 * i, i + 1));
  const flat = new Assembly(512);
  for (const one of functions) add(flat, one);
  const nested = new Assembly(512);
  for (const [start, end] of [
    [0, 3],
    [3, 4],
    [4, 7],
  ] as const) {
    const chunk = new Assembly();
    for (const one of functions.slice(start, end)) add(chunk, one);
    add(nested, chunk.finish());
  }
  expect(nested.finish()).toEqual(flat.finish());
});

test('tables grow beyond their first size', () => {
  const assembly = new Assembly();
  for (let i = 0; i < 1000; i++) add(assembly, { ...part(i, 1, 0), calls: none, stackMaps: none });
  const { functions } = assembly.finish();
  expect(functions.length).toBe(3000);
  expect(functions[2998]).toBe(999 * 32);
});

test('every array of a part is transferred', () => {
  const sent = part(0, 1, 0);
  expect(transferList(sent).length).toBe(Object.keys(sent).length);
});

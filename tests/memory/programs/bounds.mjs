// Every access of ../accesses.mjs at the edges of memories, while they grow by whichever hand; prints how many were made, and what was wrong.
import { WebAssembly as Heddle } from '../../../dist/ts/index.js';
import { addon } from '../../../dist/ts/link/addon.js';
import { accessModule, indicesFor, isInside, LOADS, OFFSETS, STORES, VECTORS } from '../accesses.mjs';
import { assemble, instantiate } from '../assemble.mjs';

const PAGE = 65_536;
const wrong = [];
let checked = 0;

function expect(what, actual, expected) {
  checked++;
  if (!Object.is(actual, expected) && wrong.length < 20) wrong.push(`${what}: ${actual}, expected ${expected}`);
}

/** What a call gives: its result, or the trap's message. */
function outcome(fn, ...args) {
  try {
    return fn(...args);
  } catch (error) {
    if (error.code !== 'HEDDLE_TRAP_MEMORY_BOUNDS') return String(error);
    return error.message;
  }
}

const OUTSIDE = 'out of bounds memory access';

/** A byte that depends on its place, so that every load has one right result. */
const patternAt = (i) => (i * 31 + 7) & 0xff;

function fillPattern(memory) {
  const all = new Uint8Array(memory.buffer);
  for (let i = 0; i < all.length; i++) all[i] = patternAt(i);
}

const READ = {
  'i32.load8_s': (v, a) => v.getInt8(a),
  'i32.load8_u': (v, a) => v.getUint8(a),
  'i32.load16_s': (v, a) => v.getInt16(a, true),
  'i32.load16_u': (v, a) => v.getUint16(a, true),
  'i32.load': (v, a) => v.getInt32(a, true),
  'i64.load8_s': (v, a) => BigInt(v.getInt8(a)),
  'i64.load8_u': (v, a) => BigInt(v.getUint8(a)),
  'i64.load16_s': (v, a) => BigInt(v.getInt16(a, true)),
  'i64.load16_u': (v, a) => BigInt(v.getUint16(a, true)),
  'i64.load32_s': (v, a) => BigInt(v.getInt32(a, true)),
  'i64.load32_u': (v, a) => BigInt(v.getUint32(a, true)),
  'i64.load': (v, a) => v.getBigInt64(a, true),
  'f32.load': (v, a) => v.getFloat32(a, true),
  'f64.load': (v, a) => v.getFloat64(a, true),
};

/** Every access at every edge. */
function sweep(label, exports, memory) {
  const bytes = memory.buffer.byteLength;
  fillPattern(memory);
  const view = new DataView(memory.buffer);
  for (const offset of OFFSETS) {
    for (const [op, , width] of LOADS) {
      const fn = exports[`${op} ${offset}`];
      for (const index of indicesFor(bytes, offset, width)) {
        const expected = isInside(bytes, index, offset, width) ? READ[op](view, index + offset) : OUTSIDE;
        expect(`${label}: ${op} offset=${offset} at ${index} of ${bytes}`, outcome(fn, index), expected);
      }
    }
    for (const [op, width] of VECTORS) {
      const fn = exports[`${op} ${offset}`];
      for (const index of indicesFor(bytes, offset, width)) {
        const result = outcome(fn, index);
        const inside = isInside(bytes, index, offset, width);
        expect(`${label}: ${op} offset=${offset} at ${index} of ${bytes}`, typeof result, inside ? 'bigint' : 'string');
        if (!inside) expect(`${label}: ${op} offset=${offset} at ${index} of ${bytes}`, result, OUTSIDE);
      }
    }
    for (const [op, type, width] of [...STORES, ['v128.store', 'i64', 16]]) {
      const fn = exports[`${op} ${offset}`];
      // All bytes of the value are 0x3c, which no pattern's neighbours share by chance in a row.
      const value = {
        i32: 0x3c3c3c3c,
        i64: 0x3c3c3c3c_3c3c3c3cn,
        f32: 0.011489,
        f64: new Float64Array(BigUint64Array.of(0x3c3c3c3c_3c3c3c3cn).buffer)[0],
      }[type];
      for (const index of indicesFor(bytes, offset, width)) {
        const inside = isInside(bytes, index, offset, width);
        expect(`${label}: ${op} offset=${offset} at ${index} of ${bytes}`, outcome(fn, index, value), inside ? undefined : OUTSIDE);
        if (!inside) continue;
        // The bytes around it are as they were.
        const at = index + offset;
        if (at > 0) expect(`${label}: before ${op} at ${at}`, view.getUint8(at - 1), patternAt(at - 1));
        if (at + width < bytes) expect(`${label}: behind ${op} at ${at}`, view.getUint8(at + width), patternAt(at + width));
        if (type[0] === 'i') expect(`${label}: ${op} at ${at}`, view.getUint8(at + width - 1), 0x3c);
        for (let i = at; i < at + width; i++) view.setUint8(i, patternAt(i));
      }
    }
  }
  // Nothing that trapped has stored anything.
  const all = new Uint8Array(memory.buffer);
  let same = true;
  for (let i = 0; i < all.length; i++) same &&= all[i] === patternAt(i);
  expect(`${label}: the memory is as it was`, same, true);
  bulk(label, exports, bytes);
}

function bulk(label, exports, bytes) {
  const numbers = (...all) => [...new Set(all.filter((n) => n >= 0))];
  const lengths = numbers(0, 1, 8, 9, PAGE, bytes - 1, bytes, bytes + 1, 0x7fff_ffff, 0xffff_ffff);
  const places = numbers(0, 1, bytes - 9, bytes - 8, bytes - 1, bytes, bytes + 1, 0xffff_ffff);
  for (const to of places) {
    for (const length of lengths) {
      const inside = to + length <= bytes;
      expect(`${label}: fill ${to} ${length}`, outcome(exports.fill, to, 0x77, length), inside ? undefined : OUTSIDE);
      for (const from of numbers(0, bytes - 8, bytes, 0xffff_ffff)) {
        const both = inside && from + length <= bytes;
        expect(`${label}: copy ${to} ${from} ${length}`, outcome(exports.copy, to, from, length), both ? undefined : OUTSIDE);
      }
      for (const from of [0, 3, 8, 9]) {
        const both = inside && from + length <= 8;
        expect(`${label}: init ${to} ${from} ${length}`, outcome(exports.init, to, from, length), both ? undefined : OUTSIDE);
      }
    }
  }
}

/** Who grows: JavaScript, V8, Heddle, in turn. */
const hands = (memory, ours, theirs) => [() => memory.grow(1), () => theirs.grow(1), () => ours.grow(2)];

const stages = [];
const first = new Heddle.Memory({ initial: 1, maximum: 1 });
const neighbours = [];

/** A memory between two others that are full of a pattern: the canaries. */
function between(make) {
  neighbours.push(make());
  const memory = make();
  neighbours.push(make());
  for (const canary of neighbours.slice(-2)) fillPattern(canary);
  return memory;
}

for (const [label, descriptor, limits] of [
  ['bounded', { initial: 1, maximum: 16 }, '1 16'],
  ['without maximum', { initial: 1 }, '1'],
  ['shared', { initial: 1, maximum: 16, shared: true }, '1 16 shared'],
  ['without pages', { initial: 0, maximum: 16 }, '0 16'],
  ['full', { initial: 2, maximum: 2 }, '2 2'],
]) {
  const memory = between(() => new Heddle.Memory(descriptor));
  const where = () => addon().createMemory(memory, 0);
  const imports = { m: { memory } };
  const ours = instantiate(accessModule({ limits }), imports);
  const second = instantiate(accessModule({ limits, prefix: '(import "m" "first" (memory 1 1))', name: '$m' }), { m: { memory, first } });
  const theirs = new WebAssembly.Instance(new WebAssembly.Module(assemble(accessModule({ limits }))), imports).exports;
  const bases = new Set([where().base]);
  const pages = [memory.buffer.byteLength / PAGE];
  sweep(label, ours, memory);
  if (descriptor.initial > 0) sweep(`${label}, as second memory`, second, memory);
  for (const grow of label === 'full' ? [] : hands(memory, ours, theirs)) {
    const before = memory.buffer.byteLength;
    grow();
    const now = memory.buffer.byteLength;
    // The canary page: what was outside, and stored to a thousand times, comes in as zeros.
    expect(
      `${label}: new pages are zero`,
      new Uint8Array(memory.buffer, before).every((byte) => byte === 0),
      true,
    );
    expect(`${label}: memory.size`, ours.size(), now / PAGE);
    bases.add(where().base);
    pages.push(now / PAGE);
    sweep(label, ours, memory);
    sweep(`${label}, as second memory`, second, memory);
  }
  expect(`${label}: growing beyond the maximum`, ours.grow(65_536), -1);
  stages.push({ label, guarded: where().guarded, pages, moved: bases.size > 1 });
}
for (const canary of neighbours) {
  const all = new Uint8Array(canary.buffer);
  let same = true;
  for (let i = 0; i < all.length; i++) same &&= all[i] === patternAt(i);
  expect('a neighbour is as it was', same, true);
}
console.log(JSON.stringify({ checked, wrong, stages }));

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { addonPath } from '../link/addon.js';
import { relocate } from './relocate.js';
import { jumpToSwitches } from './switches.js';

const STUB = 7;

test('x86-64: a call becomes a jump to code that loads the return address, and is the stub without its first instruction', () => {
  const code = new Uint8Array(64).fill(0x90);
  code[9] = 0xe8;
  code[30] = 0xe8;
  code[40] = 0xe8;
  const given = Int32Array.of(10, 1, STUB, -4, 31, 1, 3, -4, 41, 1, STUB, -4);
  const { code: jumping, relocations } = jumpToSwitches({ code, relocations: given }, STUB);
  const view = new DataView(jumping.buffer);
  // What was given, and the call of another function, are as they were.
  expect([code[9], jumping[30], ...relocations]).toEqual([0xe8, 0xe8, 31, 1, 3, -4]);
  const places = [10, 41].map((at) => {
    expect(view.getUint8(at - 1)).toBe(0xe9);
    const place = at + 4 + view.getInt32(at, true);
    // lea distance(%rip), %r11
    expect([...jumping.slice(place, place + 3)]).toEqual([0x4c, 0x8d, 0x1d]);
    expect(place + 7 + view.getInt32(place + 3, true)).toBe(at + 4);
    return place;
  });
  expect(places).toEqual([64, 112]);
  const body = (place: number): Buffer => Buffer.from(jumping.slice(place + 7, place + 7 + 37));
  expect(body(64).equals(body(112))).toBe(true);
  // As the assembler has made it: `pop %r11` in front, and nothing after the indirect jump.
  if (process.arch === 'x64') expect(readFileSync(addonPath()).includes(Buffer.concat([Buffer.of(0x41, 0x5b), body(64)]))).toBe(true);
  expect([...body(64).subarray(-3)]).toEqual([0x41, 0xff, 0xe0]);
});

test('aarch64: a call becomes a branch to code that computes the return address and branches to the stub', () => {
  const code = new Uint8Array(64);
  new DataView(code.buffer).setUint32(12, 0x9400_0000, true);
  const { code: jumping, relocations } = jumpToSwitches({ code, relocations: Int32Array.of(12, 2, STUB, 0) }, STUB);
  const view = new DataView(jumping.buffer);
  relocate(jumping, relocations, new Int32Array(STUB + 1), 1024);
  const branch = view.getUint32(12, true);
  expect(branch >>> 26).toBe(0b000101);
  const place = 12 + (branch & 0x03ff_ffff) * 4;
  // adr x30, #-(place - 16): 21 bits, the two lowest of them in front.
  const adr = view.getUint32(place, true);
  expect([adr >>> 31, (adr >>> 24) & 31, adr & 31]).toEqual([0, 0b10000, 30]);
  const distance = ((((adr >>> 5) & 0x7_ffff) << 2) | ((adr >>> 29) & 3)) - 2 ** 21;
  expect(place + distance).toBe(16);
  const to = view.getUint32(place + 4, true);
  expect(to >>> 26).toBe(0b000101);
  expect(1024 + place + 4 + ((to << 6) >> 6) * 4).toBe(0);
});

test('without such calls the code is what it was, and what is no call is a bug', () => {
  const code = new Uint8Array(16);
  const relocations = Int32Array.of(4, 1, 3, -4);
  expect(jumpToSwitches({ code, relocations }, STUB)).toEqual({ code, relocations });
  expect(() => jumpToSwitches({ code, relocations: Int32Array.of(4, 1, STUB, -4) }, STUB)).toThrow(/no call at 4/);
  expect(() => jumpToSwitches({ code, relocations: Int32Array.of(4, 2, STUB, 0) }, STUB)).toThrow(/no call at 4/);
});

test('aarch64: where the code is larger than the distance that the address is computed from, calls stay calls', () => {
  const code = new Uint8Array(2 ** 20 + 64);
  new DataView(code.buffer).setUint32(12, 0x9400_0000, true);
  const relocations = Int32Array.of(12, 2, STUB, 0);
  expect(jumpToSwitches({ code, relocations }, STUB).code).toBe(code);
});

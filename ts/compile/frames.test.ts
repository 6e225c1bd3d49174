/**
 * Frames: their sizes as the code generator gives them, beside what the machine code takes off the stack pointer, and
 * that no frame is made unchecked, whatever the lowering asked for.
 */
import { describe, expect, test, vi } from 'vitest';
import * as trampolines from '../lower/stubs/trampolines.js';
import { codegen, type Lowered, lowerText, TARGETS } from '../lower/support.test-helper.js';
import { parseWat } from '../source/bytes.js';
import { compileModuleSync } from './compile.js';
import { baselineFeatures } from './settings.js';
import { requireStackChecks } from './work.js';

type Target = (typeof TARGETS)[number];

const times = (count: number, make: (i: number) => string): string => Array.from({ length: count }, (_, i) => make(i)).join(' ');

/** A module with functions and trampolines for `n` params of a type. */
const text = (n: number, type: string): string => `(module
  (type $f (func (param ${times(n, () => type)}) (result ${type})))
  (import "m" "f" (func $import (type $f)))
  (func $leaf (type $f) (local.get ${n - 1}))
  (func $calls (type $f) (call $leaf ${times(n, (i) => `(local.get ${n - 1 - i})`)}))
  (func $ends (type $f) (return_call $leaf ${times(n, (i) => `(local.get ${n - 1 - i})`)}))
  (func $grows (param ${type}) (result ${type}) (return_call $leaf ${times(n, () => '(local.get 0)')})))`;

interface FrameRow {
  readonly number: number;
  readonly bytes: number;
  readonly checked: boolean;
}

/** Compiles one program. */
function compile<T>(lowered: Lowered, { triple, settings }: Target, use: (compiler: InstanceType<typeof codegen.Compiler>) => T): T {
  const { signatures, functionSignatures } = lowered.context.signatures;
  const compiler = new codegen.Compiler(triple, settings, signatures, functionSignatures);
  try {
    return use(compiler);
  } finally {
    compiler.free();
  }
}

function framesOf(lowered: Lowered, target: Target, program: Int32Array): FrameRow[] {
  const { frames } = compile(lowered, target, (compiler) => compiler.compile(program));
  return Array.from({ length: frames.length / 3 }, (_, i) => ({
    number: frames[3 * i] ?? -1,
    bytes: frames[3 * i + 1] ?? -1,
    checked: frames[3 * i + 2] === 1,
  }));
}

/** What takes bytes off the stack pointer, in text: pushes and subtractions of either instruction set. */
const TAKES: readonly [RegExp, (match: RegExpExecArray) => number][] = [
  [/^pushq /, () => 8],
  [/^subq \$(\w+), %rsp/, ([, bytes]) => Number(bytes)],
  [/\[sp, #-(\d+)\]!/, ([, bytes]) => Number(bytes)],
  [/^sub sp, sp, #(\d+)/, ([, bytes]) => Number(bytes)],
];
/** After a call arguments that the callee took off are made room for again. */
const LEAVES = /^(call|bl|blr|ret|jmp|b) /;

/** By function number, the bytes that its machine code takes off the stack pointer before it calls anything. */
function taken(lowered: Lowered, target: Target, program: Int32Array): Map<number, number> {
  const sizes = new Map<number, number>();
  for (const listing of compile(lowered, target, (compiler) => compiler.asm(program))
    .split(/^function /m)
    .slice(1)) {
    // The call has pushed the return address.
    let bytes = target.triple.startsWith('x86') ? 8 : 0;
    for (const line of listing
      .split('\n')
      .slice(1)
      .map((one) => one.trim())) {
      if (LEAVES.test(line)) break;
      for (const [pattern, size] of TAKES) {
        const match = pattern.exec(line);
        if (match !== null) bytes += size(match);
      }
    }
    sizes.set(Number.parseInt(listing, 10), bytes);
  }
  return sizes;
}

/** A program whose functions do not ask for a check. */
function unchecked(program: Int32Array): Int32Array {
  const words = program.slice();
  for (let at = 0; at < words.length; at += 1 + (words[at] ?? 0)) words[at + 3] = 0;
  return words;
}

const SHAPES = [1, 5, 12, 40, 100].flatMap((n) => ['i32', 'i64', 'f64', 'v128'].map((type) => [n, type] as const));

describe.each(TARGETS)('$triple', (target) => {
  test.each(SHAPES)('frames for %i %s are as large as the machine code makes them, and checked', (n, type) => {
    const lowered = lowerText(text(n, type));
    const [leaf, calls, ends, grows] = lowered.programs as [Int32Array, Int32Array, Int32Array, Int32Array];
    for (const program of [leaf, calls, lowered.trampolines]) {
      const sizes = taken(lowered, target, program);
      const frames = framesOf(lowered, target, program);
      expect(frames.length).toBe(sizes.size);
      // These trampolines end with a tail call of three arguments in registers, for which room is counted.
      const { enterTrampolines, waitTrampolines } = lowered.context.signatures;
      const ending = new Set([...enterTrampolines, ...waitTrampolines].map(({ number }) => number));
      for (const { number, bytes } of frames) expect(bytes - (ending.has(number) ? 48 : 0)).toBe(sizes.get(number));
      if (program !== leaf) for (const { checked } of frames) expect(checked).toBe(true);
    }
    for (const program of [ends, grows]) {
      const [row] = framesOf(lowered, target, program);
      expect(row?.bytes).toBeGreaterThanOrEqual([...taken(lowered, target, program).values()][0] ?? Number.POSITIVE_INFINITY);
      expect(row?.checked).toBe(true);
    }
  });

  test('a function that calls nothing and keeps nothing needs no check', () => {
    const lowered = lowerText(text(1, 'i32'));
    const program = lowered.programs[0] as Int32Array;
    expect(framesOf(lowered, target, program)).toEqual([{ number: 1, bytes: 16, checked: false }]);
    expect(() => compile(lowered, target, (compiler) => requireStackChecks(compiler.compile(program).frames))).not.toThrow();
  });

  test('whether a function checks is read from its code', () => {
    const lowered = lowerText(text(40, 'i64'));
    const rows = framesOf(lowered, target, unchecked(lowered.trampolines));
    expect(rows.length).toBeGreaterThan(1);
    for (const { number, bytes, checked } of rows) {
      expect(checked).toBe(false);
      expect(() => requireStackChecks(Int32Array.of(number, bytes, 0))).toThrow(
        `function ${number} makes a frame of ${bytes} bytes without a check of the stack's limit`,
      );
    }
  });
});

test('a compile fails where a frame is made without a check', () => {
  const lower = trampolines.lowerTrampolines;
  const spy = vi.spyOn(trampolines, 'lowerTrampolines');
  spy.mockImplementation((context) => unchecked(lower(context)));
  const run = (): unknown => compileModuleSync(parseWat(text(1, 'i32')), { target: 'x64', cpu: baselineFeatures('x64') });
  expect(run).toThrow(expect.objectContaining({ code: 'HEDDLE_CODEGEN', message: expect.stringMatching(/makes a frame of \d+ bytes/) }));
  spy.mockRestore();
  expect(run).not.toThrow();
});

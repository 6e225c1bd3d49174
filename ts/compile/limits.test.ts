/**
 * Modules whose bytes are few and whose code would be much: what is made of them is counted at several sizes, or they are refused. And what is
 * computed with locals in the frame is what is computed with locals that are variables.
 */
import { describe, expect, test } from 'vitest';
import { areTooMany, functionSize, usesSlots } from '../lower/function/size.js';
import { clifText, compileOne, type Lowered, lowerBinary, TARGETS } from '../lower/support.test-helper.js';
import { parseWat } from '../source/bytes.js';
import { withCrate } from '../source/crate.js';
import { requireCompilable } from './limits.js';

const times = (count: number, make: (i: number) => string): string => Array.from({ length: count }, (_, i) => make(i)).join('\n');
const bump = (local: number): string => `(local.set ${local} (i32.add (local.get ${local}) (i32.const 1)))`;
/** `count` times `open`, the body, and `close` for each. */
const nested = (count: number, open: (i: number) => string, body: string, close: (i: number) => string): string =>
  `${times(count, open)}\n${body}\n${times(count, close)}`;

/** The function that is looked at is the first one. */
const modulesOf: Record<string, (n: number) => string> = {
  'nested loops': (n) =>
    `(func (local ${'i32 '.repeat(n)}) ${nested(
      n,
      () => 'loop',
      times(n, bump),
      (i) => `(br_if 0 (local.get ${i})) end`,
    )})`,
  'loops in a row': (n) =>
    `(func (local ${'i32 '.repeat(n)}) ${times(n, (i) => `loop ${bump(i)} (br_if 0 (local.get ${i})) end`)} ${times(n, bump)})`,
  'nested ifs': (n) =>
    `(func (local ${'i32 '.repeat(n)}) ${nested(
      n,
      (i) => `local.get ${i} if`,
      times(n, bump),
      () => 'end',
    )} ${times(n, bump)})`,
  'ifs in a row': (n) =>
    `(func (local ${'i32 '.repeat(n)}) loop ${times(n, (i) => `local.get ${i} if ${bump((7 * i) % n)} else ${bump((13 * i) % n)} end`)}
       (br_if 0 (local.get 0)) end)`,
  'exits of one block': (n) =>
    `(func (local ${'i32 '.repeat(n)}) block ${times(n, (i) => `${bump(i)} (br_if 0 (local.get ${i}))`)} end ${times(n, bump)})`,
  'a br_table': (n) =>
    `(func (local ${'i32 '.repeat(n)}) ${'block '.repeat(n)} local.get 0 br_table ${times(n, String)} ${times(n, (i) => `end ${bump(i)}`)} ${times(n, bump)})`,
  'calls in a try': (n) =>
    `(func (local ${'i32 '.repeat(n)}) block try_table (catch_all 0) ${times(n, (i) => `${bump(i)} call $f`)} end end ${times(n, bump)}) (func $f)`,
  'nested tries': (n) =>
    `(func (local ${'i32 '.repeat(n)}) ${nested(
      n,
      () => 'block try_table (catch_all 0)',
      times(n, (i) => `${bump(i)} call $f`),
      (i) => `end end ${bump(i)}`,
    )}) (func $f)`,
  'resumes in a try': (n) =>
    `(type $t (func)) (type $k (cont $t)) (tag $e) (func (param $c (ref null $k)) (local ${'i32 '.repeat(n)}) block try_table (catch_all 0)
       ${times(n, (i) => `${bump(i + 1)} block $on (result (ref $k)) (resume $k (on $e $on) (local.get $c)) ref.null $k ref.as_non_null end drop`)} end end ${times(n, (i) => bump(i + 1))})`,
  'locals that live long': (n) =>
    `(func (local ${'i32 '.repeat(n)}) ${times(n, (i) => `call $v local.set ${i}`)} ${times(n, () => 'block (br_if 0 (call $v)) call $f end')} ${times(n, bump)})
     (func $v (result i32) (i32.const 1)) (func $f)`,
  'operands that live long': (n) =>
    `(func ${times(n, () => 'call $v')} ${times(n, () => 'block (br_if 0 (call $v)) call $f end')} ${times(n, () => 'drop')})
     (func $v (result i32) (i32.const 1)) (func $f)`,
};

/** Words of the first function's program; block params and arguments of branches in its CLIF; bytes of its code. */
function counts(lowered: Lowered): { readonly words: number; readonly edges: number; readonly code: number } {
  const program = lowered.programs[0] ?? new Int32Array();
  let edges = 0;
  // Parentheses behind a block's name have its params where it begins, and arguments where a branch names it.
  for (const [, inside = ''] of clifText(lowered, program).matchAll(/\bblock\d+\(([^)]*)\)/g)) edges += inside.split(',').length;
  return { words: program.length, edges, code: compileOne(lowered, program, TARGETS[0]).length };
}

const FEATURES = 0;

describe('what grows with the product of two things in WebAssembly does not in the code', () => {
  test.each(Object.keys(modulesOf))('%s', (kind) => {
    const make = modulesOf[kind] ?? (() => '');
    const at = (n: number): ReturnType<typeof counts> => counts(lowerBinary(parseWat(`(module ${make(n)})`), { debug: true }, FEATURES));
    const sizes = [at(60), at(120), at(240)] as const;
    const [, middle, large] = sizes;
    // A product would be four times as much.
    for (const what of ['words', 'edges', 'code'] as const) {
      expect(large[what], `${what}: ${sizes.map((size) => size[what]).join(', ')}`).toBeLessThan(2.6 * middle[what] + 600);
    }
    // Nor is there a size below which it does: an operator is about three words, and may stand for eight arguments.
    for (const { words, edges } of sizes) expect(edges).toBeLessThan(2_000 + 3 * words);
  });
});

test.each(Object.keys(modulesOf))('the quick look lets nothing pass that the whole estimate finds: %s', (kind) => {
  const slots: boolean[] = [];
  for (const n of [2, 4, 8, 16, 24, 32, 48, 64, 96, 240]) {
    const binary = parseWat(`(module ${modulesOf[kind]?.(n)})`);
    const { arities, spaces } = lowerBinary(binary, {}, FEATURES).context;
    const ops = withCrate((crate) => new crate.ModuleInfo(binary, FEATURES, false).ops(0));
    const arity = arities.function(spaces.importedFunctions);
    expect(usesSlots(ops, arity, arities), `${n}`).toBe(areTooMany(functionSize(ops, arity, arities)));
    slots.push(usesSlots(ops, arity, arities));
  }
  expect(slots[0]).toBe(false);
});

/** The error that a module in text is refused with. */
function refusal(text: string): unknown {
  try {
    requireCompilable(parseWat(`(module ${text})`));
    return undefined;
  } catch (error) {
    return error;
  }
}

const I32S = 'i32 '.repeat(900);
const wide = `(type $t (func (param ${I32S}) (result ${I32S})))`;
const push = times(900, () => 'i32.const 1');
const drop = times(900, () => 'drop');

describe('limits', () => {
  test.each([
    ['nested loops', (n: number) => `(func ${'loop '.repeat(n)} ${'end '.repeat(n)})`, 250],
    [
      'calls with many params and results',
      (n: number) => `${wide} (func ${push} ${'call $f '.repeat(n)} ${drop}) (func $f (type $t) unreachable)`,
      25,
    ],
    [
      'blocks with many params and results',
      (n: number) => `${wide} (func ${push} ${'block (type $t) '.repeat(n)} ${'end '.repeat(n)} ${drop})`,
      25,
    ],
    [
      'a br_table with many operands',
      (n: number) => `(func ${`block (result ${I32S}) `.repeat(2)} ${push} i32.const 0 br_table ${'0 1 '.repeat(n)} end br 0 end ${drop})`,
      20,
    ],
    ['functions with many params and results', (n: number) => `${wide} ${'(func (type $t) unreachable)'.repeat(n)}`, 500],
  ] as const)('%s', (_, make, most) => {
    expect(refusal(make(most))).toBeUndefined();
    const error = refusal(make(3 * most));
    expect(error).toBeInstanceOf(WebAssembly.CompileError);
    expect(error).toMatchObject({ code: 'HEDDLE_LIMIT', offset: expect.any(Number) });
  });

  test('the offset is that of the loop', () => {
    const text = `(func nop ${'loop '.repeat(251)} ${'end '.repeat(251)})`;
    const bytes = parseWat(`(module ${text})`);
    // A loop is its opcode and the empty block type.
    const first = bytes.findIndex((byte, i) => byte === 0x03 && bytes[i + 1] === 0x40 && bytes[i + 2] === 0x03);
    expect(refusal(text)).toMatchObject({ offset: first + 2 * 250 });
  });

  test('a nop is no instruction', () => {
    const module = (body: readonly number[], count: number, operator: readonly number[]): Uint8Array => {
      const size = 1 + count * operator.length + body.length + 1;
      const leb = (value: number): number[] => [
        (value & 0x7f) | 0x80,
        ((value >> 7) & 0x7f) | 0x80,
        ((value >> 14) & 0x7f) | 0x80,
        value >> 21,
      ];
      const head = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 10, ...leb(size + 5), 1, ...leb(size), 0];
      const bytes = new Uint8Array(head.length + size - 1);
      bytes.set(head);
      for (let i = 0; i < count; i++) bytes.set(operator, head.length + i * operator.length);
      bytes.set([...body, 0x0b], bytes.length - body.length - 1);
      return bytes;
    };
    expect(() => requireCompilable(module([], 1_000_000, [0x01]))).not.toThrow();
    // i32.const 0, drop: two instructions.
    expect(() => requireCompilable(module([], 400_000, [0x41, 0, 0x1a]))).toThrow(expect.objectContaining({ code: 'HEDDLE_LIMIT' }));
  });

  test('suspensions of one function, which are many instructions each', () => {
    const make = (count: number): string => `(tag $t) (func ${'(suspend $t) '.repeat(count)})`;
    expect(refusal(make(7_000))).toBeUndefined();
    expect(refusal(make(8_000))).toMatchObject({ code: 'HEDDLE_LIMIT' });
  });

  test('operators of one function', () => {
    const leb = (n: number): number[] => [(n & 0x7f) | 0x80, ((n >> 7) & 0x7f) | 0x80, n >> 14];
    const head = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 10];
    // One function: no locals, `i32.const 0 drop` so many times, end.
    const make = (times: number): Uint8Array => {
      const start = [...head, ...leb(3 * times + 6), 1, ...leb(3 * times + 2), 0];
      const bytes = new Uint8Array(start.length + 3 * times + 1);
      for (let i = start.length; i < bytes.length - 1; i += 3) bytes.set([0x41, 0, 0x1a], i);
      bytes.set(start);
      bytes[bytes.length - 1] = 0x0b;
      return bytes;
    };
    expect(() => requireCompilable(make(299_000))).not.toThrow();
    expect(() => requireCompilable(make(300_000))).toThrow(expect.objectContaining({ code: 'HEDDLE_LIMIT', offset: 26 }));
  });

  test('locals that nothing names cost nothing', () => {
    const at = (n: number): number => {
      const lowered = lowerBinary(
        parseWat(`(module (func (param i64) (result f64) (local ${'i32 f64 '.repeat(n)}) (local.get ${2 * n})))`),
      );
      return lowered.programs[0]?.length ?? 0;
    };
    expect(at(20_000)).toBe(at(2_000));
  });
});

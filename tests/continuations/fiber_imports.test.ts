/**
 * Fibers that C makes by imports. What they compute is computed here by generators.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Continuation, collect, WebAssembly as Heddle, parseWat, type ShadowStackOptions, statistics } from '../../ts/index.js';

type Functions = Heddle.Exports;

const bytes = readFileSync(new URL('../modules/c/fibers.wasm', import.meta.url));

// fibers.c, in JavaScript.
const WORDS = 64;
const next = (x: number): number => (Math.imul(x, 1_664_525) + 1_013_904_223) >>> 0;
const fill = (seed: number): number[] => {
  let x = seed;
  return Array.from({ length: WORDS }, () => {
    x = next(x);
    return x;
  });
};
const sum = (words: readonly number[]): number => words.reduce((a, b) => (a + b) >>> 0, 0);

function* mixer(seed: number): Generator<number, number, number> {
  const words = fill(seed);
  for (let i = 0; ; i++) {
    const got = yield sum(words);
    if (got === 0) return sum(words);
    words[i % WORDS] = ((words[i % WORDS] ?? 0) ^ got) >>> 0;
  }
}

function mix(count: number, rounds: number): number {
  const mixers = Array.from({ length: count }, (_, i) => mixer(i + 1));
  let total = 0;
  const add = (value: number): void => {
    total = (total + value) >>> 0;
  };
  for (const one of mixers) add(one.next().value);
  // What a mixer gets is 64 bits; it is the upper ones that it uses, and 0 in all that ends it.
  for (let round = 1; round <= rounds; round++) {
    mixers.forEach((one, i) => {
      add(one.next(next(Math.imul(i, round) >>> 0)).value);
    });
  }
  for (const one of mixers) add(one.next(0).value);
  return (total + sum(fill(count))) >>> 0;
}

/** What the import `wait` gives. */
const answer = (value: number): number => value * 1000 + 1;

function* nested(depth: number): Generator<number, number> {
  const words = sum(fill(depth));
  const below = depth === 0 ? answer(7) : (nested(depth - 1).next().value ?? 0);
  yield below;
  return below + words;
}

function nest(depth: number): number {
  const fiber = nested(depth);
  const yielded = fiber.next().value;
  return (yielded ^ fiber.next().value) >>> 0;
}

const FUNCTIONS = { echo: 0, ofJavaScript: 1, resumesItself: 2, freesItself: 3, asksOfItself: 4, deep: 5, ofAnotherType: 6 } as const;

function load(env: { wait?: unknown; call?: unknown } = {}, shadowStack?: ShadowStackOptions): Functions {
  const imports = { wait: () => 0, call: () => 0, ...env };
  return new Heddle.Instance(new Heddle.Module(bytes, shadowStack === undefined ? {} : { shadowStack }), { env: imports })
    .exports as Functions;
}

/** The code of the trap that a function ends with. */
function trapOf(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return Reflect.get(error as object, 'code');
  }
}

const make = (exports: Functions, what: keyof typeof FUNCTIONS): unknown => exports['make']?.(FUNCTIONS[what]);
const call = (exports: Functions, name: string, ...args: unknown[]): unknown => exports[name]?.(...args);

describe('fibers in C', () => {
  test.each([
    [1, 3, undefined],
    [100, 5, undefined],
    [1000, 2, { size: 1024 }],
  ] as const)('%i of them in turn keep their locals', (count, rounds, options) => {
    const exports = load({}, options);
    expect(Number(call(exports, 'mix', count, rounds)) >>> 0).toBe(mix(count, rounds));
    expect(Number(call(exports, 'mix', count, rounds)) >>> 0).toBe(mix(count, rounds));
  });

  test('wait for promises, one in another, many calls at once', async () => {
    const wait = new Heddle.Suspending(async (value: number) => {
      await new Promise(setImmediate);
      return answer(value);
    });
    const run = Heddle.promising(load({ wait }, { size: 1024 })['nest']);
    const depths = Array.from({ length: 60 }, (_, i) => i % 10);
    const results = await Promise.all(depths.map((depth) => run(depth)));
    expect(results.map((value) => Number(value) >>> 0)).toEqual(depths.map(nest));
  });

  test('give and get 64-bit values, and say how they are', () => {
    const exports = load();
    const fiber = make(exports, 'echo');
    const status = (): unknown => call(exports, 'status', fiber);
    expect(status()).toBe(0);
    expect(call(exports, 'resume', fiber, 2n ** 60n)).toBe(BigInt.asIntN(64, 3n * 2n ** 60n));
    expect(status()).toBe(0);
    expect(call(exports, 'resume', fiber, -5n)).toBe(-15n);
    expect(call(exports, 'resume', fiber, 0n)).toBe(99n);
    expect(status()).toBe(2);
    call(exports, 'release', fiber);
    expect(status()).toBe(3);
    const asking = make(exports, 'asksOfItself');
    expect(call(exports, 'resume', asking, BigInt(Number(asking)))).toBe(1n);
  });

  test('yield through JavaScript to nobody', () => {
    let exports: Functions = {};
    const codes: unknown[] = [];
    exports = load({
      call: (value: number) => {
        codes.push(trapOf(() => call(exports, 'yield', BigInt(value))));
        return 5;
      },
    });
    expect(call(exports, 'resume', make(exports, 'ofJavaScript'), 1n)).toBe(5n);
    expect(codes).toEqual(['HEDDLE_TRAP_BARRIER']);
  });

  test('are resumed by calls that JavaScript makes from inside of others', () => {
    let exports: Functions = {};
    const inner: unknown[] = [];
    exports = load({
      call: (value: number) => {
        inner.push(call(exports, 'resume', inner[0], BigInt(value)));
        return value;
      },
    });
    inner.push(make(exports, 'echo'));
    expect(call(exports, 'resume', make(exports, 'ofJavaScript'), 7n)).toBe(7n);
    expect(inner[1]).toBe(21n);
    expect(call(exports, 'resume', inner[0], 0n)).toBe(99n);
  });
});

/** A fiber with a frame of its own yields once and then throws, or throws at once; its resumer has a frame, too, and catches. */
const THROWS = `(module
  (type $function (func (param i64) (result i64)))
  (import "heddle" "fiber_new" (func $new (param i32) (result i32)))
  (import "heddle" "fiber_resume" (func $resume (param i32 i64) (result i64)))
  (import "heddle" "fiber_yield" (func $yield (param i64) (result i64)))
  (import "heddle" "fiber_status" (func $status (param i32) (result i32)))
  (import "env" "wait" (func $wait))
  (table funcref (elem $body)) (memory 1) (tag $t (param i64))
  (global $pointer (export "pointer") (mut i32) (i32.const 65536)) (global (export "__stack_low") i32 (i32.const 0))
  (func $body (type $function) (local $frame i32)
    (global.set $pointer (local.tee $frame (i32.sub (global.get $pointer) (i32.const 64))))
    (i64.store (local.get $frame) (local.get 0))
    (drop (call $yield (i64.const 1)))
    (call $wait)
    (throw $t (i64.load (local.get $frame))))
  (func (export "run") (param $value i64) (result i64 i32) (local $frame i32) (local $fiber i32)
    (global.set $pointer (local.tee $frame (i32.sub (global.get $pointer) (i32.const 32))))
    (local.set $fiber (call $new (i32.const 0)))
    (i64.store (local.get $frame) (call $resume (local.get $fiber) (local.get $value)))
    (i64.add (i64.load (local.get $frame))
      (block $caught (result i64)
        (try_table (catch $t $caught) (drop (call $resume (local.get $fiber) (i64.const 0))))
        (i64.const -1)))
    (global.set $pointer (i32.add (local.get $frame) (i32.const 32)))
    (call $status (local.get $fiber))))`;

describe('an exception', () => {
  test('goes on in the resumer, with its pointer, and the fiber is done', () => {
    const { exports } = new Heddle.Instance(new Heddle.Module(parseWat(THROWS)), { env: { wait: () => undefined } });
    for (const value of [41n, 1n]) expect(exports['run'](value)).toEqual([value + 1n, 2]);
    expect(exports['pointer'].value).toBe(65_536);
  });

  test('of a promise that the fiber waits for as well', async () => {
    const wait = new Heddle.Suspending(() => new Promise(setImmediate));
    const module = new Heddle.Module(parseWat(THROWS), { shadowStack: { size: 1024 } });
    const { exports } = new Heddle.Instance(module, { env: { wait } });
    const run = Heddle.promising(exports['run']);
    const values = [1n, 2n, 3n, 4n];
    expect(await Promise.all(values.map((value) => run(value)))).toEqual(values.map((value) => [value + 1n, 2]));
    expect(exports['pointer'].value).toBe(65_536);
  });
});

describe('misuse', () => {
  const exports = load();
  const done = make(exports, 'echo');
  call(exports, 'resume', done, 0n);
  const freed = make(exports, 'echo');
  call(exports, 'release', freed);
  const self = make(exports, 'resumesItself');
  const free = make(exports, 'freesItself');

  test.each([
    ['resuming one that has returned', () => call(exports, 'resume', done, 1n), 'FIBER_DONE'],
    ['resuming one that was freed', () => call(exports, 'resume', freed, 1n), 'FIBER_UNKNOWN'],
    ['freeing one twice', () => call(exports, 'release', freed), 'FIBER_UNKNOWN'],
    ['a number that was never given', () => call(exports, 'resume', 12_345, 1n), 'FIBER_UNKNOWN'],
    ['the number 0', () => call(exports, 'release', 0), 'FIBER_UNKNOWN'],
    ['resuming the running one', () => call(exports, 'resume', self, BigInt(Number(self))), 'FIBER_RUNNING'],
    ['freeing the running one', () => call(exports, 'resume', free, BigInt(Number(free))), 'FIBER_RUNNING'],
    ['yielding outside', () => call(exports, 'yield', 1n), 'FIBER_OUTSIDE'],
    ['a function of another type', () => make(exports, 'ofAnotherType'), 'INDIRECT_CALL_TYPE'],
    ['a function that is null', () => call(exports, 'make_of', 0), 'UNINITIALIZED_ELEMENT'],
    ['a function beyond the table', () => call(exports, 'make_of', 1_000_000), 'UNDEFINED_ELEMENT'],
  ])('%s is a trap', (_, run, code) => {
    expect(trapOf(run)).toBe(`HEDDLE_TRAP_${code}`);
  });

  test('a fiber that has trapped is done', () => {
    expect([call(exports, 'status', self), call(exports, 'status', free)]).toEqual([2, 2]);
  });

  test("an overflow of a fiber's stack in linear memory is a trap that names it", () => {
    const small = load({}, { size: 1024 });
    const descend = (depth: number): number => (depth === 0 ? 0 : descend(depth - 1) + sum(fill(depth))) >>> 0;
    expect(Number(call(small, 'descend', 2)) >>> 0).toBe((descend(2) + sum(fill(2))) >>> 0);
    expect(trapOf(() => call(small, 'descend', 4))).toBe('HEDDLE_TRAP_SHADOW_OVERFLOW');
    expect(Number(call(small, 'descend', 2)) >>> 0).toBe((descend(2) + sum(fill(2))) >>> 0);
  });

  test('yielding to JavaScript that resumed a continuation is no value for it', () => {
    expect(trapOf(() => new Continuation(exports['yield'] ?? (() => 0)).resume(1n))).toBe('HEDDLE_TRAP_FIBER_OUTSIDE');
  });

  test.each([
    ['(import "heddle" "fiber_new" (func (param i32) (result i32)))', 'table of functions'],
    ['(import "heddle" "fiber_resume" (func (param i32 i32) (result i32)))', '[i32 i64] -> [i64]'],
    ['(import "heddle" "fiber_yield" (func (param i64)))', '[i64] -> [i64]'],
  ])('a wrong import does not link: %s', (text, message) => {
    expect(() => new Heddle.Instance(new Heddle.Module(parseWat(`(module ${text})`)), {})).toThrowError(
      expect.objectContaining({ code: 'HEDDLE_LINK_TYPE', message: expect.stringContaining(message) }),
    );
  });
});

describe('what is given back', () => {
  test('fibers that are freed while they are suspended, with their stacks', () => {
    const exports = load();
    collect();
    const before = statistics().stacksLive;
    const fibers = Array.from({ length: 50 }, () => make(exports, 'echo'));
    for (const fiber of fibers) call(exports, 'resume', fiber, 1n);
    expect(statistics().stacksLive).toBe(before + 50);
    collect();
    expect(statistics().stacksLive).toBe(before + 50);
    for (const fiber of fibers) call(exports, 'release', fiber);
    expect(statistics().stacksLive).toBe(before);
  });

  test('numbers are not used again', () => {
    const exports = load();
    const seen = new Set<unknown>();
    for (let i = 0; i < 10_000; i++) {
      const fiber = make(exports, 'echo');
      expect(seen.has(fiber)).toBe(false);
      seen.add(fiber);
      call(exports, 'release', fiber);
    }
  });
});

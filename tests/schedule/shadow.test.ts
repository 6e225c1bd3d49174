/**
 * Calls of one C module that wait at the same time: each has a stack of its own in linear memory. What they compute is computed here as well.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Continuation, collect, WebAssembly as Heddle, parseWat, Scheduler, type ShadowStackOptions } from '../../ts/index.js';
import { quickJsFile } from '../modules/quickjs_engine.js';

type Functions = Heddle.Exports;

/** Of C, unless the name says otherwise. */
const module = (name: string): Uint8Array => readFileSync(new URL(`../modules/c/${name}.wasm`, import.meta.url));
const RUST = '../rust/locals';
const allocator = { allocate: 'take', free: 'drop' };

// locals.c, in JavaScript.
const WORDS = 64;
const FRAME = WORDS * 4;
const next = (x: number): number => (Math.imul(x, 1_664_525) + 1_013_904_223) >>> 0;
const fill = (seed: number): number[] => {
  let x = seed;
  return Array.from({ length: WORDS }, () => {
    x = next(x);
    return x;
  });
};
const sum = (words: readonly number[]): number => words.reduce((a, b) => (a + b) >>> 0, 0);
/** What the import gives. */
const answer = (value: number): number => (value ^ 0x5a5a_5a5a) >>> 0;
function work(seed: number, rounds: number): number {
  const words = fill(seed);
  for (let i = 0; i < rounds; i++) words[i % WORDS] = ((words[i % WORDS] ?? 0) ^ answer(sum(words))) >>> 0;
  return sum(words);
}
const nest = (seed: number, depth: number): number => ((depth === 0 ? answer(seed) : nest(next(seed), depth - 1)) + sum(fill(seed))) >>> 0;
const descend = (seed: number, depth: number): number => ((depth === 0 ? 0 : descend(next(seed), depth - 1)) + sum(fill(seed))) >>> 0;
const deepen = (seed: number, depth: number): number => ((depth === 0 ? 0 : descend(seed, depth - 1)) + sum(fill(answer(seed)))) >>> 0;

/** An instance whose waits end when the test says so, in any order. */
class Module {
  readonly exports: Functions;
  /** The calls that wait: value and continuation, in the order in which they began to. */
  readonly waits: { readonly value: number; readonly go: () => void }[] = [];

  constructor(name: string, shadowStack?: ShadowStackOptions | false) {
    const wait = new Heddle.Suspending(
      (value: number) => new Promise((resolve) => this.waits.push({ value: value >>> 0, go: () => resolve(answer(value) | 0) })),
    );
    const options = shadowStack === undefined ? {} : { shadowStack };
    this.exports = new Heddle.Instance(new Heddle.Module(module(name), options), { env: { wait } }).exports as Functions;
  }

  async call(name: string, ...args: number[]): Promise<number> {
    return Number(await Heddle.promising(this.exports[name])(...args)) >>> 0;
  }

  /** Ends a wait, by default the one that began first, and lets its call go on. */
  async end(place = 0): Promise<void> {
    this.waits.splice(place, 1)[0]?.go();
    await new Promise(setImmediate);
  }
}

/** Two calls wait, the first ends, a third begins: with one stack it gets the place of the second. */
async function overlap(instance: Module): Promise<number[]> {
  const results = [instance.call('work', 1, 1), instance.call('work', 2, 1)];
  await instance.end();
  results.push(instance.call('nest', 3, 4));
  await instance.end();
  await instance.end();
  return Promise.all(results);
}

const EXPECTED = [work(1, 1), work(2, 1), nest(3, 4)];

describe('calls that wait', () => {
  test.each([
    ['with the pointer exported', 'locals', undefined],
    ['with the pointer found by its prologues', 'locals_bare', undefined],
    ["with space from the module's allocator", 'locals', { allocator, size: 4096 }],
    ['with the pointer named by the option', 'locals_bare', { pointer: 0 }],
    ['with the low end named by the option', 'locals', { low: 512 * 1024, size: 2048 }],
    ['in Rust', RUST, undefined],
    ['moved while they wait', 'locals', { move: true }],
    ['moved while they wait, with the pointer named', 'locals_bare', { pointer: 0, move: true }],
    ['moved while they wait, in Rust', RUST, { move: true }],
  ] as const)('keep their locals: %s', async (_, name, options) => {
    expect(await overlap(new Module(name, options))).toEqual(EXPECTED);
  });

  test('share one stack where the option says so, and overwrite each other', async () => {
    expect(await overlap(new Module('locals', false))).not.toEqual(EXPECTED);
  });

  test.each([
    ['slices', 'locals', { size: 832 }],
    ['the allocator', 'locals', { allocator, size: 832 }],
    ['slices, in Rust', RUST, { size: 832 }],
    ['moved', 'locals', { move: true }],
    ['moved, in Rust', RUST, { move: true }],
  ])('1,000 in flight, and as many again while they end: %s', async (_, name, options) => {
    const instance = new Module(name, options);
    let x = 1;
    const results: Promise<number>[] = [];
    const begin = (i: number): void => {
      // Calls that nothing sets aside come between.
      if (i % 50 === 0) expect(Number(instance.exports['descend']?.(i, 1)) >>> 0).toBe(descend(i, 1));
      results.push(i % 3 === 0 ? instance.call('nest', i, 1) : instance.call('work', i, 2));
    };
    for (let i = 0; i < 1000; i++) begin(i);
    expect(instance.waits.length).toBe(1000);
    for (let i = 1000; i < 2000; ) {
      x = next(x);
      await instance.end(x % instance.waits.length);
      if (instance.waits.length < 1000) begin(i++);
    }
    while (instance.waits.length > 0) {
      x = next(x);
      await instance.end(x % instance.waits.length);
    }
    expect(await Promise.all(results)).toEqual(results.map((_promise, i) => (i % 3 === 0 ? nest(i, 1) : work(i, 2))));
  });

  test('as tasks of a scheduler, of which some are cancelled', async () => {
    const scheduler = new Scheduler();
    const env = { wait: new Heddle.Suspending(async (value: number) => scheduler.sleep(value & 7).then(() => answer(value) | 0)) };
    const { instance } = await Heddle.instantiate(module('locals'), { env }, { shadowStack: { size: 1024 } });
    const tasks = Array.from({ length: 200 }, (_, i) => scheduler.spawn(instance.exports['work'], [i, 3]));
    await scheduler.sleep(2);
    tasks.forEach((task, i) => {
      if (i % 4 === 1) task.cancel();
    });
    const results = await Promise.allSettled(tasks.map((task) => task.promise));
    results.forEach((result, i) => {
      if (i % 4 === 1) expect(result).toMatchObject({ status: 'rejected', reason: { code: 'HEDDLE_CANCELLED' } });
      else expect(result).toEqual({ status: 'fulfilled', value: work(i, 3) | 0 });
    });
    expect(instance.exports['__stack_pointer'].value).toBe(1024 * 1024);
  });

  test.each([
    ['each with an area of its own', {}],
    ['moved while they wait', { shadowStack: { move: true } }],
  ] as const)('begun inside an import of another call: %s', async (_, options) => {
    const inner: Promise<unknown>[] = [];
    const env: Record<string, unknown> = {};
    const { instance } = await Heddle.instantiate(
      module('locals'),
      {
        env: {
          wait: new Heddle.Suspending((value: number) => {
            if (value >>> 0 < 100) inner.push(Heddle.promising(instance.exports['nest'])(value + 1000, 2));
            return new Promise((resolve) => setImmediate(() => resolve(answer(value) | 0)));
          }),
        },
      },
      options,
    );
    expect(env).toEqual({});
    const outer = [1, 2, 3].map((seed) => Heddle.promising(instance.exports['nest'])(seed, 0));
    expect(await Promise.all(outer)).toEqual([1, 2, 3].map((seed) => nest(seed, 0) | 0));
    expect(await Promise.all(inner)).toEqual([1, 2, 3].map((seed) => nest(seed + 1000, 2) | 0));
  });
});

describe('where frames are moved', () => {
  const pointer = (instance: Module): number => (instance.exports['__stack_pointer'] as unknown as { value: number }).value;

  test('each call that waits, and each that comes between, has all of the stack', async () => {
    const instance = new Module('locals', { move: true });
    const depths = [900, 1, 700, 30, 1000];
    // Frames of 300 KiB that overlap, in each order.
    const calls = depths.map((depth, i) => instance.call('deepen', i, depth));
    const nested = depths.map((depth, i) => instance.call('nest', i, depth));
    expect(pointer(instance)).toBe(1024 * 1024);
    for (let i = 0; instance.waits.length > 0; i++) {
      expect(Number(instance.exports['descend']?.(i, 1000)) >>> 0).toBe(descend(i, 1000));
      await instance.end(i % 3 === 0 ? instance.waits.length - 1 : 0);
    }
    expect(await Promise.all(calls)).toEqual(depths.map((depth, i) => deepen(i, depth)));
    expect(await Promise.all(nested)).toEqual(depths.map((depth, i) => nest(i, depth)));
    expect(pointer(instance)).toBe(1024 * 1024);
  });

  test('a call that fails, or is cancelled, leaves the frames of those around it', async () => {
    const scheduler = new Scheduler();
    const gates: ((error?: Error) => void)[] = [];
    const wait = new Heddle.Suspending(
      (value: number) => new Promise((go, fail) => gates.push((error) => (error === undefined ? go(answer(value) | 0) : fail(error)))),
    );
    const { exports } = new Heddle.Instance(new Heddle.Module(module('locals'), { shadowStack: { move: true } }), { env: { wait } });
    const tasks = [1, 2, 3, 4].map((seed) => scheduler.spawn(exports['nest'], [seed, seed * 3]));
    while (gates.length < 4) await new Promise(setImmediate);
    tasks[1]?.cancel();
    gates[2]?.(new Error('gone'));
    gates[0]?.();
    gates[3]?.();
    const results = await Promise.allSettled(tasks.map((task) => task.promise));
    expect(results).toMatchObject([
      { value: nest(1, 3) | 0 },
      { reason: { code: 'HEDDLE_CANCELLED' } },
      { reason: { message: 'gone' } },
      { value: nest(4, 12) | 0 },
    ]);
    expect(exports['__stack_pointer'].value).toBe(1024 * 1024);
  });

  test('who goes on inside an import of another call finds its own, and leaves those of the other', async () => {
    // JavaScript goes on with a continuation from inside of a call whose frames lie at the same addresses.
    const { instance } = suspender({ pointer: 'pointer', move: true });
    const run = instance.exports['run'];
    const first = new Continuation(run).resume(7);
    const outer: number[] = [];
    const step = new Continuation(run).resume(8);
    if (first.done || step.done) throw new Error('neither is over');
    const text = `(module (import "m" "inside" (func $inside (result i32))) (import "m" "memory" (memory 2)) (import "m" "pointer" (global $pointer (mut i32)))
      (func (export "around") (result i32) (local $frame i32)
        (global.set $pointer (local.tee $frame (i32.sub (global.get $pointer) (i32.const 64))))
        (memory.fill (local.get $frame) (i32.const 0x33) (i32.const 64))
        (i32.add (call $inside) (i32.load (local.get $frame)))
        (i32.add (i32.load offset=60 (local.get $frame)))
        (global.set $pointer (i32.add (local.get $frame) (i32.const 64)))))`;
    const inside = (): number => {
      for (const one of [first, step]) {
        const result = one.done ? one : one.continuation.resume(1000);
        outer.push(result.done ? Number(result.value) : -1);
      }
      return 1;
    };
    const { memory, pointer: global } = instance.exports;
    const around = new Heddle.Instance(new Heddle.Module(parseWat(text)), { m: { inside, memory, pointer: global } }).exports['around'];
    expect(around()).toBe((1 + 2 * 0x3333_3333) | 0);
    expect(outer).toEqual([1007, 1008]);
    expect(instance.exports['pointer'].value).toBe(65_536);
  });
});

/** A function of WebAssembly that waits for what it is given, and what lets its calls go on. */
function waiter(): [unknown, (() => void)[]] {
  const text =
    '(module (import "m" "wait" (func $wait (param i32) (result i32))) (func (export "wait") (param i32) (result i32) (call $wait (local.get 0))))';
  const going: (() => void)[] = [];
  const wait = new Heddle.Suspending((value: number) => new Promise((resolve) => going.push(() => resolve(value))));
  return [new Heddle.Instance(new Heddle.Module(parseWat(text)), { m: { wait } }).exports['wait'], going];
}

/** A module without imports whose function `nest` makes a `call` of type $wait below so many frames of 1 KiB. `param` is a further one, $f, which each passes on. */
const nesting = (table: string, param: string, call: string): string => `(module (type $wait (func (param i32) (result i32)))
  (memory 1) (global $sp (mut i32) (i32.const 65536)) ${table}
  (func $nest (export "nest") (param $depth i32) ${param} (result i32) (local $frame i32)
    (global.set $sp (local.tee $frame (i32.sub (global.get $sp) (i32.const 1024))))
    (i32.store (local.get $frame) (local.get $depth))
    (if (local.get $depth) (then (drop (call $nest (i32.sub (local.get $depth) (i32.const 1)) ${param === '' ? '' : '(local.get $f)'})))
      (else (drop (${call}))))
    (global.set $sp (i32.add (local.get $frame) (i32.const 1024)))
    (i32.load (local.get $frame))))`;

describe('an overflow', () => {
  test('is a trap that names the shadow stack, and ends that call alone', async () => {
    const instance = new Module('locals', { size: 16 * FRAME });
    const [long, short, other] = [instance.call('deepen', 1, 3), instance.call('deepen', 2, 30), instance.call('work', 3, 1)];
    const failed = expect(short).rejects.toMatchObject({
      code: 'HEDDLE_TRAP_SHADOW_OVERFLOW',
      message: expect.stringContaining(`${16 * FRAME} bytes`),
      stack: expect.stringContaining('descend'),
    });
    await instance.end(1);
    await failed;
    await instance.end();
    await instance.end();
    expect([await long, await other]).toEqual([deepen(1, 3), work(3, 1)]);
    // Its place is free again, and the pointer where it was.
    expect(await overlap(instance)).toEqual(EXPECTED);
  });

  test('of a single call is that of the module itself', async () => {
    const instance = new Module('locals', { size: 1024 });
    const call = instance.call('deepen', 1, 1000);
    await instance.end();
    expect(await call).toBe(deepen(1, 1000));
  });

  test.each([
    ['half of the stack where another has a slice', undefined, true],
    ['all of it where the other has a block', { allocator }, false],
    ['all of it where frames are moved', { move: true }, false],
  ] as const)('of the first call, which has %s', async (_, options, overflows) => {
    const instance = new Module('locals', options);
    const frames = Math.floor((600 * 1024) / FRAME);
    const [first, second] = [instance.call('deepen', 1, frames), instance.call('work', 2, 1)];
    const refused = { code: 'HEDDLE_TRAP_SHADOW_OVERFLOW', message: expect.stringContaining('shadowStack.allocator') };
    const ended = overflows ? expect(first).rejects.toMatchObject(refused) : expect(first).resolves.toBe(deepen(1, frames));
    await instance.end();
    await ended;
    await instance.end();
    expect(await second).toBe(work(2, 1));
    // When the other has ended it has all again.
    const alone = instance.call('deepen', 4, frames);
    await instance.end();
    expect(await alone).toBe(deepen(4, frames));
  });

  test('in a module whose table was given a function that waits when it was linked already', async () => {
    const text = nesting('(table (export "table") 1 funcref)', '', 'call_indirect (type $wait) (i32.const 5) (i32.const 0)');
    const [other, going] = waiter();
    const { nest, table } = new Heddle.Instance(new Heddle.Module(parseWat(text), { shadowStack: { low: 1024, size: 4096 } })).exports;
    (table as WebAssembly.Table).set(0, other);
    const call = Heddle.promising(nest);
    const calls = [call(10), call(2)];
    await expect(call(10)).rejects.toMatchObject({ code: 'HEDDLE_TRAP_SHADOW_OVERFLOW', message: expect.stringContaining('4096 bytes') });
    for (const go of going) go();
    expect(await Promise.all(calls)).toEqual([10, 2]);
  });

  test('in a module that was given a function that waits as an argument', async () => {
    const text = nesting('', '(param $f (ref null $wait))', 'call_ref $wait (i32.const 5) (local.get $f)');
    const [other, going] = waiter();
    const { nest } = new Heddle.Instance(new Heddle.Module(parseWat(text), { shadowStack: { low: 1024, size: 4096 } })).exports;
    const call = Heddle.promising(nest);
    const calls = [call(10, other), call(2, other)];
    await expect(call(10, other)).rejects.toMatchObject({ code: 'HEDDLE_TRAP_SHADOW_OVERFLOW' });
    for (const go of going) go();
    expect(await Promise.all(calls)).toEqual([10, 2]);
  });

  test('where calls that wait have all of it', async () => {
    // 64 KiB in quarters.
    const instance = new Module('locals_bare');
    const calls = [1, 2, 3, 4].map((seed) => instance.call('work', seed, 1));
    const refused = { code: 'HEDDLE_TRAP_SHADOW_OVERFLOW', message: expect.stringContaining('allocator') };
    await expect(instance.call('work', 5, 1)).rejects.toMatchObject(refused);
    // Nor has a call that nothing sets aside any place, if it needs one.
    expect(() => instance.exports['descend']?.(1, 1)).toThrowError(expect.objectContaining(refused));
    expect(instance.exports['text_length']?.()).toBe(56);
    while (instance.waits.length > 0) await instance.end();
    expect(await Promise.all(calls)).toEqual([1, 2, 3, 4].map((seed) => work(seed, 1)));
    expect(Number(instance.exports['descend']?.(1, 1)) >>> 0).toBe(descend(1, 1));
  });
});

describe('what is given back', () => {
  test('blocks of the allocator, up to a few', async () => {
    const instance = new Module('locals', { allocator, size: 1024 });
    const calls = Array.from({ length: 200 }, (_, i) => instance.call('work', i, 1));
    expect(instance.exports['live_blocks']?.()).toBeGreaterThanOrEqual(199);
    while (instance.waits.length > 0) await instance.end();
    await Promise.all(calls);
    expect(instance.exports['live_blocks']?.()).toBeLessThan(20);
  });

  test('frames of a call that does not return, once a call has waited', async () => {
    const instance = new Module('locals');
    const pointer = (): number => (instance.exports['__stack_pointer'] as unknown as { value: number }).value;
    // It would have to wait, and was not begun so that it may.
    const fail = (): void =>
      expect(() => instance.exports['work']?.(1, 1)).toThrowError(expect.objectContaining({ code: 'HEDDLE_SUSPEND_PROMISING' }));
    fail();
    // Nothing is shared yet: the global is as the specification says, as who failed has left it.
    expect(pointer()).toBe(1024 * 1024 - FRAME);
    const results = overlap(instance);
    fail();
    expect(await results).toEqual(EXPECTED);
    fail();
    expect(pointer()).toBe(1024 * 1024 - FRAME);
  });

  test('the place of a continuation that is cancelled', () => {
    const { instance } = suspender();
    const many = Array.from({ length: 100 }, () => new Continuation(instance.exports['run']).resume(1));
    for (const step of many) if (!step.done) step.continuation.cancel();
    collect();
    expect(instance.exports['pointer'].value).toBe(65_536);
  });
});

/** A module in the manner of C whose `run(n)` suspends to JavaScript with a frame of 16 n bytes on its stack. */
function suspender(shadowStack: ShadowStackOptions = { pointer: 'pointer', size: 64 }): { instance: InstanceType<typeof Heddle.Instance> } {
  const host = new Heddle.Instance(
    new Heddle.Module(
      parseWat(`(module (type $f (func)) (type $k (cont $f)) (tag $pause (param i32) (result i32))
        (func (export "pause") (param i32) (result i32) (suspend $pause (local.get 0))))`),
    ),
  );
  const text = `(module (import "env" "pause" (func $pause (param i32) (result i32))) (memory (export "memory") 2)
    (global $pointer (export "pointer") (mut i32) (i32.const 65536)) (global (export "__stack_low") i32 (i32.const 1024))
    (func (export "run") (param $n i32) (result i32) (local $frame i32)
      (global.set $pointer (local.tee $frame (i32.sub (global.get $pointer) (i32.const 32))))
      (i32.store (local.get $frame) (local.get $n))
      (i32.store offset=4 (local.get $frame) (call $pause (local.get $n)))
      (i32.add (i32.load (local.get $frame)) (i32.load offset=4 (local.get $frame)))
      (global.set $pointer (i32.add (local.get $frame) (i32.const 32)))))`;
  const module = new Heddle.Module(parseWat(text), { shadowStack });
  return { instance: new Heddle.Instance(module, { env: { pause: host.exports['pause'] } }) };
}

test('an allocator may call imports while calls are set aside', async () => {
  const seen: number[][] = [];
  const text = `(module (import "m" "wait" (func $wait (param i32 i32) (result i32))) (import "m" "note" (func $note (param i32 i32 i32) (result i32)))
    (memory 4) (global $pointer (export "__stack_pointer") (mut i32) (i32.const 65536)) (global $next (mut i32) (i32.const 65536))
    (func (export "take") (param i32) (result i32)
      (drop (call $note (i32.const 91) (i32.const 92) (i32.const 93)))
      (global.set $next (i32.add (global.get $next) (local.get 0)))
      (i32.sub (global.get $next) (local.get 0)))
    (func (export "drop") (param i32))
    (func (export "run") (param i32) (result i32) (local $frame i32)
      (global.set $pointer (local.tee $frame (i32.sub (global.get $pointer) (i32.const 16))))
      (i32.store (local.get $frame) (call $wait (local.get 0) (i32.add (local.get 0) (i32.const 1))))
      (i32.load (local.get $frame))
      (global.set $pointer (i32.add (local.get $frame) (i32.const 16)))))`;
  const wait = async (...args: number[]): Promise<number> => {
    seen.push(args);
    await new Promise(setImmediate);
    return (args[0] ?? 0) * 10;
  };
  let notes = 0;
  const note = (): number => ++notes;
  const { exports } = new Heddle.Instance(new Heddle.Module(parseWat(text), { shadowStack: { allocator, size: 1024 } }), {
    m: { wait: new Heddle.Suspending(wait), note },
  });
  const calls = Array.from({ length: 10 }, (_, i) => Heddle.promising(exports['run'])(i));
  expect(await Promise.all(calls)).toEqual(Array.from({ length: 10 }, (_, i) => i * 10));
  expect(seen).toEqual(Array.from({ length: 10 }, (_, i) => [i, i + 1]));
  expect(notes).toBeGreaterThan(0);
});

describe('continuations in JavaScript', () => {
  test('of C functions that suspend through another module keep their locals', () => {
    const { instance } = suspender();
    const steps = Array.from({ length: 100 }, (_, i) => new Continuation(instance.exports['run']).resume(i));
    const results = steps.map((step, i) => (step.done ? undefined : step.continuation.resume(1000 * i)));
    expect(results.map((step) => (step?.done ? step.value : undefined))).toEqual(steps.map((_, i) => 1001 * i));
    expect(instance.exports['pointer'].value).toBe(65_536);
  });
});

const AMBIGUOUS = `(module (import "env" "wait" (func $wait (param i32) (result i32))) (memory 1)
  (global $a (mut i32) (i32.const 32768)) (global $b (mut i32) (i32.const 65536))
  (func (export "first") (param i32) (result i32) (local $f i32)
    (global.set $a (local.tee $f (i32.sub (global.get $a) (i32.const 16))))
    (call $wait (local.get 0)) (global.set $a (i32.add (local.get $f) (i32.const 16))))
  (func (export "second") (param i32) (result i32) (local $f i32)
    (global.set $b (local.tee $f (i32.sub (global.get $b) (i32.const 16))))
    (call $wait (local.get 0)) (global.set $b (i32.add (local.get $f) (i32.const 16)))))`;

describe('a module of which too little is known', () => {
  const instantiate = (options?: ShadowStackOptions): { exports: Functions; go: (() => void)[] } => {
    const go: (() => void)[] = [];
    const wait = new Heddle.Suspending((value: number) => new Promise((resolve) => go.push(() => resolve(value))));
    const module = new Heddle.Module(parseWat(AMBIGUOUS), options === undefined ? {} : { shadowStack: options });
    return { exports: new Heddle.Instance(module, { env: { wait } }).exports as Functions, go };
  };

  test('lets one call wait, and no second begin', async () => {
    const { exports, go } = instantiate();
    const first = Heddle.promising(exports['first'])(1);
    await expect(Heddle.promising(exports['second'])(2)).rejects.toMatchObject({
      code: 'HEDDLE_TRAP_SHADOW_STACK',
      message: expect.stringContaining('shadowStack.pointer'),
    });
    go[0]?.();
    expect(await first).toBe(1);
    const third = Heddle.promising(exports['second'])(3);
    go[1]?.();
    expect(await third).toBe(3);
  });

  test("says so where its stack's size is missing", async () => {
    const { exports, go } = instantiate({ pointer: 1 });
    const first = Heddle.promising(exports['second'])(1);
    await expect(Heddle.promising(exports['second'])(2)).rejects.toMatchObject({
      code: 'HEDDLE_TRAP_SHADOW_STACK',
      message: expect.stringContaining('shadowStack.low'),
    });
    go[0]?.();
    expect(await first).toBe(1);
  });

  test('works once both are said', async () => {
    const { exports, go } = instantiate({ pointer: 1, low: 0, size: 64 });
    const all = [1, 2, 3].map((i) => Heddle.promising(exports['second'])(i));
    for (const one of go) one();
    expect(await Promise.all(all)).toEqual([1, 2, 3]);
  });
});

describe('wrong options', () => {
  test('are a TypeError of a compile in worker threads, too', async () => {
    const compiled = Heddle.compile(readFileSync(quickJsFile), { shadowStack: { pointer: 99 } });
    await expect(compiled).rejects.toThrowError(TypeError);
    await expect(compiled).rejects.toMatchObject({ code: 'HEDDLE_ARGUMENT' });
  });

  test.each([
    [{ pointer: 7 }, 'HEDDLE_ARGUMENT'],
    [{ pointer: 'nobody' }, 'HEDDLE_ARGUMENT'],
    [{ pointer: -1 }, 'HEDDLE_RANGE'],
    [{ size: 1.5 }, 'HEDDLE_ARGUMENT'],
    [{ size: 0 }, 'HEDDLE_RANGE'],
    [{ allocator: { allocate: 'take', free: 'missing' } }, 'HEDDLE_ARGUMENT'],
    [{ allocator: { allocate: 'work', free: 'drop' } }, 'HEDDLE_ARGUMENT'],
    [{ low: 2 ** 21 }, 'HEDDLE_RANGE'],
    [{ size: 2 ** 32, allocator }, 'HEDDLE_RANGE'],
    [{ size: 2 ** 35 }, 'HEDDLE_RANGE'],
    [{ move: 1 as unknown as boolean }, 'HEDDLE_ARGUMENT'],
    [{ move: true, size: 1024 }, 'HEDDLE_ARGUMENT'],
    [{ move: true, low: 0 }, 'HEDDLE_ARGUMENT'],
    [{ move: true, allocator }, 'HEDDLE_ARGUMENT'],
    ['no object' as unknown as ShadowStackOptions, 'HEDDLE_ARGUMENT'],
  ])('%j is an error', (options, code) => {
    let error: unknown;
    try {
      new Module('locals', options);
    } catch (caught) {
      error = caught;
    }
    expect(error).toMatchObject({ code });
  });
});

/**
 * The imports of asyncify beside the rest: import objects, wrong types, promises, stack-switching instructions, snapshots.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Continuation, WebAssembly as Heddle, inspect, parseWat } from '../../ts/index.js';

const PROGRAMS = new Heddle.Module(parseWat(readFileSync(new URL('../modules/asyncify/programs.wat', import.meta.url), 'utf8')));
const PROMISED: Heddle.Imports = { env: { log: () => undefined } };

/** What a run throws. */
function errorOf(run: () => unknown): { readonly name: string; readonly code: unknown; readonly message: string } {
  try {
    run();
  } catch (error) {
    return { name: (error as Error).name, code: Reflect.get(error as object, 'code'), message: (error as Error).message };
  }
  throw new Error('nothing was thrown');
}

type Call = (...args: number[]) => number | undefined;
const callsOf = (instance: Heddle.Instance) => {
  const { exports } = instance;
  return (name: string, ...args: number[]): number => (exports[name] as Call)(...args) ?? 0;
};

const wasmOf = (source: string): Uint8Array<ArrayBuffer> => Uint8Array.from(parseWat(source));

/** A module with the four imports, some types of them, and a body. */
const text = (rest: string, { unwind = '(param i32)', memory = '(memory 1)' } = {}): Uint8Array<ArrayBuffer> =>
  wasmOf(`(module
    (import "asyncify" "start_unwind" (func $start_unwind ${unwind}))
    (import "asyncify" "stop_unwind" (func $stop_unwind))
    (import "asyncify" "start_rewind" (func $start_rewind (param i32)))
    (import "asyncify" "stop_rewind" (func $stop_rewind))
    ${memory} ${rest})`);
const link = (bytes: Uint8Array<ArrayBuffer>, imports: Heddle.Imports = {}): Heddle.Instance =>
  new Heddle.Instance(new Heddle.Module(bytes), imports);

describe('imports', () => {
  test('nothing has to be in the import object', () => {
    expect(() => link(text(''))).not.toThrow();
  });

  test('a wrong type is a LinkError that says the right one, as a missing function is one on V8', () => {
    const { name, code, message } = errorOf(() => link(text('', { unwind: '(param i64)' })));
    expect([name, code]).toEqual(['LinkError', 'HEDDLE_LINK_TYPE']);
    expect(message).toContain('its type must be [i32] -> []');
    expect(errorOf(() => link(text('', { unwind: '(result i32)' }))).code).toBe('HEDDLE_LINK_TYPE');
    expect(errorOf(() => link(text('', { memory: '' }))).message).toContain('in a module that has a memory');
  });

  test('what the import object has wins', () => {
    const called: string[] = [];
    const asyncify = Object.fromEntries(
      ['start_unwind', 'stop_unwind', 'start_rewind', 'stop_rewind'].map((name) => [name, () => void called.push(name)]),
    );
    const bytes = text(`(func $top (call $start_unwind (i32.const 8)))
      (func (export "f") (call $between) (call $stop_unwind)) (func $between (call $top))`);
    callsOf(link(bytes, { asyncify }))('f');
    expect(called).toEqual(['start_unwind', 'stop_unwind']);
    // All of it, as V8 looks it up.
    const { stop_unwind: _, ...rest } = asyncify;
    expect(errorOf(() => link(bytes, { asyncify: rest })).name).toBe('LinkError');
  });

  test('other names of that module are looked up', () => {
    const bytes = wasmOf('(module (import "asyncify" "get_state" (func (result i32))))');
    expect(errorOf(() => link(bytes)).name).toBe('TypeError');
    expect(() => link(bytes, { asyncify: { get_state: () => 0 } })).not.toThrow();
  });

  test('the functions are functions as others are', () => {
    const bytes = text(`(table (export "t") funcref (elem $start_unwind $stop_unwind)) (export "stop" (func $stop_unwind))
      (func (export "f") (call_indirect (i32.const 1)))`);
    const { exports } = link(bytes);
    expect((exports['stop'] as Call)()).toBeUndefined();
    expect((exports['f'] as Call)()).toBeUndefined();
    expect((exports['t'] as Heddle.Table).get(1)).toBe(exports['stop']);
  });

  test('a function that is at the top and at the bottom is refused', () => {
    const { name, code, message } = errorOf(() => link(text('(func (call $start_unwind (i32.const 0)) (call $stop_unwind))')));
    expect([name, code]).toEqual(['CompileError', 'HEDDLE_UNSUPPORTED']);
    expect(message).toContain('both suspends');
  });

  test('the option shadowStack is refused', () => {
    const bytes = text('(global $sp (mut i32) (i32.const 64))');
    expect(errorOf(() => new Heddle.Module(bytes, { shadowStack: { pointer: 0 } })).code).toBe('HEDDLE_ARGUMENT');
    expect(() => new Heddle.Module(bytes, { shadowStack: false })).not.toThrow();
  });
});

test('64-bit memories', () => {
  const bytes = wasmOf(`(module
    (import "asyncify" "start_unwind" (func $start_unwind (param i64)))
    (import "asyncify" "stop_unwind" (func $stop_unwind))
    (import "asyncify" "start_rewind" (func $start_rewind (param i64)))
    (import "asyncify" "stop_rewind" (func $stop_rewind))
    (memory i64 1)
    (global $rewinding (mut i32) (i32.const 0))
    (func $pause
      (if (global.get $rewinding) (then (call $stop_rewind) (global.set $rewinding (i32.const 0)))
        (else (call $start_unwind (i64.const 64)))))
    (func $body (param i32) (result i32) (call $pause) (i32.mul (local.get 0) (i32.const 3)))
    (func (export "f") (param i32) (result i32) (local i32)
      (i64.store (i64.const 64) (i64.const 128))
      (i64.store (i64.const 72) (i64.const 256))
      (local.set 1 (call $body (local.get 0)))
      (call $stop_unwind)
      (global.set $rewinding (i32.const 1))
      (call $start_rewind (i64.const 64))
      (local.set 1 (i32.add (local.get 1) (call $body (i32.const 0))))
      (call $stop_unwind)
      (local.get 1)))`);
  expect(callsOf(link(bytes))('f', 14)).toBe(3 * 14);
});

describe('imports that wait', () => {
  test('a task waits for a promise, and the call with it', async () => {
    const log: number[] = [];
    const wait = new Heddle.Suspending(async (value: number) => {
      await Promise.resolve();
      log.push(value);
    });
    const { exports } = new Heddle.Instance(PROGRAMS, { env: { log: wait } });
    const plain: number[] = [];
    callsOf(new Heddle.Instance(PROGRAMS, { env: { log: (value: number) => void plain.push(value) } }))('schedule', 4, 1);
    await Heddle.promising(exports['schedule'] as Call)(4, 1);
    expect(log).toEqual(plain);
  });

  test('a second call that waits meanwhile would use the same stack in memory: it is refused', async () => {
    let finish = (): void => {};
    const wait = new Heddle.Suspending(
      () =>
        new Promise<void>((resolve) => {
          finish = resolve;
        }),
    );
    const { exports } = new Heddle.Instance(PROGRAMS, { env: { log: wait } });
    const schedule = Heddle.promising(exports['schedule'] as Call);
    const first = schedule(1, 2);
    await expect(schedule(1, 2)).rejects.toMatchObject({ code: 'HEDDLE_TRAP_SHADOW_STACK' });
    // One that does not wait runs meanwhile.
    expect(callsOf({ exports } as Heddle.Instance)('task', 1)).toBe(65_536 + 4096);
    finish();
    await Promise.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    finish();
    await first;
  });
});

test('inspect says in which buffer a call lies', () => {
  const call = callsOf(new Heddle.Instance(PROGRAMS, PROMISED));
  const tasks = [3, 5].map((i) => call('task', i));
  for (const task of tasks) {
    call('make', task, 0, 1);
    call('step', task);
  }
  const found = inspect().fibers.filter(({ buffer }) => buffer !== undefined);
  expect(found.map(({ buffer }) => buffer).sort()).toEqual(tasks.map((task) => task + 8));
  // $unwind, $yield, $counter.
  expect(found.map(({ state, frames }) => [state, frames.map((frame) => frame.function)])).toEqual(
    tasks.map(() => ['suspended', [9, 10, 16]]),
  );
});

test('stack-switching instructions beside it', () => {
  const bytes = text(
    `(type $f (func)) (type $c (cont $f)) (tag $t (param i32))
    (global $rewinding (mut i32) (i32.const 0)) (global $sum (mut i32) (i32.const 0))
    (elem declare func $both)
    (func $add (param i32) (global.set $sum (i32.add (i32.mul (global.get $sum) (i32.const 10)) (local.get 0))))
    (func $pause
      (if (global.get $rewinding) (then (call $stop_rewind) (global.set $rewinding (i32.const 0)))
        (else (call $start_unwind (i32.const 64)))))
    ;; A continuation that suspends by the instruction, then to the runtime below.
    (func $both (call $add (i32.const 1)) (suspend $t (i32.const 2)) (call $add (i32.const 3)) (call $pause) (call $add (i32.const 4)) (suspend $t (i32.const 5)))
    (func $drive (param $c (ref $c)) (local $next (ref null $c))
      (local.set $next (local.get $c))
      (loop $more
        (block $suspended (result i32 (ref $c))
          (resume $c (on $t $suspended) (local.get $next))
          (call $add (i32.const 9))
          (return))
        (local.set $next)
        (call $add)
        (br $more)))
    (func $body (call $drive (cont.new $c (ref.func $both))))
    (func (export "f") (result i32)
      (i32.store (i32.const 64) (i32.const 128))
      (i32.store (i32.const 68) (i32.const 256))
      (call $body)
      (call $stop_unwind)
      (call $add (i32.const 7))
      (global.set $rewinding (i32.const 1))
      (call $start_rewind (i32.const 64))
      (call $body)
      (call $stop_unwind)
      (global.get $sum))`,
  );
  // In this order: begun, suspended, on, out to the bottom, back, suspended, done.
  expect(callsOf(link(bytes))('f')).toBe(1_237_459);
});

/** A runtime that begins a call and goes on with it once; what was noted by then counts 100 times. $pause suspends to it. No global could be a stack pointer. */
const RUNTIME = `
  (global $rewinding (mut f32) (f32.const 0))
  (func $pause
    (if (f32.eq (global.get $rewinding) (f32.const 1)) (then (call $stop_rewind) (global.set $rewinding (f32.const 0)))
      (else (call $start_unwind (i32.const 64)))))
  (func $f (export "f") (result i64)
    (i32.store (i32.const 64) (i32.const 128))
    (i32.store (i32.const 68) (i32.const 256))
    (call $body)
    (call $stop_unwind)
    (global.set $sum (i64.mul (global.get $sum) (i64.const 100)))
    (global.set $rewinding (f32.const 1))
    (call $start_rewind (i32.const 64))
    (call $body)
    (call $stop_unwind)
    (global.get $sum))`;

test('fibers of the module beside it: one that suspends to the runtime below goes on with what resumed it', () => {
  const source = (more: string) =>
    wasmOf(`(module
    (import "asyncify" "start_unwind" (func $start_unwind (param i32)))
    (import "asyncify" "stop_unwind" (func $stop_unwind))
    (import "asyncify" "start_rewind" (func $start_rewind (param i32)))
    (import "asyncify" "stop_rewind" (func $stop_rewind))
    (import "heddle" "fiber_new" (func $new (param i32) (result i32)))
    (import "heddle" "fiber_resume" (func $resume (param i32 i64) (result i64)))
    (import "heddle" "fiber_yield" (func $yield (param i64) (result i64)))
    (memory 1)
    (table funcref (elem $fiber))
    (global $sum (mut i64) (i64.const 0))
    (func $note (param i64) (global.set $sum (i64.add (i64.mul (global.get $sum) (i64.const 10)) (local.get 0))))
    (func $fiber (param i64) (result i64)
      (call $note (local.get 0))
      (call $note (call $yield (i64.const 2)))
      (call $pause)
      (i64.const 4))
    (func $body (local $fiber i32)
      (local.set $fiber (call $new (i32.const 0)))
      (call $note (call $resume (local.get $fiber) (i64.const 1)))
      (call $note (call $resume (local.get $fiber) (i64.const 3))))
    ${RUNTIME} ${more})`);
  const { exports } = link(source(''));
  // 1, 2, 3, then out to the runtime, then 4.
  expect((exports['f'] as () => bigint)()).toBe(123_004n);
  // Such fibers have stacks of Heddle's in memory, where there is a stack pointer; here the program moves that itself.
  const refused = errorOf(link(source('(global $sp (mut i32) (i32.const 60000))')).exports['f'] as () => bigint);
  expect(refused).toMatchObject({ code: 'HEDDLE_TRAP_SHADOW_STACK', message: expect.stringContaining('moves its stack pointer itself') });
});

test('a snapshot of a call that waits on a fiber of its runtime: both go on from there', () => {
  const bytes = text(`
    (tag $t (export "t") (param i32) (result i64))
    (global $sum (mut i64) (i64.const 0))
    (func $body (local $before i64)
      (local.set $before (suspend $t (i32.const 5)))
      (global.set $sum (i64.add (global.get $sum) (local.get $before)))
      (call $pause)
      (global.set $sum (i64.add (global.get $sum) (local.get $before))))
    ${RUNTIME}`);
  const { exports } = link(bytes);
  const first = new Continuation(exports['f'] as () => bigint);
  const suspended = first.resume();
  if (suspended.done) throw new Error('it did not suspend');
  const second = suspended.continuation.snapshot();
  // Both add to one global: 3, then 300 and 3 more; then 7 more, 31,000, and 7 more.
  expect(suspended.continuation.resume(3n)).toMatchObject({ done: true, value: 303n });
  expect(second.resume(7n)).toMatchObject({ done: true, value: 31_007n });
});

test('an exception of a call that went on comes to the runtime below', () => {
  const bytes = text(`(tag $t (param i32))
    (global $rewinding (mut i32) (i32.const 0))
    (func $pause (if (global.get $rewinding) (then (call $stop_rewind)) (else (call $start_unwind (i32.const 64)))))
    (func $body (call $pause) (throw $t (i32.const 5)))
    (func (export "f") (result i32)
      (i32.store (i32.const 64) (i32.const 128))
      (i32.store (i32.const 68) (i32.const 256))
      (call $body)
      (call $stop_unwind)
      (global.set $rewinding (i32.const 1))
      (call $start_rewind (i32.const 64))
      (block $caught (result i32) (try_table (catch $t $caught) (call $body)) (i32.const 0)))`);
  expect(callsOf(link(bytes))('f')).toBe(5);
});

test('tail calls in functions of the runtime', () => {
  const bytes = text(`(func $pause (return_call $start_unwind (i32.const 64)))
    (func $body (result i32) (call $pause) (i32.const 7))
    (func $begin (result i32) (call $stop_unwind) (return_call $body))
    (func (export "f") (result i32)
      (i32.store (i32.const 64) (i32.const 128))
      (i32.store (i32.const 68) (i32.const 256))
      (i32.add (call $begin) (i32.load (i32.const 64))))`);
  // Zero, for it is suspended, and the 8 bytes that it takes.
  expect(callsOf(link(bytes))('f')).toBe(128 + 8);
});

test.each([
  ['a struct beyond the memory', '(i32.const -4)', '', 'MEMORY_BOUNDS'],
  [
    'a place beyond the memory',
    '(i32.const 64)',
    '(i32.store (i32.const 64) (i32.const 65532)) (i32.store (i32.const 68) (i32.const -1))',
    'MEMORY_BOUNDS',
  ],
  [
    'a place at the end of all addresses',
    '(i32.const 64)',
    '(i32.store (i32.const 64) (i32.const -8)) (i32.store (i32.const 68) (i32.const -1))',
    'ASYNCIFY_FULL',
  ],
])('%s', (_, buffer, stores, code) => {
  const bytes = text(`(func $pause (call $start_unwind ${buffer})) (func $body (call $pause))
    (func (export "f") ${stores} (call $body) (call $stop_unwind))`);
  expect(errorOf(() => callsOf(link(bytes))('f')).code).toBe(`HEDDLE_TRAP_${code}`);
});

test.each([0, 1, 2 ** 32 + 1])('a token %i that the program has written is none', (token) => {
  const bytes = text(`(func $pause (call $stop_rewind)) (func $body (call $pause))
    (func (export "f")
      (i32.store (i32.const 64) (i32.const 136))
      (i32.store (i32.const 68) (i32.const 256))
      (i64.store (i32.const 128) (i64.const ${token}))
      (call $start_rewind (i32.const 64))
      (call $body)
      (call $stop_unwind))`);
  expect(errorOf(() => callsOf(link(bytes))('f')).code).toBe('HEDDLE_TRAP_ASYNCIFY_UNKNOWN');
});

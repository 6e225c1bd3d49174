/** What the fuzzer of API sequences (tests/fuzz/api) found: objects that do something when they are looked at. */
import { describe, expect, test } from 'vitest';
import { call, collect, dispose, type ExportedFunction, WebAssembly as Heddle, inspect, parseWat, Scheduler } from '../../ts/index.js';

describe('parseWat', () => {
  const things: readonly unknown[] = [
    undefined,
    null,
    0,
    1n,
    Symbol.iterator,
    {},
    [],
    new String('(module)'),
    () => '(module)',
    new Uint8Array(4),
  ];

  test.each(things.map((thing) => [thing]))('%s is no text', (thing) => {
    expect(() => parseWat(thing as string)).toThrow(expect.objectContaining({ name: 'TypeError', code: 'HEDDLE_ARGUMENT' }));
    expect(parseWat('(module)')).toHaveLength(8);
  });

  test('runs none of what it is given', () => {
    const text = {
      length: 8,
      charCodeAt: () => expect.unreachable(),
      toString: () => expect.unreachable(),
      replace: () => expect.unreachable(),
      [Symbol.toPrimitive]: () => expect.unreachable(),
    };
    expect(() => parseWat(text as unknown as string)).toThrow(TypeError);
    expect(new Heddle.Module(parseWat('(module)'))).toBeInstanceOf(Heddle.Module);
  });
});

describe('call', () => {
  const got: unknown[] = [];
  const { exports } = new Heddle.Instance(
    new Heddle.Module(
      parseWat(`(module (import "env" "see" (func $see (param externref i32)))
        (func (export "see") (param externref i32) (call $see (local.get 0) (local.get 1))))`),
    ),
    { env: { see: (...values: unknown[]) => got.push(...values) } },
  );
  const see = exports['see'] as (value: unknown, number: unknown) => void;

  test.each([[null], [1], ['arguments'], [() => {}], [Symbol.iterator]])('%s is no list of arguments', (args) => {
    expect(() => call(see, args as never)).toThrow(expect.objectContaining({ name: 'TypeError', code: 'HEDDLE_ARGUMENT' }));
    expect(got).toEqual([]);
  });

  test('reads each argument once, and gives what it has read', () => {
    let reads = 0;
    const values = [null, { first: true }, { second: true }];
    const args = {
      get 0() {
        return values[reads++];
      },
      get 1() {
        // A reference that nothing but a list of numbers had would be gone.
        return { valueOf: () => (collect(), 5) };
      },
    };
    call(see, args as never);
    expect(reads).toBe(1);
    expect(got.splice(0)).toEqual([null, 5]);
    call(see, args as never);
    expect(reads).toBe(2);
    expect(got.splice(0)).toEqual([{ first: true }, 5]);
  });
});

describe('dispose by the allocator of a shadow stack, when the call has been set aside and its import was not called yet', () => {
  const text = `(module (import "env" "wait" (func $wait (param i32) (result i32))) (import "env" "dispose" (func $dispose))
    (memory 2) (global $sp (export "__stack_pointer") (mut i32) (i32.const 65536))
    (func (export "malloc") (param i32) (result i32) (call $dispose) (i32.const 66000))
    (func (export "free") (param i32))
    (func (export "waits") (param i32) (result i32)
      (global.set $sp (i32.sub (global.get $sp) (i32.const 16)))
      (call $wait (local.get 0))
      (global.set $sp (i32.add (global.get $sp) (i32.const 16)))))`;

  test.each([
    ['promising', (fn: ExportedFunction) => Heddle.promising(fn)(7)],
    ['a task', (fn: ExportedFunction) => new Scheduler().spawn(fn, [7]).promise],
  ])('%s: the import throws', async (_name, begin) => {
    let calls = 0;
    let disposals = 0;
    const wait = new Heddle.Suspending(async () => calls++);
    const module = new Heddle.Module(parseWat(text), { shadowStack: { allocator: { allocate: 'malloc', free: 'free' } } });
    const instance = new Heddle.Instance(module, {
      env: {
        wait,
        dispose: () => {
          disposals++;
          dispose(instance);
        },
      },
    });
    await expect(begin(instance.exports['waits'])).rejects.toMatchObject({ code: 'HEDDLE_DISPOSED' });
    expect([calls, disposals]).toEqual([0, 1]);
    expect(inspect().total).toBe(0);
  });
});

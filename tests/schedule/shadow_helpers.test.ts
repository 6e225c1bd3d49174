/**
 * Where the shadow stack's size is not known from the module: what it exports is asked, once a second call needs a place. And frames keep their addresses while a call waits, because imports
 * write through pointers to locals after their promise settles.
 */
import { describe, expect, test } from 'vitest';
import { WebAssembly as Heddle, parseWat, type ShadowStackOptions } from '../../ts/index.js';

type Exports = Heddle.Exports;

const TOP = 65_536;

/** `run(v)` has a frame of 16 bytes, gives its address to an import that waits, and returns what lies there afterwards. `more` are further fields. */
const program = (more: string, first = TOP): string => `(module
  (import "m" "wait" (func $wait (param i32 i32)))
  (import "m" "note" (func $note))
  (memory (export "memory") 4)
  (global $__stack_pointer (export "__stack_pointer") (mut i32) (i32.const ${first}))
  (func (export "run") (param $v i32) (result i32) (local $sp i32)
    (global.set $__stack_pointer (local.tee $sp (i32.sub (global.get $__stack_pointer) (i32.const 16))))
    (call $wait (local.get $sp) (local.get $v))
    (i32.load (local.get $sp))
    (global.set $__stack_pointer (i32.add (local.get $sp) (i32.const 16))))
  (func (export "set") (param i32) (global.set $__stack_pointer (local.get 0)))
  ${more})`;

const GET_END =
  '(global $low (mut i32) (i32.const 0)) (func (export "emscripten_stack_get_end") (result i32) (global.get $low)) (func (export "init") (global.set $low (i32.const 1024)))';
/** `note` is called in `malloc` where `calls` says so. */
const allocator = (
  calls: string,
): string => `(global $next (mut i32) (i32.const 131072)) (global $live (export "live") (mut i32) (i32.const 0))
  (func $more (param i32) (result i32) ${calls} (global.set $live (i32.add (global.get $live) (i32.const 1)))
    (global.get $next) (global.set $next (i32.add (global.get $next) (local.get 0))))
  (func (export "malloc") (param i32) (result i32) (call $more (local.get 0)))
  (func (export "free") (param i32) (global.set $live (i32.sub (global.get $live) (i32.const 1))))`;

class Running {
  readonly exports: Exports;
  readonly places: number[] = [];
  readonly #going: (() => void)[] = [];

  constructor(text: string, shadowStack?: ShadowStackOptions, note: unknown = () => undefined) {
    const wait = new Heddle.Suspending((at: number, v: number) => {
      this.places.push(at);
      // As an import that reads into a buffer: it writes when the promise has settled.
      return new Promise<void>((resolve) =>
        this.#going.push(() => {
          new DataView((this.exports['memory'] as unknown as { buffer: ArrayBuffer }).buffer).setInt32(at, 1000 + v, true);
          resolve();
        }),
      );
    });
    const module = new Heddle.Module(parseWat(text), shadowStack === undefined ? {} : { shadowStack });
    this.exports = new Heddle.Instance(module, { m: { wait, note }, env: { syncifyHandler: () => undefined } }).exports as Exports;
  }

  value(name: string): number {
    return (this.exports[name] as unknown as { value: number }).value;
  }

  call(v: number): Promise<unknown> {
    return Heddle.promising(this.exports['run'])(v);
  }

  /** Lets all that wait go on, the last first. */
  end(): void {
    for (const go of this.#going.splice(0).reverse()) go();
  }

  async all(values: readonly number[]): Promise<unknown[]> {
    const calls = values.map((v) => this.call(v));
    this.end();
    return Promise.all(calls);
  }
}

const VALUES = [1, 2, 3, 4];
const RESULTS = [1001, 1002, 1003, 1004];
const REFUSED = { code: 'HEDDLE_TRAP_SHADOW_STACK', message: expect.stringContaining('shadowStack.low') };

describe('the size of a stack that the module does not tell', () => {
  test('is asked of emscripten_stack_get_end, when a second call needs a place', async () => {
    const one = new Running(program(`${GET_END} ${allocator('')}`));
    one.exports['init']?.();
    expect(await one.all(VALUES)).toEqual(RESULTS);
    expect(one.places.every((at) => at >= 1024 && at < TOP)).toBe(true);
    expect(one.value('live')).toBe(0);
  });

  test('comes from malloc where that is not set', async () => {
    const one = new Running(program(`${GET_END} ${allocator('')}`));
    // Nothing is asked for until a call waits that has a frame: then whoever comes next needs a place.
    one.exports['set']?.(TOP);
    expect(one.value('live')).toBe(0);
    expect(await one.all([1])).toEqual([1001]);
    expect(one.value('live')).toBe(1);
    expect(await one.all(VALUES)).toEqual(RESULTS);
    expect(one.value('live')).toBe(VALUES.length);
    expect(one.places.filter((at) => at >= 131_072).length).toBeGreaterThanOrEqual(VALUES.length - 1);
    expect(one.value('__stack_pointer')).toBe(TOP);
  });

  test('comes from a malloc that asks JavaScript for more memory, as Emscripten’s does', async () => {
    let asked = 0;
    const one = new Running(program(allocator('(call $note)')), undefined, () => asked++);
    expect(await one.all(VALUES)).toEqual(RESULTS);
    expect(asked).toBe(VALUES.length);
    expect(one.value('live')).toBe(VALUES.length);
  });

  test.each([
    ['waits', () => new Heddle.Suspending(() => Promise.resolve())],
    ['is another module’s', () => new Heddle.Instance(new Heddle.Module(parseWat('(module (func (export "f")))'))).exports['f']],
  ])('does not come from a malloc that calls an import that %s', async (_, note) => {
    const one = new Running(program(allocator('(call $note)')), undefined, note());
    const first = one.call(1);
    await expect(one.call(2)).rejects.toMatchObject(REFUSED);
    one.end();
    expect(await first).toBe(1001);
    expect(one.value('live')).toBe(0);
  });

  test('may come from a malloc that makes tables longer, which JavaScript then sees', async () => {
    const table = '(table $t (export "t") 1 100000 externref) (func (export "size") (result i32) (table.size $t))';
    const one = new Running(program(`${allocator('(drop (table.grow $t (ref.null extern) (i32.const 1000)))')} ${table}`));
    const known = one.exports['t'] as unknown as { length: number; get(index: number): unknown };
    for (let i = 0; i < 20; i++) expect([known.length, known.get(0)]).toEqual([1, null]);
    expect(await one.all(VALUES)).toEqual(RESULTS);
    expect(one.exports['size']?.()).toBe(1 + 1000 * VALUES.length);
    expect(known.length).toBe(1 + 1000 * VALUES.length);
    expect(known.get(1000 * VALUES.length)).toBe(null);
  });

  test('is left alone where the program’s glue moves its stack itself, as Pyodide’s', async () => {
    const keeper = '(import "m" "wait" (func $wait (param i32 i32))) (import "env" "syncifyHandler" (func))';
    const text = program(GET_END).replace('(import "m" "wait" (func $wait (param i32 i32)))', keeper);
    const one = new Running(text);
    one.exports['init']?.();
    expect(await one.all([1, 2])).toEqual([1001, 1002]);
    // One below the other, as on V8.
    expect(one.places).toEqual([TOP - 16, TOP - 32]);
  });

  test('is not needed by calls that do not wait at the same time', async () => {
    const one = new Running(program('', 0));
    one.exports['set']?.(TOP);
    const first = one.call(1);
    // Others may begin: what they put on the stack they take off again.
    one.exports['set']?.(one.value('__stack_pointer'));
    one.end();
    expect(await first).toBe(1001);
    expect(await one.all([2])).toEqual([1002]);
    const [third, fourth] = [one.call(3), one.call(4)];
    await expect(fourth).rejects.toMatchObject(REFUSED);
    one.end();
    expect(await third).toBe(1003);
  });

  test('is that of a pointer which the program sets itself', async () => {
    const one = new Running(program(allocator(''), 0));
    one.exports['set']?.(TOP);
    expect(await one.all(VALUES)).toEqual(RESULTS);
    expect(one.value('__stack_pointer')).toBe(TOP);
  });
});

const LIMITS = `(global $base (export "base") (mut i32) (i32.const ${TOP})) (global $end (export "end") (mut i32) (i32.const 1024))
  (func (export "emscripten_stack_set_limits") (param i32 i32) (global.set $base (local.get 0)) (global.set $end (local.get 1)))`;
const LOW = '(global (export "__stack_low") i32 (i32.const 1024))';

test('a program that checks its stack is told the limits of the part that is in use', async () => {
  // Between its limits each frame must lie, as Emscripten's own check has it.
  const check =
    '(func (export "ok") (result i32) (i32.and (i32.le_u (global.get $__stack_pointer) (global.get $base)) (i32.ge_u (global.get $__stack_pointer) (global.get $end))))';
  const one = new Running(program(`${LIMITS} ${LOW} ${check}`), { size: 4096 });
  const calls: Promise<unknown>[] = [];
  for (const v of VALUES) {
    calls.push(one.call(v));
    expect(one.exports['ok']?.()).toBe(1);
  }
  expect(one.value('base') - one.value('end')).toBe(4096);
  one.end();
  expect(await Promise.all(calls)).toEqual(RESULTS);
  expect(one.exports['ok']?.()).toBe(1);
  expect([one.value('base'), one.value('end')]).toEqual([TOP, 1024]);
});

test('slices begin in the middle of the stack, so that the first call keeps half, and others are not far down', async () => {
  const one = new Running(program(LOW), { size: 4096 });
  await one.all(VALUES);
  const [first, ...others] = one.places;
  expect(first).toBe(TOP - 16);
  for (const at of others) {
    expect(at).toBeLessThanOrEqual(TOP / 2);
    expect(at).toBeGreaterThan(TOP / 2 - 4 * 4096);
  }
});

describe('frames keep their addresses while a call waits, so that imports may write through pointers to locals', () => {
  test.each<[string, string, ShadowStackOptions | undefined]>([
    ['slices', LOW, { size: 1024 }],
    ['a named allocator', allocator('(call $note)'), { allocator: { allocate: 'malloc', free: 'free' }, size: 1024 }],
    ["the module's malloc", allocator(''), undefined],
    ['slices below emscripten_stack_get_end', `${GET_END} (start $init) (func $init (global.set $low (i32.const 1024)))`, undefined],
  ])('%s', async (_, more, options) => {
    const one = new Running(program(more), options);
    for (let round = 0; round < 5; round++) expect(await one.all(VALUES)).toEqual(RESULTS);
  });
});

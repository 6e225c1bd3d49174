/**
 * Options: each declared one is read once and checked, and nothing else that the object has matters.
 */
import { describe, expect, test } from 'vitest';
import { call, configure, createMemory, WebAssembly as Heddle, inspect, parseWat, Scheduler, statistics } from '../../ts/index.js';

const bytes = parseWat('(module (func (export "f") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))))');
const f = new Heddle.Instance(new Heddle.Module(bytes)).exports['f'] as (...args: unknown[]) => unknown;
const never = new AbortController().signal;

type Use = (options: unknown) => unknown;

/** What takes options, with a good value of each. */
const FUNCTIONS: Readonly<Record<string, { readonly use: Use; readonly good: Readonly<Record<string, unknown>> }>> = {
  Module: {
    use: (options) => new Heddle.Instance(new Heddle.Module(bytes, options as never)).exports['f'](1),
    good: { interruptible: false, shadowStack: { size: 4096 } },
  },
  compile: { use: (options) => Heddle.compile(bytes, options as never), good: { interruptible: true, shadowStack: false } },
  instantiate: { use: (options) => Heddle.instantiate(bytes, {}, options as never), good: { interruptible: true } },
  call: { use: (options) => call(f, [1], options as never), good: { deadline: 60_000 } },
  createMemory: {
    use: (options) => createMemory(options as never),
    good: { initial: 1, maximum: 2, shared: false, address: 'i32', pageSize: 65_536 },
  },
  Scheduler: { use: (options) => new Scheduler(options as never), good: { maximum: 3, budget: 1 } },
  spawn: {
    use: (options) => new Scheduler().spawn(f, [1], options as never).promise,
    good: { name: 'mine', priority: 0, signal: never, timeout: 60_000 },
  },
  'spawn of a group': { use: (options) => new Scheduler().group().spawn(f, [1], options as never).promise, good: { priority: 7 } },
  inspect: { use: (options) => inspect(options as never), good: { limit: 1 } },
  statistics: { use: (options) => statistics(options as never), good: { stacks: true } },
};

/** Functions of the standard's shape ignore what they do not know. */
const STANDARD = ['Module', 'compile', 'instantiate'];

const rows = Object.entries(FUNCTIONS).map(([name, { use, good }]) => [name, use, good] as const);

/** What using options throws, or is rejected with. */
async function failure(run: () => unknown): Promise<unknown> {
  try {
    await run();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** An object whose properties count how often they are read. */
function counting(values: Readonly<Record<string, unknown>>): { readonly options: object; readonly reads: Record<string, number> } {
  const reads: Record<string, number> = {};
  const options = {};
  for (const [name, value] of Object.entries(values)) {
    reads[name] = 0;
    const get = (): unknown => {
      reads[name] = (reads[name] ?? 0) + 1;
      return value;
    };
    Object.defineProperty(options, name, { enumerable: true, get });
  }
  return { options, reads };
}

describe.each(rows)('%s', (name, use, good) => {
  test('reads each option once', async () => {
    const { options, reads } = counting(good);
    await use(options);
    expect(reads).toEqual(Object.fromEntries(Object.keys(good).map((key) => [key, 1])));
  });

  test('takes inherited options, as dictionaries do', async () => {
    expect(await failure(() => use(Object.create(good)))).toBeUndefined();
  });

  test('passes on what a getter throws', async () => {
    const [key = ''] = Object.keys(good);
    const options = {
      get [key]() {
        throw new URIError('mine');
      },
    };
    expect(await failure(() => use({ ...good, ...counting({}).options }))).toBeUndefined();
    expect(await failure(() => use(options))).toMatchObject({ name: 'URIError', message: 'mine' });
  });

  test.each(Object.keys(good))('of the wrong type: %s', async (option) => {
    // A shadow stack may be false, a stack's memory 0: no option of all takes any of these.
    for (const value of [null, Symbol('s'), () => 1]) {
      const error = await failure(() => use({ ...good, [option]: value }));
      // Pages are converted as Web IDL converts them.
      if (name === 'createMemory' && ['initial', 'maximum'].includes(option)) {
        if (typeof value === 'symbol' || typeof value === 'function') expect(error).toBeInstanceOf(TypeError);
        continue;
      }
      expect([option, error]).toEqual([option, expect.objectContaining({ name: 'TypeError', code: 'HEDDLE_ARGUMENT' })]);
      expect(String(error)).toContain(`option ${option} `);
      expect(String(error)).toMatch(/not (null|Symbol\(s\)|a function)$/);
    }
  });

  test('where the options are no object', async () => {
    for (const value of [1, 'text', true, 1n, Symbol('s')]) {
      expect(await failure(() => use(value))).toMatchObject({ name: 'TypeError', code: 'HEDDLE_ARGUMENT' });
    }
    const none = await failure(() => use(null));
    if (STANDARD.includes(name)) expect(none).toBeUndefined();
    else expect(none).toMatchObject({ name: 'TypeError', code: 'HEDDLE_ARGUMENT' });
    // A list is an object to Web IDL, with none of the options.
    const list = await failure(() => use([]));
    if (STANDARD.includes(name)) expect(list).toBeUndefined();
    else expect(list).toMatchObject({ name: 'TypeError', code: 'HEDDLE_ARGUMENT', message: expect.stringContaining('an array') });
  });

  test('with a name that is almost an option', async () => {
    const [option = ''] = Object.keys(good);
    const almost = `${option.slice(0, -1)}x`;
    const error = await failure(() => use({ ...good, [almost]: good[option] }));
    expect(error).toMatchObject({ name: 'TypeError', code: 'HEDDLE_ARGUMENT' });
    expect(String(error)).toContain(`"${almost}"`);
    expect(String(error)).toMatch(new RegExp(`\\b${option}$`));
  });

  test('with a name that is none', async () => {
    const unread = {
      get tiering() {
        throw new Error('it was read');
      },
    };
    const options = Object.create(null, {
      ...Object.getOwnPropertyDescriptors(good),
      ...Object.getOwnPropertyDescriptors(unread),
    }) as object;
    const error = await failure(() => use(options));
    if (STANDARD.includes(name)) expect(error).toBeUndefined();
    else expect(error).toMatchObject({ name: 'TypeError', code: 'HEDDLE_ARGUMENT', message: expect.stringContaining('"tiering"') });
  });
});

describe('options that are none decide nothing', () => {
  const other = process.arch === 'x64' ? 'arm64' : 'x64';
  const FOREIGN = {
    target: other,
    cpu: ['has_avx512f'],
    checked: true,
    inline: false,
    verify: true,
    debugStores: true,
    debugSlots: true,
    features: 0,
    stackPointer: 7,
    stackChecks: true,
    workers: 'many',
    hash: '00',
    cache: {
      read() {
        throw new Error('it was asked');
      },
      write() {
        throw new Error('it was asked');
      },
    },
  };

  test.each(Object.entries(FOREIGN))('%s', async (name, value) => {
    const module = new Heddle.Module(bytes, { [name]: value } as never);
    expect(new Heddle.Instance(module).exports['f'](1)).toBe(2);
    expect((await Heddle.instantiate(bytes, {}, { [name]: value } as never)).instance.exports['f'](2)).toBe(3);
  });

  test('nor do they from Object.prototype, inside Heddle', () => {
    const prototype = Object.prototype as unknown as Record<string, unknown>;
    try {
      Object.assign(prototype, FOREIGN);
      expect(new Heddle.Instance(new Heddle.Module(bytes, { interruptible: true })).exports['f'](1)).toBe(2);
    } finally {
      for (const name of Object.keys(FOREIGN)) delete prototype[name];
    }
  });
});

test('what becomes of the object later has no effect', async () => {
  const waits = parseWat(`(module (import "m" "wait" (func $wait)) (memory 1) (global $sp (mut i32) (i32.const 65536))
    (func (export "f") (result i32) (local $frame i32)
      (global.set $sp (local.tee $frame (i32.sub (global.get $sp) (i32.const 16)))) (call $wait)
      (global.set $sp (i32.add (local.get $frame) (i32.const 16))) (i32.const 5)))`);
  const shadowStack = { low: 1024, size: 4096 };
  const options = { shadowStack };
  const module = new Heddle.Module(waits, options);
  Object.assign(shadowStack, { low: 'nowhere', size: -1, allocator: { allocate: 'none', free: 'none' }, pointer: 99 });
  Object.assign(options, { shadowStack: 7, interruptible: 'no' });
  const imports = { m: { wait: new Heddle.Suspending(() => Promise.resolve()) } };
  const run = Heddle.promising(new Heddle.Instance(module, imports).exports['f']);
  expect(await Promise.all([run(), run()])).toEqual([5, 5]);
});

describe('options inside options', () => {
  test.each([
    [{ stack: null }, 'stack'],
    [{ stack: 5 }, 'stack'],
    [{ stack: { size: '1' } }, 'stack.size'],
    [{ stack: { size: Number.NaN } }, 'stack.size'],
    [{ stack: { memory: 1n } }, 'stack.memory'],
    [{ stack: { strategy: 'heap' } }, 'stack.strategy'],
    [{ stack: { strategy: ['pool'] } }, 'stack.strategy'],
    [{ entryStackSize: -1 }, 'entryStackSize'],
    [{ collect: 'never' }, 'collect'],
  ])('configure(%o)', (options, name) => {
    const message = expect.stringContaining(`option ${name} must be`);
    expect(() => configure(options as never)).toThrow(expect.objectContaining({ name: 'TypeError', code: 'HEDDLE_ARGUMENT', message }));
  });

  test.each([
    [{ shadowStack: { size: '4096' } }, 'shadowStack.size'],
    [{ shadowStack: { low: null } }, 'shadowStack.low'],
    [{ shadowStack: { pointer: {} } }, 'shadowStack.pointer'],
    [{ shadowStack: { allocator: 'malloc' } }, 'shadowStack.allocator'],
    [{ shadowStack: { allocator: { allocate: 'malloc' } } }, 'shadowStack.allocator'],
    [{ shadowStack: { allocator: { allocate: 'malloc', free: 1 } } }, 'shadowStack.allocator.free'],
    [{ shadowStack: true }, 'shadowStack'],
  ])('Module(%o)', (options, name) => {
    const message = expect.stringContaining(`option ${name} must`);
    expect(() => new Heddle.Module(bytes, options as never)).toThrow(expect.objectContaining({ code: 'HEDDLE_ARGUMENT', message }));
  });

  test.each([
    [{ stacks: {} }, /configure has no option "stacks": the nearest is stack$/],
    [{ stack: { sizes: 1 } }, /stack has no option "sizes": the nearest is size$/],
    [{ stack: { ['x'.repeat(1e6)]: 1 } }, /stack has no option "x{40}…"/],
  ])('names the nearest', (options, message) => {
    expect(() => configure(options as never)).toThrow(message);
  });

  test('each is read once', () => {
    const allocator = counting({ allocate: 'a', free: 'b' });
    const shadow = counting({ pointer: 5, size: 64, low: 0, allocator: allocator.options });
    // The module has no such global.
    expect(() => new Heddle.Module(bytes, { shadowStack: shadow.options })).toThrow(TypeError);
    expect({ ...shadow.reads, ...allocator.reads }).toEqual({ pointer: 1, size: 1, low: 1, allocator: 1, allocate: 1, free: 1 });
  });
});

describe('numbers out of range', () => {
  test.each([
    [{ stack: { size: 5 } }, 'stack.size must be at least 16384, not 5'],
    [{ stack: { maximum: 0 } }, 'stack.maximum must be at least 1, not 0'],
    [{ stack: { memory: 1 } }, 'stack.memory must be at least 16384, not 1'],
    [{ entryStackSize: 100 }, 'entryStackSize must be at least 16384, not 100'],
  ])('stacks that no call could run on: %j', (options, message) => {
    expect(() => configure(options)).toThrow(RangeError);
    expect(() => configure(options)).toThrow(message);
  });

  test.each([Number.NaN, -1, Number.NEGATIVE_INFINITY, '5', 5n, {}])('a deadline of %o is a TypeError', (deadline) => {
    expect(() => call(f, [1], { deadline } as never)).toThrow(expect.objectContaining({ name: 'TypeError', code: 'HEDDLE_ARGUMENT' }));
  });

  test.each([{ timeout: 2 ** 31 }, { timeout: -1 }, { priority: 8 }, { priority: Number.NaN }])('%o is a RangeError', (options) => {
    expect(() => new Scheduler().spawn(f, [1], options)).toThrow(expect.objectContaining({ name: 'RangeError', code: 'HEDDLE_RANGE' }));
  });

  test.each([Number.POSITIVE_INFINITY, 2 ** 31 - 1])('a timeout of %d ends nothing at once', async (timeout) => {
    const wait = new Heddle.Suspending(() => new Promise((resolve) => setTimeout(resolve, 20)));
    const text = '(module (import "m" "wait" (func $wait)) (func (export "f") (result i32) (call $wait) (i32.const 7)))';
    const { exports } = new Heddle.Instance(new Heddle.Module(parseWat(text)), { m: { wait } });
    expect(await new Scheduler().spawn(exports['f'], [], { timeout }).promise).toBe(7);
  });
});

import { describe, expect, test } from 'vitest';
import { ANY_VALUE, type Api, bytes, exported, heddle, outcome, run, settled, v8 } from './oracle.js';

/** Modules that import one thing, m.x. */
const WANTED: Readonly<Record<string, string>> = {
  'a function': '(module (import "m" "x" (func (param i32) (result i32))))',
  'a table with a maximum': '(module (import "m" "x" (table 2 5 funcref)))',
  'a table': '(module (import "m" "x" (table 2 funcref)))',
  'a table of externs': '(module (import "m" "x" (table 2 externref)))',
  'a memory with a maximum': '(module (import "m" "x" (memory 2 5)))',
  'a memory': '(module (import "m" "x" (memory 2)))',
  'a shared memory': '(module (import "m" "x" (memory 2 5 shared)))',
  'an i32': '(module (import "m" "x" (global $x i32)) (export "x" (global $x)))',
  'an i64': '(module (import "m" "x" (global $x i64)) (export "x" (global $x)))',
  'an f32': '(module (import "m" "x" (global $x f32)) (export "x" (global $x)))',
  'an f64': '(module (import "m" "x" (global $x f64)) (export "x" (global $x)))',
  'an externref': '(module (import "m" "x" (global $x externref)) (export "x" (global $x)))',
  'a funcref': '(module (import "m" "x" (global $x funcref)) (export "x" (global $x)))',
  'a variable': '(module (import "m" "x" (global $x (mut i32))) (export "x" (global $x)))',
  'a variable externref': '(module (import "m" "x" (global $x (mut externref))) (export "x" (global $x)))',
  'a tag': '(module (import "m" "x" (tag (param i32))))',
};

const table = (element: string, initial: number, maximum?: number) => (api: Api) =>
  new api.Table({ element, initial, ...(maximum === undefined ? {} : { maximum }) });
const memory =
  (initial: number, maximum?: number, shared = false) =>
  (api: Api) =>
    new api.Memory({ initial, shared, ...(maximum === undefined ? {} : { maximum }) });
const global = (value: string, mutable: boolean, first: unknown) => (api: Api) => new api.Global({ value, mutable }, first);
const fn = (text: string) => (api: Api) => exported(api, `(module (func (export "f") ${text}))`, 'f');

/** What is given. */
const GIVEN: readonly (readonly [name: string, make: (api: Api) => unknown])[] = [
  ...ANY_VALUE,
  ['a class', () => class {}],
  ['a callable proxy', () => new Proxy(() => 1, {})],
  ['an object that only looks callable', () => Object.create(Function.prototype)],
  ['an async function', () => async () => 1],
  ['a function of the type', fn('(param i32) (result i32) (local.get 0)')],
  ['a function of another type', fn('(param i64)')],
  ['a function of a longer type', fn('(param i32 i32) (result i32) (local.get 0)')],
  ['a table of 2', table('anyfunc', 2)],
  ['a table of 2 to 5', table('anyfunc', 2, 5)],
  ['a table of 2 to 6', table('anyfunc', 2, 6)],
  ['a table of 1 to 5', table('anyfunc', 1, 5)],
  ['a table of 3 to 4', table('anyfunc', 3, 4)],
  ['a table of externs', table('externref', 2, 5)],
  ['a table that has grown', (api) => grown(table('anyfunc', 1, 5)(api))],
  ['a memory of 2', memory(2)],
  ['a memory of 2 to 5', memory(2, 5)],
  ['a memory of 2 to 6', memory(2, 6)],
  ['a memory of 1 to 5', memory(1, 5)],
  ['a memory of 3 to 4', memory(3, 4)],
  ['a memory of 2 to 65,536', memory(2, 65_536)],
  ['a shared memory of 2 to 5', memory(2, 5, true)],
  ['a shared memory of 2 to 6', memory(2, 6, true)],
  ['a memory that has grown', (api) => grown(memory(1, 5)(api))],
  ['an i32', global('i32', false, 7)],
  ['a variable i32', global('i32', true, 7)],
  ['an i64', global('i64', false, 7n)],
  ['an f32', global('f32', false, 1.5)],
  ['an f64', global('f64', false, 0.1)],
  ['an externref', global('externref', false, 'e')],
  ['a variable externref', global('externref', true, 'e')],
  ['a null funcref', global('anyfunc', false, null)],
  ['a tag of an i32', (api) => new api.Tag({ parameters: ['i32'] })],
  ['a tag of nothing', (api) => new api.Tag({ parameters: [] })],
  ['a module', (api) => new api.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0))],
];

function grown<T extends { grow(delta: number): number }>(object: T): T {
  object.grow(1);
  return object;
}

describe.each(Object.entries(WANTED))('%s is wanted', (_wanted, text) => {
  test.each(GIVEN)('%s is given', (_name, make) => {
    const [ours, theirs] = [heddle, v8].map((api) => {
      const given = make(api);
      return outcome(() => {
        const e = run(api, text, { m: { x: given } });
        if (!('x' in e)) return 'linked';
        const value = e['x']?.value;
        return Object.is(value, given) ? 'the value itself' : value;
      });
    });
    expect(ours).toBe(theirs);
  });

  test('nothing is given', () => {
    expect(outcome(() => run(heddle, text, { m: {} }))).toBe(outcome(() => run(v8, text, { m: {} })));
  });
});

/** Import objects of every form. */
const OBJECTS: readonly (readonly [name: string, make: () => unknown])[] = [
  ...ANY_VALUE,
  ['no module', () => ({})],
  ...['undefined', null, 5, 'text', true].map((value) => [`${value} as module`, () => ({ m: value })] as const),
  ['an undefined module', () => ({ m: undefined })],
  ['a module that is a function', () => ({ m: Object.assign(() => 0, { x: () => 1 }) })],
  ['a function as object', () => Object.assign(() => 0, { m: { x: () => 1 } })],
  ['inherited names', () => Object.create({ m: Object.create({ x: () => 1 }) })],
  ['a null prototype', () => Object.assign(Object.create(null), { m: { x: () => 1 } })],
  [
    'a module that throws',
    () => ({
      get m() {
        return raise('module');
      },
    }),
  ],
  [
    'a name that throws',
    () => ({
      m: {
        get x() {
          return raise('name');
        },
      },
    }),
  ],
  [
    'a name that throws no error',
    () => ({
      m: {
        get x() {
          return raise();
        },
      },
    }),
  ],
  ['a proxy', () => new Proxy({}, { get: () => new Proxy({}, { get: () => () => 1 }) })],
];

function raise(text?: string): never {
  throw text === undefined ? 'a text' : new EvalError(text);
}

describe.each(OBJECTS)('the import object: %s', (_name, make) => {
  const wanting = '(module (import "m" "x" (func (param i32) (result i32))))';

  test.each([
    ['a module with an import', wanting],
    ['a module without', '(module)'],
  ])('for %s', async (_what, text) => {
    expect(outcome(() => run(heddle, text, make()))).toBe(outcome(() => run(v8, text, make())));
    for (const source of [(api: Api) => new api.Module(bytes(text)), () => bytes(text)]) {
      const [ours, theirs] = await Promise.all([heddle, v8].map((api) => settled(() => api.instantiate(source(api), make()))));
      expect(ours).toBe(theirs);
    }
  });
});

test('no import object', () => {
  for (const text of ['(module (import "m" "x" (func)))', '(module)']) {
    const [ours, theirs] = [heddle, v8].map((api) => outcome(() => new api.Instance(new api.Module(bytes(text))).exports));
    expect(ours).toBe(theirs);
  }
});

test('imports are read once each, in order, and before any is checked', () => {
  const text = '(module (import "a" "x" (func)) (import "b" "y" (global i32)) (import "a" "z" (memory 1)))';
  const [ours, theirs] = [heddle, v8].map((api) => {
    const log: string[] = [];
    const module = (from: string): object => new Proxy({}, { get: (_target, name) => (log.push(`${from}.${String(name)}`), 'wrong') });
    const imports = new Proxy({}, { get: (_target, name) => (log.push(String(name)), module(String(name))) });
    return [outcome(() => run(api, text, imports)), log];
  });
  expect(ours).toEqual(theirs);
});

describe('what the errors say', () => {
  const caught = (text: string, imports: unknown): unknown => {
    try {
      run(heddle, text, imports);
    } catch (error) {
      return error;
    }
    return undefined;
  };
  const wanted = WANTED['a function'] ?? '';

  test('missing', () => {
    expect(caught(wanted, { m: {} })).toMatchObject({
      name: 'LinkError',
      code: 'HEDDLE_LINK_MISSING',
      message: expect.stringMatching(/^unknown import.*m\.x/),
    });
  });

  test('of the wrong kind', () => {
    expect(caught(wanted, { m: { x: 5 } })).toMatchObject({
      name: 'LinkError',
      code: 'HEDDLE_LINK_TYPE',
      message: expect.stringMatching(/^incompatible import type.*m\.x/),
    });
  });

  test('no module object', () => {
    expect(caught(wanted, {})).toMatchObject({ name: 'TypeError', code: 'HEDDLE_LINK_MODULE', message: expect.stringContaining('m') });
    expect(caught(wanted, undefined)).toMatchObject({ name: 'TypeError', code: 'HEDDLE_ARGUMENT' });
  });
});

describe('objects of the other engine', () => {
  test.each<[string, string, () => unknown]>([
    ['Table', 'a table', () => new v8.Table({ element: 'anyfunc', initial: 2 })],
    ['Global', 'an i32', () => new v8.Global({ value: 'i32' }, 7)],
    ['Global', 'a variable', () => new v8.Global({ value: 'i32', mutable: true }, 7)],
    ['Tag', 'a tag', () => new v8.Tag({ parameters: ['i32'] })],
  ])("V8's %s for %s", (kind, wanted, make) => {
    expect(() => run(heddle, WANTED[wanted] ?? '', { m: { x: make() } })).toThrow(
      expect.objectContaining({
        name: 'LinkError',
        code: 'HEDDLE_LINK_TYPE',
        message: expect.stringMatching(new RegExp(`V8.*${kind}.*Heddle`)),
      }),
    );
    expect(outcome(() => run(v8, WANTED[wanted] ?? '', { m: { x: make() } })).startsWith('returned')).toBe(true);
  });

  test("Heddle's for V8", () => {
    for (const [wanted, make] of [
      ['a table', table('anyfunc', 2)],
      ['a variable', global('i32', true, 7)],
      ['a tag', (api: Api) => new api.Tag({ parameters: ['i32'] })],
    ] as const) {
      expect(outcome(() => run(v8, WANTED[wanted] ?? '', { m: { x: make(heddle) } }))).toBe('threw LinkError');
    }
  });

  test("V8's export is a function like others", () => {
    const theirs = exported(v8, '(module (func (export "f") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))))', 'f');
    const text = `(module (import "m" "x" (func $x (param i32) (result i32))) (export "x" (func $x))
      (func (export "f") (param i32) (result i32) (call $x (local.get 0))))`;
    const e = run(heddle, text, { m: { x: theirs } });
    expect(e['f']?.(4)).toBe(5);
    expect(e['x']).not.toBe(theirs);
    // Its type is not looked at: values are converted, as for any function of JavaScript.
    const wide = exported(v8, '(module (func (export "f") (param i64) (result i64) (local.get 0)))', 'f');
    expect(outcome(() => run(heddle, text, { m: { x: wide } })['f']?.(4))).toBe('threw TypeError');
    // And ours in V8.
    expect(run(v8, text, { m: { x: e['f'] } })['f']?.(5)).toBe(6);
  });

  test("V8's export as a value", () => {
    const theirs = exported(v8, '(module (func (export "f")))', 'f');
    expect(outcome(() => new heddle.Table({ element: 'anyfunc', initial: 1 }, theirs))).toBe('threw TypeError');
    expect(outcome(() => run(heddle, WANTED['a funcref'] ?? '', { m: { x: theirs } }))).toBe('threw LinkError');
    expect(new heddle.Global({ value: 'externref' }, theirs).value).toBe(theirs);
  });

  test("V8's Module and Instance", () => {
    const bytesOfNothing = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
    expect(outcome(() => new heddle.Instance(new v8.Module(bytesOfNothing)))).toBe('threw TypeError');
    expect(outcome(() => heddle.Module.exports(new v8.Module(bytesOfNothing)))).toBe('threw TypeError');
  });
});

import { describe, expect, test } from 'vitest';
import { ANY_VALUE, type Api, type Exported, exported, heddle, outcome, run, v8 } from './oracle.js';

function same(action: (api: Api) => unknown): void {
  expect(outcome(() => action(heddle))).toBe(outcome(() => action(v8)));
}

const someFunction = (api: Api): Exported => exported(api, '(module (func (export "f") (result i32) (i32.const 8)))', 'f');

describe.each(ANY_VALUE)('with %s', (_name, make) => {
  const table = (api: Api, ...fill: unknown[]): Exported => new api.Table({ element: 'anyfunc', initial: 2, maximum: 5 }, ...fill);
  const externs = (api: Api, ...fill: unknown[]): Exported => new api.Table({ element: 'externref', initial: 2 }, ...fill);

  test.each<[string, (api: Api) => unknown]>([
    ['as initial', (api) => new api.Table({ element: 'anyfunc', initial: make() }).length],
    ['as maximum', (api) => new api.Table({ element: 'anyfunc', initial: 2, maximum: make() }).length],
    ['as element', (api) => new api.Table({ element: make(), initial: 2 }).length],
    ['as descriptor', (api) => new api.Table(make())],
    ['as first value', (api) => table(api, make()).get(0)],
    ['as first extern', (api) => externs(api, make()).get(1) === make()],
    ['get', (api) => table(api).get(make())],
    ['set', (api) => table(api).set(make(), null)],
    ['set to it', (api) => table(api).set(0, make())],
    ['set extern to it', (api) => externs(api).set(0, make())],
    ['grow by', (api) => [table(api).grow(make(), null)]],
    // Newer V8 tells an undefined that is given from none; Web IDL and the V8 of Node 20 do not.
    ['grow with', (api) => table(api).grow(1, ...(make() === undefined ? [] : [make()]))],
    ['grow with extern', (api) => externs(api).grow(1, make())],
  ])('Table: %s', (_what, action) => same(action));

  test.each<[string, (api: Api) => unknown]>([
    ['as descriptor', (api) => new api.Global(make())],
    ['as type', (api) => new api.Global({ value: make() })],
    ['as mutable', (api) => Object.assign(new api.Global({ value: 'i32', mutable: make() }), { value: 4 }).value],
    ['assigned where immutable', (api) => Object.assign(new api.Global({ value: 'i32' }), { value: make() })],
  ])('Global: %s', (_what, action) => same(action));

  test.each(['i32', 'i64', 'f32', 'f64', 'externref', 'anyfunc', 'v128'])('Global of %s', (type) => {
    const value = make();
    const kept = (global: Exported): unknown => (Object.is(global.value, value) ? 'the same' : global.value);
    // For functions V8 tells an undefined that is given from none; Web IDL does not.
    if (!(type === 'anyfunc' && value === undefined)) same((api) => kept(new api.Global({ value: type }, value)));
    same((api) => {
      const global = new api.Global({ value: type, mutable: true });
      global.value = value;
      return kept(global);
    });
  });

  test.each<[string, (api: Api) => unknown]>([
    ['as descriptor', (api) => new api.Tag(make())],
    ['as a parameter', (api) => new api.Tag({ parameters: ['i32', make()] })],
  ])('Tag: %s', (_what, action) => same(action));
});

test('an undefined that is given to Table.grow is none, as Web IDL says', () => {
  const table = new heddle.Table({ element: 'anyfunc', initial: 2 });
  expect(table.grow(1, undefined)).toBe(2);
  expect(table.get(2)).toBe(null);
});

describe('Table', () => {
  const make = (api: Api, descriptor: object = {}): Exported => new api.Table({ element: 'anyfunc', initial: 2, ...descriptor });

  test.each<[string, (api: Api) => unknown]>([
    ['get without arguments', (api) => make(api).get.call(make(api), undefined)],
    ['set without a value', (api) => make(api).set(1)],
    ['grow without a value', (api) => [make(api).grow(1)]],
    ['grow returns the old length', (api) => [make(api).grow(3), make(api).grow(0)]],
    ['grow beyond the maximum', (api) => make(api, { maximum: 4 }).grow(3)],
    ['grow to the maximum', (api) => [make(api, { maximum: 4 }).grow(2)]],
    ['grow beyond every limit', (api) => make(api).grow(10_000_000)],
    ['grow to the limit', (api) => make(api).grow(9_999_998)],
    ['as long as possible', (api) => make(api, { initial: 10_000_000 }).length],
    ['longer than possible', (api) => make(api, { initial: 10_000_001 }).length],
    ['of any maximum', (api) => make(api, { maximum: 4_294_967_295 }).length],
    ['maximum below initial', (api) => make(api, { maximum: 1 })],
    ['empty', (api) => make(api, { initial: 0 }).length],
    ['get at the end', (api) => make(api).get(2)],
    ['set at the end', (api) => make(api).set(2, null)],
    ['new elements are null', (api) => new api.Table({ element: 'anyfunc', initial: 1 }).get(0)],
    ['new externs are undefined', (api) => new api.Table({ element: 'externref', initial: 1 }).get(0)],
    ['set extern to nothing', (api) => cleared(new api.Table({ element: 'externref', initial: 2 }, 5))],
    ['a text', (api) => String(make(api))],
    ['length is read-only', (api) => Object.assign(make(api), { length: 4 })],
    ['order of the descriptor', (api) => orderOf((descriptor) => new api.Table(descriptor), ['element', 'initial', 'maximum'])],
    ['unknown element', (api) => make(api, { element: 'i32' })],
  ])('%s', (_what, action) => same(action));

  test('holds functions by identity, and calls see them', () => {
    const text = `(module (import "m" "t" (table 1 funcref)) (func (export "call") (param i32) (result i32)
      (call_indirect (result i32) (local.get 0))))`;
    for (const api of [heddle, v8]) {
      const f = someFunction(api);
      const table = make(api, {});
      const e = run(api, text, { m: { t: table } });
      table.set(1, f);
      expect(table.get(1)).toBe(f);
      expect(e['call']?.(1)).toBe(8);
      expect(table.grow(2, f)).toBe(2);
      expect([table.length, table.get(3) === f, e['call']?.(3)]).toEqual([4, true, 8]);
    }
  });

  test('grown, set and filled by WebAssembly', () => {
    const text = `(module (table $t (export "t") 1 4 funcref) (func $f (result i32) (i32.const 2)) (elem declare func $f)
      (func (export "grow") (result i32) (table.grow $t (ref.func $f) (i32.const 2)))
      (func (export "clear") (table.fill $t (i32.const 0) (ref.null func) (i32.const 2)))
      (func (export "size") (result i32) (table.size $t)))`;
    const story = (api: Api): unknown[] => {
      const e = run(api, text);
      const table = e['t'];
      const steps: unknown[] = [table?.length, table?.get(0), e['grow']?.(), table?.length];
      steps.push((table?.get(2) as () => number)(), table?.get(1) === table?.get(2), e['clear']?.(), table?.get(1));
      steps.push(
        table?.grow(1),
        e['size']?.(),
        e['grow']?.(),
        outcome(() => table?.grow(1)),
      );
      return steps;
    };
    expect(story(heddle)).toEqual(story(v8));
  });
});

function cleared(table: Exported): unknown[] {
  table.set(0);
  table.set(1, undefined);
  return [table.get(0), table.get(1)];
}

/** In which order a constructor reads a descriptor's members. */
function orderOf(construct: (descriptor: object) => unknown, names: readonly string[]): unknown[] {
  const read: unknown[] = [];
  const values: Readonly<Record<string, unknown>> = { element: 'anyfunc', initial: 1, maximum: 2, value: 'i32', mutable: true };
  const descriptor = {};
  for (const name of [...names].reverse()) {
    Object.defineProperty(descriptor, name, {
      get() {
        read.push(name);
        return values[name];
      },
    });
  }
  construct(descriptor);
  return read;
}

describe('Global', () => {
  test.each<[string, (api: Api) => unknown]>([
    ['default i32', (api) => new api.Global({ value: 'i32' }).value],
    ['default i64', (api) => new api.Global({ value: 'i64' }).value],
    ['default f32', (api) => new api.Global({ value: 'f32' }).value],
    ['default f64', (api) => new api.Global({ value: 'f64' }).value],
    ['default anyfunc', (api) => new api.Global({ value: 'anyfunc' }).value],
    ['valueOf', (api) => Number(new api.Global({ value: 'i32' }, 9)) + 1],
    ['a text', (api) => String(new api.Global({ value: 'i32' }, 9))],
    ['order of the descriptor', (api) => orderOf((descriptor) => new api.Global(descriptor), ['mutable', 'value'])],
    ['a function', (api) => new api.Global({ value: 'anyfunc' }, someFunction(api)).value],
  ])('%s', (_what, action) => same(action));

  test('an undefined that is given is like none', () => {
    // As Web IDL says of optional arguments; DefaultValue(externref) is undefined.
    expect(new heddle.Global({ value: 'anyfunc' }, undefined).value).toBe(null);
    expect(new heddle.Global({ value: 'externref' }).value).toBe(undefined);
  });

  test.each([
    ['i32', 5, -6],
    ['i64', 5n, -6n],
    ['f32', 0.5, -0.1],
    ['f64', 0.1, Number.NaN],
    ['externref', 'a', { b: 1 }],
  ])('%s is one variable for WebAssembly and JavaScript', (type, first, second) => {
    const text = `(module (import "m" "g" (global $g (mut ${type}))) (export "g" (global $g))
      (func (export "get") (result ${type}) (global.get $g)) (func (export "set") (param ${type}) (global.set $g (local.get 0))))`;
    const story = (api: Api): unknown[] => {
      const g = new api.Global({ value: type, mutable: true }, first);
      const e = run(api, text, { m: { g } });
      const steps: unknown[] = [e['g'] === g, e['get']?.()];
      g.value = second;
      steps.push(e['get']?.(), e['set']?.(first), g.value);
      return steps;
    };
    expect(story(heddle)).toEqual(story(v8));
  });

  test('one global under two names is one object', () => {
    // The JS API's global cache; V8 of Node 20 makes two.
    const e = run(heddle, '(module (global $g (export "a") (export "b") i32 (i32.const 1)))');
    expect(e['a']).toBe(e['b']);
  });

  test('exports of a module', () => {
    const text = `(module (global (export "a") (mut i64) (i64.const -1)) (global $b (export "b") f32 (f32.const 0.1))
      (global (export "b2") f32 (f32.const 0.1)) (func $f) (global (export "f") funcref (ref.func $f))
      (global (export "n") externref (ref.null extern)))`;
    const story = (api: Api): unknown[] => {
      const e = run(api, text);
      const values = ['a', 'b', 'b2', 'n'].map((name) => e[name]?.value);
      return [...values, e['b'] === e['b2'], outcome(() => Object.assign(e['b'] ?? {}, { value: 1 })), typeof e['f']?.value];
    };
    expect(story(heddle)).toEqual(story(v8));
  });
});

describe('Tag', () => {
  test('links by type and is one object', () => {
    const text = '(module (import "m" "t" (tag $t (param i32))) (export "t" (tag $t)))';
    for (const api of [heddle, v8]) {
      const t = new api.Tag({ parameters: ['i32'] });
      expect(run(api, text, { m: { t } })['t']).toBe(t);
      expect(outcome(() => run(api, text, { m: { t: new api.Tag({ parameters: [] }) } }))).toBe('threw LinkError');
      expect(outcome(() => run(api, text, { m: { t: new api.Tag({ parameters: ['i64'] }) } }))).toBe('threw LinkError');
      const made = exported(api, '(module (tag (export "t") (param i32)))', 't');
      expect(made).toBeInstanceOf(api.Tag);
      expect(run(api, text, { m: { t: made } })['t']).toBe(made);
    }
  });

  test.each(ANY_VALUE)('with %s as parameters', (_name, make) => {
    // A Web IDL sequence: an object that is iterable. (V8 wants a length instead, which functions and strings have.)
    const value = make();
    const iterable = typeof value === 'object' && value !== null && Symbol.iterator in value;
    const fits = iterable && [...(value as Iterable<unknown>)].length === 0;
    expect(outcome(() => new heddle.Tag({ parameters: value }))).toBe(fits ? 'returned [object WebAssembly.Tag]' : 'threw TypeError');
  });

  test('parameters are any iterable', () => {
    expect(new heddle.Tag({ parameters: new Set(['i32', 'externref']) })).toBeInstanceOf(heddle.Tag);
  });
});

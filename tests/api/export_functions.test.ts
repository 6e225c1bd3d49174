// Exported functions are made cheaply, and yet are what V8's are: the same objects by whichever way they come, with V8's properties.
import { beforeAll, describe, expect, test } from 'vitest';
import { collect, WebAssembly as Heddle, parseWat } from '../../ts/index.js';

const bytes = parseWat(`(module
  (type $f (func (param i32) (result i32)))
  (import "m" "host" (func $host (param i32) (result i32)))
  (table (export "table") 4 funcref)
  (elem (i32.const 0) $one $host $two)
  (func $none (export "none"))
  (func $one (export "one") (export "again") (export "7") (param i32) (result i32) local.get 0)
  (func $two (export "two") (param i64 f32) (result i64) local.get 0)
  (func (export "three") (param f64 i32 i32) (result f64) local.get 0)
  (func (export "four") (param i32 i32 i32 i32) (result i32) local.get 3)
  (func (export "five") (param i32 i32 i32 i32 i32) (result i32) local.get 4)
  (func (export "pair") (param i32) (result i32 i32) local.get 0 local.get 0)
  (func (export "extern") (param externref) (result externref) local.get 0)
  (func (export "vector") (param v128) (result v128) local.get 0)
  (export "host" (func $host))
  (func (export "refer") (result funcref) ref.func $two)
  (func (export "__proto__") (result i32) i32.const 3)
  (elem declare func $two))`);

type Exports = Record<string, (...args: unknown[]) => unknown>;
const make = (engine: typeof Heddle | typeof WebAssembly): Exports => {
  const { Module, Instance } = engine as typeof Heddle;
  return new Instance(new Module(bytes), { m: { host: (x: number) => x + 1 } }).exports;
};

let heddle: Exports = {};
let v8: Exports = {};
beforeAll(() => {
  heddle = make(Heddle);
  v8 = make(WebAssembly);
});

const attributes = (object: object): unknown =>
  Reflect.ownKeys(object).map((name) => {
    const { value: _, ...rest } = Object.getOwnPropertyDescriptor(object, name) ?? {};
    return [name, rest];
  });

describe('the exports', () => {
  test("are V8's properties, in V8's order", () => {
    expect(attributes(heddle)).toEqual(attributes(v8));
    expect(Object.isFrozen(heddle)).toBe(true);
    expect(Object.getPrototypeOf(heddle)).toBe(null);
    expect(Object.keys({ ...heddle })).toEqual(Object.keys(v8));
    expect('one' in heddle && !('toString' in heddle)).toBe(true);
  });

  test("have V8's own name and length, and no [[Construct]]", () => {
    for (const name of Object.keys(v8)) {
      const [ours, theirs] = [heddle[name], v8[name]];
      if (typeof theirs !== 'function' || typeof ours !== 'function') continue;
      for (const property of ['name', 'length'])
        expect(Object.getOwnPropertyDescriptor(ours, property), name).toEqual(Object.getOwnPropertyDescriptor(theirs, property));
      expect(() => Reflect.construct(ours, [])).toThrow(TypeError);
      expect('prototype' in ours).toBe(false);
    }
  });

  test("give what V8's give, each time they are called", () => {
    const calls: [string, unknown[]][] = [
      ['none', []],
      ['one', ['12']],
      ['two', [5n, 1]],
      ['three', [1.5, 0, 0]],
      ['four', [1, 2, 3, 4]],
      ['five', [1, 2, 3, 4, 5]],
      ['pair', [9]],
      ['extern', [heddle]],
      ['host', [4]],
      ['__proto__', []],
    ];
    for (let round = 0; round < 2; round++)
      for (const [name, args] of calls) expect(heddle[name]?.(...args), name).toEqual(v8[name]?.(...args));
    expect(() => heddle['vector']?.(0)).toThrow(TypeError);
    expect(() => heddle['two']?.(5, 1)).toThrow(TypeError);
  });
});

describe('a function', () => {
  const table = (exports: Exports): { get(i: number): unknown; set(i: number, f: unknown): void } =>
    exports['table'] as unknown as ReturnType<typeof table>;

  test('is one object under all its names, in tables, by ref.func and from other instances', () => {
    expect(heddle['again']).toBe(heddle['one']);
    expect(heddle['7']).toBe(heddle['one']);
    expect(table(heddle).get(0)).toBe(heddle['one']);
    expect(table(heddle).get(1)).toBe(heddle['host']);
    expect(heddle['refer']?.()).toBe(heddle['two']);
    const other = new Heddle.Instance(
      new Heddle.Module(parseWat('(module (import "a" "f" (func $f (param i32) (result i32))) (export "g" (func $f)))')),
      { a: { f: heddle['one'] } },
    );
    expect(other.exports['g']).toBe(heddle['one']);
  });

  test('is one object when it was asked for by another way first, and after collections', () => {
    const exports = make(Heddle);
    const first = table(exports).get(2);
    collect();
    expect(exports['two']).toBe(first);
    table(exports).set(3, exports['four']);
    collect();
    expect(table(exports).get(3)).toBe(exports['four']);
  });

  test('keeps its instance, called or not', () => {
    const only = (['one', 'five', 'extern'] as const).map((name) => make(Heddle)[name]);
    for (let i = 0; i < 50; i++) make(Heddle);
    collect();
    expect(only.map((fn) => fn?.(1, 2, 3, 4, 5))).toEqual([1, 5, 1]);
  });
});

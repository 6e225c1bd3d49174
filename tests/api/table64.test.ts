/**
 * Tables with 64-bit indices, and references that JavaScript never sees. Expected is the text of the JS API, for V8 of Node 20 has neither.
 */
import { describe, expect, test } from 'vitest';
import { WebAssembly as Heddle, parseWat } from '../../ts/index.js';

type Table64 = InstanceType<typeof Heddle.Table>;

function exportsOf(text: string): Record<string, Table64 & { value: unknown } & ((...args: unknown[]) => unknown)> {
  return new Heddle.Instance(new Heddle.Module(parseWat(text))).exports;
}

describe('a table with 64-bit indices', () => {
  test('takes and gives bigints', () => {
    const { t, f, size } = exportsOf(`(module (table (export "t") i64 2 5 funcref) (func (export "f") (result i32) (i32.const 7))
      (func (export "size") (result i64) (table.size 0)))`);
    expect([t?.length, t?.get(0n), t?.grow(2n), t?.length, size?.()]).toEqual([2n, null, 2n, 4n, 4n]);
    t?.set(3n, f);
    expect(t?.get(3n)).toBe(f);
    expect(() => t?.get(0)).toThrow(TypeError);
    expect(() => t?.set(0, null)).toThrow(TypeError);
    expect(() => t?.grow(1)).toThrow(TypeError);
    expect(() => t?.get(-1n)).toThrow(TypeError);
    for (const index of [4n, 2n ** 32n, 2n ** 64n - 1n]) expect(() => t?.get(index)).toThrow(RangeError);
    expect(() => t?.grow(2n)).toThrow(RangeError);
  });

  test('is made by its address type, and imported by it', () => {
    const table = new Heddle.Table({ element: 'externref', initial: 1n, maximum: 3n, address: 'i64' });
    expect(table.length).toBe(1n);
    const link = (type: string): unknown =>
      new Heddle.Instance(new Heddle.Module(parseWat(`(module (import "m" "t" (table ${type})))`)), { m: { t: table } });
    expect(() => link('i64 1 3 externref')).not.toThrow();
    expect(() => link('1 3 externref')).toThrow(Heddle.LinkError);
    expect(() => new Heddle.Table({ element: 'externref', initial: 1, address: 'i64' })).toThrow(TypeError);
    expect(() => new Heddle.Table({ element: 'externref', initial: 1n })).toThrow(TypeError);
    expect(() => new Heddle.Table({ element: 'externref', initial: 1, address: 'i65' as never })).toThrow(TypeError);
  });
});

// V8 of Node 26 has these: the numbers are what it gives.
test.each([
  ['3', 3n],
  [' 5 ', 5n],
  ['', 0n],
  [true, 1n],
  [{ valueOf: () => 2n }, 2n],
  [[4], 4n],
])('%j is converted where addresses have 64 bits', (initial, length) => {
  const table = new Heddle.Table({ element: 'anyfunc', address: { toString: () => 'i64' } as never, initial: initial as never });
  expect(table.length).toBe(length);
});

test.each([
  [3, TypeError],
  [1.5, TypeError],
  [null, TypeError],
  [undefined, TypeError],
  ['x', SyntaxError],
  [-1n, TypeError],
  [2n ** 64n, TypeError],
  [2n ** 64n + 3n, TypeError],
])('%s is none', (initial, error) => {
  expect(() => new Heddle.Table({ element: 'anyfunc', address: 'i64', initial: initial as never })).toThrow(error);
});

test('the members of a descriptor are read and converted in the order of V8', () => {
  const seen: string[] = [];
  const descriptor = {};
  for (const [name, value] of Object.entries({ address: 'i32', element: 'anyfunc', initial: 1, maximum: 2 })) {
    const convert = (): unknown => {
      seen.push(`convert ${name}`);
      return value;
    };
    Object.defineProperty(descriptor, name, {
      get() {
        seen.push(`get ${name}`);
        return { toString: convert, valueOf: convert };
      },
    });
  }
  new Heddle.Table(descriptor as never);
  expect(seen).toEqual(['element', 'address', 'initial', 'maximum'].flatMap((name) => [`get ${name}`, `convert ${name}`]));
});

test('a global of v128 is refused, with and without a value', () => {
  for (const rest of [[], [undefined], [0n]]) expect(() => new Heddle.Global({ value: 'v128' }, ...(rest as never[]))).toThrow(TypeError);
});

test.each(['exnref', '(ref null noexn)', '(ref null $k)'])('%s does not cross, not even null', (type) => {
  const { g, t, f } = exportsOf(`(module (type $f (func)) (type $k (cont $f))
    (global (export "g") ${type} ${type === 'exnref' ? '(ref.null exn)' : type.includes('$k') ? '(ref.null $k)' : '(ref.null noexn)'})
    (table (export "t") 1 ${type}) (func (export "f") (result ${type}) (table.get 0 (i32.const 0))))`);
  expect(() => g?.value).toThrow(TypeError);
  expect(() => t?.get(0)).toThrow(TypeError);
  expect(() => f?.()).toThrow(TypeError);
});

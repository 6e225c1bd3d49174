import { describe, expect, test } from 'vitest';
import { call } from '../../ts/index.js';
import { type Api, exported, heddle, outcome, run, v8 } from './oracle.js';

const PAIR = `(module (import "m" "x" (func $x (result i32 i64))) (func (export "f") (result i32 i64) call $x))`;

const fails = (where: string): never => {
  throw new EvalError(where);
};

/** What an import of two results may return, made anew for each use. */
const RETURNED: readonly (readonly [name: string, make: () => unknown])[] = [
  ['an array', () => [1, 2n]],
  ['values to convert', () => ['7', '8']],
  ['an empty array', () => []],
  ['one value', () => [1]],
  ['three values', () => [1, 2n, 3]],
  ['a number for an i64', () => [1, 2]],
  ['undefined', () => undefined],
  ['null', () => null],
  ['a number', () => 5],
  ['a string of two', () => '12'],
  ['a set', () => new Set([4, 5n])],
  ['a map', () => new Map([[1, 2n]])],
  ['a typed array', () => Int32Array.of(1, 2)],
  ['a typed array of bigints', () => BigInt64Array.of(1n, 2n)],
  ['an array-like', () => ({ length: 2, 0: 1, 1: 2n })],
  ['a sparse array', () => new Array(2)],
  [
    'a generator',
    () =>
      (function* () {
        yield 1;
        yield 2n;
      })(),
  ],
  ['an iterator that throws', () => ({ [Symbol.iterator]: () => fails('iterator') })],
  ['an iterator that is no function', () => ({ [Symbol.iterator]: 5 })],
  [
    'a generator that throws at the second',
    () =>
      (function* () {
        yield 1;
        fails('second');
      })(),
  ],
  ['a value that throws', () => [{ valueOf: () => fails('value') }, 2n]],
  ['an array that iterates otherwise', () => Object.assign([7, 8n], { [Symbol.iterator]: () => [5, 6n][Symbol.iterator]() })],
  ['a promise', () => Promise.resolve([1, 2n])],
];

test.each(RETURNED)('an import that returns %s', (_name, make) => {
  const [ours, theirs] = [heddle, v8].map((api) => outcome(() => exported(api, PAIR, 'f', { m: { x: make } })()));
  expect(ours).toBe(theirs);
});

test('every value is taken from the iterator before any is converted, and none after the last', () => {
  const [ours, theirs] = [heddle, v8].map((api) => {
    const log: string[] = [];
    const value = (name: string, result: unknown): object => ({ valueOf: () => (log.push(`convert ${name}`), result) });
    function* values(): Generator<object> {
      log.push('first');
      yield value('a', 1);
      log.push('second');
      yield value('b', 2n);
      log.push('end');
    }
    return [outcome(() => exported(api, PAIR, 'f', { m: { x: values } })()), log];
  });
  expect(ours).toEqual(theirs);
});

test('several results come as a fresh array', () => {
  const text = '(module (func (export "f") (result i32 f64) (i32.const 1) (f64.const -0)))';
  for (const api of [heddle, v8]) {
    const f = exported(api, text, 'f');
    const result = f() as unknown[];
    expect(Array.isArray(result)).toBe(true);
    expect(Object.getPrototypeOf(result)).toBe(Array.prototype);
    expect(result).toEqual([1, -0]);
    expect(f()).not.toBe(result);
    result.push(3);
    expect(f()).toEqual([1, -0]);
  }
});

/** Every parameter comes back: directly, from an import, and from another function. */
function manyValues(types: readonly string[]): string {
  const list = types.join(' ');
  const all = types.map((_, i) => `(local.get ${i})`).join(' ');
  return `(module (import "m" "x" (func $x (param ${list}) (result ${list})))
    (func $f (export "f") (param ${list}) (result ${list}) ${all})
    (func (export "import") (param ${list}) (result ${list}) (call $x ${all}))
    (func (export "call") (param ${list}) (result ${list}) (call $f ${all})))`;
}

/** Every parameter comes back from a continuation that suspends with them and is resumed with them. */
function continuation(types: readonly string[]): string {
  const list = types.join(' ');
  const all = types.map((_, i) => `(local.get ${i})`).join(' ');
  return `(module (type $t (func (param ${list}) (result ${list}))) (type $k (cont $t)) (type $back (func (param ${list}) (result ${list})))
    (type $r (cont $back)) (tag $pause (param ${list}) (result ${list}))
    (func $body (param ${list}) (result ${list}) ${all} (suspend $pause))
    (elem declare func $body)
    (func (export "f") (param ${list}) (result ${list})
      (block $on (result ${list} (ref $r))
        (resume $k (on $pause $on) ${all} (cont.new $k (ref.func $body))) (return))
      (resume $r)))`;
}

const VALUE: Readonly<Record<string, (i: number) => unknown>> = {
  i32: (i) => i * 7919,
  i64: (i) => BigInt(i) * 0x1_0000_0001n,
  f32: (i) => i / 4,
  f64: (i) => i / 3,
  externref: (i) => (i % 3 === 0 ? null : `value ${i}`),
};

const KINDS = [...Object.keys(VALUE), 'mixed'];

/** Around what fits registers, what N-API takes at once, and the most there may be. */
const CASES = [2, 6, 7, 8, 9, 16, 17].flatMap((count) => KINDS.map((kind) => [count, kind] as const));

describe('many values', () => {
  test.each([...CASES, [1000, 'mixed'], [1000, 'f64']] as const)('%i of %s', (count, kind) => {
    const types = Array.from({ length: count }, (_, i) => (kind === 'mixed' ? (Object.keys(VALUE)[i % 5] ?? 'i32') : kind));
    const args = types.map((type, i) => VALUE[type]?.(i));
    const text = manyValues(types);
    const imports = { m: { x: (...values: unknown[]) => Array.from(values) } };
    for (const api of [heddle, v8]) {
      const e = run(api, text, imports);
      for (const name of ['f', 'import', 'call']) expect(e[name]?.(...args)).toEqual(args);
    }
    expect(call(exported(heddle, text, 'f', imports), args)).toEqual(args);
    // The block that the handler branches to has one result more.
    const fewer = args.slice(0, 999);
    expect(exported(heddle, continuation(types.slice(0, 999)), 'f')(...fewer)).toEqual(fewer);
  });
});

test('an import gets its arguments in order', () => {
  const types = Array.from({ length: 1000 }, () => 'i32');
  const args = types.map((_, i) => i);
  for (const api of [heddle, v8]) {
    const f = exported(api, manyValues(types), 'import', { m: { x: (...values: unknown[]) => values.reverse() } });
    expect(f(...args)).toEqual([...args].reverse());
  }
});

test.each(['param', 'result'])('1,001 of them are too many: %s', (where) => {
  const text = `(module (func (${where} ${'i32 '.repeat(1001)}) unreachable))`;
  const [ours, theirs] = [heddle, v8].map((api: Api) => outcome(() => run(api, text)));
  expect(ours).toBe('threw CompileError');
  expect(ours).toBe(theirs);
});

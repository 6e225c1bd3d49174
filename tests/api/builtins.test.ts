/** The compile options `builtins` and `importedStringConstants`. What the functions give is what JavaScript's own methods give, and the proposal's text; V8 of Node 26 agrees. */
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { WebAssembly as Heddle, parseWat } from '../../ts/index.js';

const SIGNATURES: Readonly<Record<string, string>> = {
  cast: '(param externref) (result (ref extern))',
  test: '(param externref) (result i32)',
  fromCharCode: '(param i32) (result (ref extern))',
  fromCodePoint: '(param i32) (result (ref extern))',
  charCodeAt: '(param externref i32) (result i32)',
  codePointAt: '(param externref i32) (result i32)',
  length: '(param externref) (result i32)',
  concat: '(param externref externref) (result (ref extern))',
  substring: '(param externref i32 i32) (result (ref extern))',
  equals: '(param externref externref) (result i32)',
  compare: '(param externref externref) (result i32)',
};

const params = (signature: string): number => (/\(param ([^)]+)\)/.exec(signature)?.[1] ?? '').split(' ').length;
const imported = (name: string, type = SIGNATURES[name], id = ''): string => `(import "wasm:js-string" "${name}" (func ${id} ${type}))`;

/** Calls each of them, directly and by reference. */
const CALLS = parseWat(`(module
  ${Object.keys(SIGNATURES)
    .map((name) => imported(name, SIGNATURES[name], `$${name}`))
    .join('\n')}
  ${Object.entries(SIGNATURES)
    .map(([name, type]) => {
      const args = Array.from({ length: params(type) }, (_, i) => `(local.get ${i})`).join(' ');
      return `(type $t${name} (func ${type})) (func (export "${name}") (type $t${name}) (call $${name} ${args}))
        (func (export "ref ${name}") (type $t${name}) (call_ref $t${name} ${args} (ref.func $${name}))) (elem declare func $${name})`;
    })
    .join('\n')})`);

const options = { builtins: ['js-string'] };
const exports = new Heddle.Instance(new Heddle.Module(CALLS, options)).exports as Record<string, (...args: unknown[]) => unknown>;

/** What a call gives, or the code of what it throws. */
function outcome(name: string, args: readonly unknown[]): unknown {
  try {
    return exports[name]?.(...args);
  } catch (error) {
    const { code } = error as { code?: unknown };
    return error instanceof Heddle.RuntimeError ? code : error;
  }
}

const NO_STRING = 'HEDDLE_TRAP_CAST_FAILURE';
const OUTSIDE = 'HEDDLE_TRAP_STRING_BOUNDS';
const NO_POINT = 'HEDDLE_TRAP_CODE_POINT';

test.each<[string, readonly unknown[], unknown]>([
  ['cast', ['x'], 'x'],
  ['cast', [1], NO_STRING],
  ['cast', [null], NO_STRING],
  ['cast', [Object('x')], NO_STRING],
  ['test', [''], 1],
  ['test', [null], 0],
  ['test', [5], 0],
  ['fromCharCode', [65], 'A'],
  ['fromCharCode', [0x10041], 'A'],
  ['fromCharCode', [-1], '\uffff'],
  ['fromCodePoint', [0x1f600], '\u{1f600}'],
  ['fromCodePoint', [0x10ffff], '\u{10ffff}'],
  ['fromCodePoint', [0x110000], NO_POINT],
  ['fromCodePoint', [-1], NO_POINT],
  ['charCodeAt', ['abc', 2], 99],
  ['charCodeAt', ['abc', 3], OUTSIDE],
  ['charCodeAt', ['abc', -1], OUTSIDE],
  ['charCodeAt', [5, 0], NO_STRING],
  ['codePointAt', ['\u{1f600}', 0], 0x1f600],
  ['codePointAt', ['\u{1f600}', 1], 0xde00],
  ['codePointAt', ['a', 1], OUTSIDE],
  ['codePointAt', [null, 1], NO_STRING],
  ['length', ['\u{1f600}'], 2],
  ['length', [null], NO_STRING],
  ['concat', ['a', 'b'], 'ab'],
  ['concat', ['a', null], NO_STRING],
  ['substring', ['hello', 1, 3], 'el'],
  ['substring', ['hello', 3, 1], ''],
  ['substring', ['hello', 1, -1], 'ello'],
  ['substring', ['hello', -1, 2], ''],
  ['substring', ['hello', 9, 12], ''],
  ['substring', ['hello', 5, 5], ''],
  ['substring', [undefined, 1, 2], NO_STRING],
  ['equals', ['a', 'a'], 1],
  ['equals', ['a', 'b'], 0],
  ['equals', [null, null], 1],
  ['equals', ['a', null], 0],
  ['equals', [null, ''], 0],
  ['equals', [1, 'a'], NO_STRING],
  ['equals', [1, 1], NO_STRING],
  ['compare', ['a', 'b'], -1],
  ['compare', ['b', 'a'], 1],
  ['compare', ['a', 'a'], 0],
  ['compare', ['a', 'aa'], -1],
  ['compare', [null, 'a'], NO_STRING],
])('%s of %j', (name, args, expected) => {
  expect([outcome(name, args), outcome(`ref ${name}`, args)]).toEqual([expected, expected]);
});

test('a patched String.prototype changes nothing', () => {
  const { charCodeAt } = String.prototype;
  String.prototype.charCodeAt = () => 7;
  try {
    expect(exports['charCodeAt']?.('abc', 0)).toBe(97);
  } finally {
    String.prototype.charCodeAt = charCodeAt;
  }
});

test('a trap of theirs is none that a handler catches', () => {
  const text = `(module ${imported('length', SIGNATURES['length'], '$l')}
    (func (export "f") (result i32) (block $h (try_table (catch_all $h) (drop (call $l (ref.null extern))))) (i32.const 1)))`;
  const { f } = new Heddle.Instance(new Heddle.Module(parseWat(text), options)).exports;
  expect(f).toThrow(Heddle.RuntimeError);
});

describe('which imports they are', () => {
  const length = parseWat(`(module ${imported('length')})`);
  const names = (bytes: Uint8Array, given: object): string[] =>
    Heddle.Module.imports(new Heddle.Module(bytes, given)).map(({ module, name }) => `${module} ${name}`);

  test.each<[string, object, boolean]>([
    ['none', {}, false],
    ['null', { builtins: null }, false],
    ['another set', { builtins: ['other'] }, false],
    ['twice', { builtins: ['js-string', 'js-string'] }, true],
    ['with another set', { builtins: new Set(['other', 'js-string']) }, true],
  ])('%s', (_what, given, provided) => {
    expect(names(length, given)).toEqual(provided ? [] : ['wasm:js-string length']);
  });

  test.each<[string, object]>([
    ['text', { builtins: 'js-string' }],
    ['a number', { builtins: 1 }],
    ['symbols', { builtins: [Symbol('js-string')] }],
  ])('%s is a TypeError', (_what, given) => {
    expect(() => new Heddle.Module(length, given)).toThrow(TypeError);
    expect(() => Heddle.validate(length, given)).toThrow(TypeError);
  });

  test('what the set has not, and what is no function, is to be given', () => {
    const bytes = parseWat('(module (import "wasm:js-string" "nope" (func)) (import "wasm:js-string" "length" (global i32)))');
    expect(names(bytes, options)).toEqual(['wasm:js-string nope', 'wasm:js-string length']);
    expect(() => new Heddle.Instance(new Heddle.Module(bytes, options))).toThrow(TypeError);
    expect(() => new Heddle.Instance(new Heddle.Module(bytes, options), { 'wasm:js-string': { nope() {}, length: 1 } })).not.toThrow();
  });

  test('without the option they are imports like others', () => {
    const module = new Heddle.Module(CALLS);
    const polyfill = Object.fromEntries(Object.keys(SIGNATURES).map((name) => [name, () => 12]));
    const made = new Heddle.Instance(module, { 'wasm:js-string': polyfill }).exports as typeof exports;
    expect(made['length']?.('abc')).toBe(12);
  });
});

test.each<[string, string]>([
  ['another result', imported('length', '(param externref) (result i64)')],
  ['no result', imported('length', '(param externref)')],
  ['a result that may be null', imported('concat', '(param externref externref) (result externref)')],
  ['params that may not be null', imported('length', '(param (ref extern)) (result i32)')],
  ['more params', imported('length', '(param externref externref) (result i32)')],
  ['a type that is not final', `(type $t (sub (func (param externref) (result i32)))) ${imported('length', '(type $t)')}`],
  ['a type of a group', `(rec (type $t (func (param externref) (result i32))) (type (func))) ${imported('length', '(type $t)')}`],
  [
    'an array of other elements',
    `(type $a (array (mut i8))) ${imported('fromCharCodeArray', '(param (ref null $a) i32 i32) (result (ref extern))')}`,
  ],
  [
    'an array of constants',
    `(type $a (array i16)) ${imported('fromCharCodeArray', '(param (ref null $a) i32 i32) (result (ref extern))')}`,
  ],
])('refused by its type: %s', async (_what, text) => {
  const bytes = parseWat(`(module ${text})`);
  expect(() => new Heddle.Module(bytes, options)).toThrow(Heddle.CompileError);
  expect(Heddle.validate(bytes, options)).toBe(false);
  await expect(Heddle.compile(bytes, options)).rejects.toThrow(Heddle.CompileError);
  expect(Heddle.validate(bytes)).toBe(true);
});

test('those with arrays take and give code units, between bounds', () => {
  const text = `(module (type $a (array (mut i16)))
    (import "wasm:js-string" "fromCharCodeArray" (func $from (param (ref null $a) i32 i32) (result (ref extern))))
    (import "wasm:js-string" "intoCharCodeArray" (func $into (param externref (ref null $a) i32) (result i32)))
    (func (export "from") (param (ref null $a) i32 i32) (result externref) (call $from (local.get 0) (local.get 1) (local.get 2)))
    (func (export "into") (param externref (ref null $a) i32) (result i32) (call $into (local.get 0) (local.get 1) (local.get 2)))
    (func (export "make") (param i32) (result (ref $a)) (array.new_default $a (local.get 0))))`;
  const { from, into, make } = new Heddle.Instance(new Heddle.Module(parseWat(text), options)).exports;
  const array = make(5);
  expect(into('x\ud83d', array, 3)).toBe(2);
  expect(into('', array, 5)).toBe(0);
  expect(from(array, 2, 5)).toBe('\0x\ud83d');
  expect(from(array, 5, 5)).toBe('');
  for (const [start, end] of [
    [3, 2],
    [0, 6],
    [-1, 0],
  ])
    expect(() => from(array, start, end)).toThrow('out of bounds array access');
  expect(() => into('ab', array, 4)).toThrow('out of bounds array access');
  expect(() => into('', array, -1)).toThrow('out of bounds array access');
  expect(from(array, 0, 5)).toBe('\0\0\0x\ud83d');
  expect(() => from(null, 0, 0)).toThrow('null array reference');
  expect(() => into('x', null, 0)).toThrow('null array reference');
  expect(() => into(1, array, 0)).toThrow('cast failure');
});

describe('strings by their names', () => {
  const text =
    parseWat(`(module (import "'" "abc" (global $a externref)) (import "'" "\u{1f600}" (global $b (ref extern))) (import "'" "" (global $c externref))
    (export "a" (global $a)) (func (export "f") (result externref externref externref) (global.get $a) (global.get $b) (global.get $c)))`);
  const given = { importedStringConstants: "'" };

  test('are there', async () => {
    const module = new Heddle.Module(text, given);
    expect(Heddle.Module.imports(module)).toEqual([]);
    const { exports: made } = new Heddle.Instance(module);
    expect(made['f']()).toEqual(['abc', '\u{1f600}', '']);
    expect(made['a'].value).toBe('abc');
    const { instance } = await Heddle.instantiate(text, undefined, given);
    expect(instance.exports['f']()).toEqual(['abc', '\u{1f600}', '']);
  });

  test('of another module are imports', () => {
    for (const importedStringConstants of [undefined, null, 'other'])
      expect(Heddle.Module.imports(new Heddle.Module(text, { importedStringConstants } as object)).length).toBe(3);
  });

  test('the empty name is one', () => {
    const bytes = parseWat('(module (import "" "x" (global $x externref)) (export "x" (global $x)))');
    const { exports: made } = new Heddle.Instance(new Heddle.Module(bytes, { importedStringConstants: '' }));
    expect(made['x'].value).toBe('x');
  });

  test.each(['(global (mut externref))', '(global i32)', '(func)', '(global funcref)', '(memory 1)', '(global (ref null noextern))'])(
    '%s is refused',
    (type) => {
      const bytes = parseWat(`(module (import "'" "a" ${type}))`);
      expect(() => new Heddle.Module(bytes, given)).toThrow(Heddle.CompileError);
      expect(Heddle.validate(bytes, given)).toBe(false);
    },
  );
});

test('a module that was posted has its options', async () => {
  const bytes = parseWat(`(module ${imported('length', SIGNATURES['length'], '$l')} (import "s" "four" (global $g (ref extern)))
    (func (export "f") (result i32) (call $l (global.get $g))))`);
  const code = `
    const { workerData, parentPort } = require('node:worker_threads');
    const { WebAssembly } = require(${JSON.stringify(new URL('../../dist/heddle.cjs', import.meta.url).pathname)});
    parentPort.postMessage([WebAssembly.Module.imports(workerData).length, new WebAssembly.Instance(workerData).exports.f()]);`;
  const worker = new Worker(code, {
    eval: true,
    workerData: new Heddle.Module(bytes, { builtins: ['js-string'], importedStringConstants: 's' }),
  });
  expect(await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))).toEqual([0, 4]);
  await worker.terminate();
});

import { spawnSync } from 'node:child_process';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { type Api, exported, heddle, outcome, run, v8 } from './oracle.js';

const FUNCTIONS = `(module
  (func (export "two") (param i32 i64) (result i32) local.get 0)
  (func (export "none"))
  (func (export "extern") (param externref) (result externref) local.get 0)
  (func (export "many") (param i32 i32 i32 i32 i32 f64))
  (memory (export "memory") 1) (table (export "table") 1 funcref) (global (export "global") i32 (i32.const 1)))`;

const INTERFACES = ['Module', 'Instance', 'Memory', 'Table', 'Global', 'Tag'] as const;

/** A property by name, kind, attributes, and what methods say of themselves. */
function shown(key: string | symbol, { get, set, value, ...attributes }: PropertyDescriptor = {}): string {
  const kind =
    typeof value === 'function'
      ? `${value.name}/${value.length}`
      : `${get?.name} ${set?.name} ${key === 'constructor' ? '' : String(value)}`;
  return `${String(key)} ${kind} ${JSON.stringify(attributes)}`;
}

/** Names and attributes of what a prototype has. */
function members(api: Api, name: (typeof INTERFACES)[number]): string[] {
  const own = Object.getOwnPropertyDescriptors(api[name].prototype as object) as Record<string | symbol, PropertyDescriptor>;
  // By this symbol Node asks what it is to show: the standard says nothing of it.
  return Reflect.ownKeys(own)
    .filter((key) => key !== inspect.custom)
    .map((key) => shown(key, own[key]))
    .sort();
}

describe.each(INTERFACES)('%s', (name) => {
  test('has the members of V8', () => {
    // V8 has type() behind a flag, which some versions set by default.
    expect(members(heddle, name)).toEqual(members(v8, name).filter((line) => !line.startsWith('type ')));
    const statics = (api: Api): string[] =>
      Object.entries(Object.getOwnPropertyDescriptors(api[name]))
        .filter(([key]) => !['arguments', 'caller', 'prototype'].includes(key))
        .map(([key, property]) => shown(key, property));
    expect(statics(heddle)).toEqual(expect.arrayContaining(statics(v8)));
  });

  test('has the length and name of V8', () => {
    expect([heddle[name].length, heddle[name].name]).toEqual([v8[name].length, v8[name].name]);
  });

  test.each([
    ['called', (api: Api) => api[name]()],
    ['constructed without arguments', (api: Api) => new api[name]()],
    ['constructed with null', (api: Api) => new api[name](null)],
    ['a text of its prototype', (api: Api) => Object.prototype.toString.call(api[name].prototype)],
    ['its members on other objects', (api: Api) => strangers(api, name)],
  ])('%s', (_what, action) => {
    expect(outcome(() => action(heddle))).toBe(outcome(() => action(v8)));
  });
});

/** What each getter and method does with a receiver that is no such object. */
function strangers(api: Api, name: (typeof INTERFACES)[number]): string[] {
  const own = Object.getOwnPropertyDescriptors(api[name].prototype as object) as Record<string, PropertyDescriptor>;
  return Object.keys(own)
    .filter((key) => key !== 'constructor' && key !== 'type')
    .sort()
    .map((key) => {
      const callee = own[key]?.get ?? (own[key]?.value as (index: number) => unknown);
      return `${key}: ${outcome(() => Reflect.apply(callee, {}, [0]))}`;
    });
}

test('the functions of the namespace', () => {
  for (const name of ['validate', 'compile', 'instantiate', 'compileStreaming', 'instantiateStreaming'] as const) {
    expect([name, heddle[name].length]).toEqual([name, v8[name].length]);
    expect(heddle[name].name).toBe(v8[name].name);
  }
  expect(String(heddle)).toBe(String(v8));
});

test('the namespace has the members of V8, with their attributes, and takes what glue puts there', () => {
  const attributes = (api: Api): Record<string, unknown> =>
    Object.fromEntries(
      Reflect.ownKeys(api).map((key) => {
        const { value: _value, ...rest } = Object.getOwnPropertyDescriptor(api, key) ?? {};
        return [String(key), rest];
      }),
    );
  const { JSTag: _tag, ...theirs } = attributes(v8);
  expect(attributes(heddle)).toMatchObject(theirs);
  // What V8 of Node 20 has not: interfaces, and a tag that is made when it is asked for.
  for (const name of ['Suspending', 'SuspendError', 'JSTag']) expect(attributes(heddle)[name]).toMatchObject({ enumerable: false });
  const namespace = heddle as unknown as Record<string, unknown>;
  const { compile } = namespace;
  for (const name of ['compile', 'polyfill']) {
    namespace[name] = 1;
    expect(namespace[name]).toBe(1);
  }
  namespace['compile'] = compile;
  expect(delete namespace['polyfill']).toBe(true);
});

test('the built package has the names of V8: a bundler changes those of classes and functions', () => {
  const code = `
    const { WebAssembly: heddle } = await import(${JSON.stringify(new URL('../../dist/heddle.mjs', import.meta.url).href)});
    const names = (api) => Object.getOwnPropertyNames(api).filter((key) => typeof Object.getOwnPropertyDescriptor(api, key).value === 'function')
      .map((key) => [key, api[key].name, api[key].prototype?.constructor.name]).sort();
    const own = new Map(names(heddle).map((row) => [row[0], row]));
    console.log(JSON.stringify([names(WebAssembly).map(([key]) => own.get(key)), names(WebAssembly)]));`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' });
  expect(stderr).toBe('');
  const [ours, theirs] = JSON.parse(stdout) as [unknown[], unknown[]];
  expect(ours).toEqual(theirs);
  expect(ours.length).toBeGreaterThan(10);
});

test('a script may give its global constants the names of what it requires', () => {
  const code = `const { WebAssembly, parseWat } = require(${JSON.stringify(new URL('../../dist/heddle.cjs', import.meta.url).pathname)});
    const bytes = parseWat('(module (func (export "f") (result i32) (i32.const 42)))');
    console.log(new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports.f());`;
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', code], { encoding: 'utf8' });
  expect([stdout, stderr]).toEqual(['42\n', '']);
});

test('Memory and the errors are those of V8', () => {
  for (const name of ['Memory', 'CompileError', 'LinkError', 'RuntimeError']) {
    expect(Reflect.get(heddle, name)).toBe(Reflect.get(v8, name));
  }
});

describe('exports', () => {
  test.each([
    ['keys', (api: Api) => Reflect.ownKeys(run(api, FUNCTIONS))],
    ['frozen', (api: Api) => Object.isFrozen(run(api, FUNCTIONS))],
    ['prototype', (api: Api) => Object.getPrototypeOf(run(api, FUNCTIONS))],
    [
      'descriptor',
      (api: Api) => {
        const { value: _value, ...rest } = Object.getOwnPropertyDescriptor(run(api, FUNCTIONS), 'two') ?? {};
        return JSON.stringify(rest);
      },
    ],
    ['assigned', (api: Api) => Object.assign(run(api, FUNCTIONS), { two: 1 })],
    ['deleted', (api: Api) => delete run(api, FUNCTIONS)['two']],
    ['added', (api: Api) => Object.assign(run(api, FUNCTIONS), { three: 1 })],
    [
      'replaced',
      (api: Api) => Object.assign(new api.Instance(new api.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0))), { exports: {} }),
    ],
    ['two instances', (api: Api) => run(api, FUNCTIONS)['two'] === run(api, FUNCTIONS)['two']],
    [
      'the same object each time',
      (api: Api) => {
        const instance = new api.Instance(new api.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)));
        return instance.exports === instance.exports;
      },
    ],
  ])('%s', (_what, action) => {
    expect(outcome(() => action(heddle))).toBe(outcome(() => action(v8)));
  });

  test.each(['memory', 'table', 'global'])('%s is of the class that users have', (name) => {
    const type = ({ memory: 'Memory', table: 'Table', global: 'Global' } as const)[name] ?? 'Memory';
    const value: unknown = exported(heddle, FUNCTIONS, name);
    expect(value).toBeInstanceOf(heddle[type]);
    expect(Object.prototype.toString.call(value)).toBe(Object.prototype.toString.call(exported(v8, FUNCTIONS, name)));
  });
});

describe.each(['two', 'none', 'extern', 'many'])('the exported function %s', (name) => {
  test.each([
    ['name', (api: Api) => Reflect.get(exported(api, FUNCTIONS, name), 'name')],
    ['length', (api: Api) => exported(api, FUNCTIONS, name).length],
    [
      'attributes of name and length',
      (api: Api) =>
        ['name', 'length'].map((key) => {
          const own = Object.getOwnPropertyDescriptor(exported(api, FUNCTIONS, name), key);
          return [own?.writable, own?.enumerable, own?.configurable];
        }),
    ],
    ['constructed', (api: Api) => Reflect.construct(exported(api, FUNCTIONS, name), [1, 2n])],
    ['as new.target', (api: Api) => Reflect.construct(Object, [], exported(api, FUNCTIONS, name))],
    ['extended', (api: Api) => class extends (exported(api, FUNCTIONS, name) as unknown as new () => object) {}],
    ['prototype', (api: Api) => 'prototype' in exported(api, FUNCTIONS, name)],
    ['is a Function', (api: Api) => Object.getPrototypeOf(exported(api, FUNCTIONS, name)) === Function.prototype],
    ['extensible', (api: Api) => Object.isExtensible(exported(api, FUNCTIONS, name))],
  ])('%s', (_what, action) => {
    expect(outcome(() => action(heddle))).toBe(outcome(() => action(v8)));
  });
});

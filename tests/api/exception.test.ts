/** Exception as the JS API has it, beside V8's. What V8 of Node 20 has not yet (its `stack` on the prototype, lengths) is said here. */
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { type Api, heddle, outcome, run, v8 } from './oracle.js';

const THROWS = '(module (tag $e (export "e") (param i32)) (func (export "f") (throw $e (i32.const 7))))';

/** What `run` throws. */
function caught(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

const made = (api: Api, ...options: unknown[]): object => new api.Exception(new api.Tag({ parameters: ['i32'] }), [1], ...options);

describe('as V8 has it', () => {
  test.each<[string, (api: Api) => unknown]>([
    ['no Error', (api) => made(api) instanceof Error],
    [
      'prototypes',
      (api) => [
        Object.getPrototypeOf(api.Exception) === Function.prototype,
        Object.getPrototypeOf(api.Exception.prototype) === Object.prototype,
      ],
    ],
    ['own keys', (api) => Reflect.ownKeys(made(api)).length],
    ['text', (api) => String(made(api))],
    ['without a trace', (api) => Reflect.get(made(api), 'stack')],
    ['a trace that is false', (api) => Reflect.get(made(api, { traceStack: 0 }), 'stack')],
    ['options that are null', (api) => Reflect.get(made(api, null), 'stack')],
    ['options that are a number', (api) => made(api, 0)],
    ['options that are text', (api) => made(api, 'traceStack')],
    ['a trace is text', (api) => typeof Reflect.get(made(api, { traceStack: 'yes' }), 'stack')],
    ['no tag', (api) => new api.Exception()],
    ['no payload', (api) => new api.Exception(new api.Tag({ parameters: [] }))],
    ['name', (api) => api.Exception.name],
    ['a message that glue puts there', (api) => Object.assign(made(api), { message: 'mine' }).message],
  ])('%s', (_what, action) => {
    expect(outcome(() => action(heddle))).toBe(outcome(() => action(v8)));
  });
});

test('length, and stack as an accessor of the prototype: what V8 of Node 26 has', () => {
  expect(heddle.Exception.length).toBe(2);
  const { get, set, enumerable, configurable } = Object.getOwnPropertyDescriptor(heddle.Exception.prototype, 'stack') ?? {};
  expect([typeof get, set, enumerable, configurable]).toEqual(['function', undefined, true, true]);
  expect(Object.keys(heddle.Exception.prototype as object).sort()).toEqual(['getArg', 'is', 'stack']);
});

test('a trace begins where the exception is made', () => {
  function here(): object {
    return made(heddle, { traceStack: true });
  }
  const lines = String(Reflect.get(here(), 'stack')).split('\n');
  expect(lines[1]).toContain('made');
  expect(lines[2]).toContain('here');
});

test('one that nobody caught says what it is, and is the same whenever it comes', () => {
  const exports = run(heddle, THROWS);
  const error = caught(() => Reflect.apply(exports['f'] as () => unknown, undefined, [])) as object;
  expect(error).toBeInstanceOf(heddle.Exception);
  expect(error).toMatchObject({ code: 'HEDDLE_EXCEPTION', message: 'uncaught exception: e', stack: undefined });
  expect(inspect(error)).toContain('uncaught exception: e');
});

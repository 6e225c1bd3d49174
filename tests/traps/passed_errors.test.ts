/**
 * Errors of JavaScript that go through WebAssembly: their stacks have its frames where V8 has those of its own, with the same function indices and offsets.
 */
import { describe, expect, test } from 'vitest';
import { WebAssembly as HeddleWebAssembly, parseWat } from '../../ts/index.js';

const Heddle = HeddleWebAssembly as unknown as typeof WebAssembly;

const BYTES = parseWat(`(module $demo
  (import "m" "few" (func $few (param i32)))
  (import "m" "many" (func $many (param i32 i32 i32 i32 i32 i32)))
  (import "m" "value" (func $value (result i32)))
  (func $inner (param i32) (call $few (local.get 0)))
  (func (export "few") (param i32) (call $inner (local.get 0)))
  (func (export "many") (param i32) (call $many (local.get 0) (local.get 0) (local.get 0) (local.get 0) (local.get 0) (local.get 0)))
  (func (export "value") (result i32) (call $value)))`);

interface Exports {
  few(n: unknown): void;
  many(n: number): void;
  value(): number;
}

/** What goes wrong in the innermost import. */
type Fault = (exports: Exports) => void;

/** The error that a program's exports end with, in an engine. */
function errorOf(engine: typeof WebAssembly, way: keyof Exports, fault: Fault): Error {
  const step = (n: number): void => {
    if (n === 0) fault(exports);
    else exports[n % 2 === 0 ? 'few' : 'many'](n - 1);
  };
  const imports = { few: step, many: step, value: () => Symbol('no number') as unknown as number };
  const exports = new engine.Instance(new engine.Module(BYTES as Uint8Array<ArrayBuffer>), { m: imports }).exports as unknown as Exports;
  try {
    exports[way](2);
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('nothing was thrown');
}

/** A stack as a list: WebAssembly's frames by function and offset, JavaScript's as `js`. */
function frames(error: Error): string[] {
  const lines = (error.stack ?? '').split('\n').filter((line) => line.startsWith('    at '));
  return lines.map((line) => /wasm-function\[\d+\]:0x[0-9a-f]+/.exec(line)?.[0] ?? 'js');
}

/** The same up to the outermost frame of WebAssembly: what is further out is the test's. */
function innerFrames(error: Error): string[] {
  const all = frames(error);
  return all.slice(0, all.findLastIndex((frame) => frame !== 'js') + 1);
}

const throws: Fault = () => {
  throw new RangeError('on purpose');
};

/** A call inside does not come to WebAssembly: its argument cannot be converted. */
const converts: Fault = (exports) => {
  exports.few({
    valueOf() {
      throw new TypeError('no number');
    },
  });
};

/** It was made before WebAssembly was entered, or between two entries. */
function made(where: 'outside' | 'between'): (engine: typeof WebAssembly) => Error {
  return (engine) => {
    let error = new Error('outside');
    let depth = 0;
    const imports = {
      few: (): void => {
        if (++depth === 1 && where === 'between') error = new Error('between');
        if (depth < 3) exports.few(0);
        throw error;
      },
      many: () => undefined,
      value: () => 0,
    };
    const exports = new engine.Instance(new engine.Module(BYTES as Uint8Array<ArrayBuffer>), { m: imports }).exports as unknown as Exports;
    try {
      exports.few(0);
    } catch (caught) {
      return caught as Error;
    }
    throw error;
  };
}

describe('an error that an import throws', () => {
  test.each(['outside', 'between'] as const)('and that was made %s has those that were around it then', (where) => {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 50;
    try {
      const expected = innerFrames(made(where)(WebAssembly));
      expect(expected.filter((frame) => frame !== 'js')).toHaveLength(where === 'outside' ? 0 : 2);
      expect(innerFrames(made(where)(Heddle))).toEqual(expected);
    } finally {
      Error.stackTraceLimit = limit;
    }
  });

  test.each([
    ['few', throws],
    ['many', throws],
    ['few', converts],
    ['many', converts],
  ] as const)('has the frames that V8 gives it: %s', (way, fault) => {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 50;
    try {
      const expected = innerFrames(errorOf(WebAssembly, way, fault));
      expect(expected.filter((frame) => frame !== 'js')).not.toHaveLength(0);
      expect(innerFrames(errorOf(Heddle, way, fault))).toEqual(expected);
    } finally {
      Error.stackTraceLimit = limit;
    }
  });

  test('has them where its result cannot be converted', () => {
    const wasm = (error: Error): string[] => frames(error).filter((frame) => frame !== 'js');
    expect(wasm(errorOf(Heddle, 'value', throws))).toEqual(wasm(errorOf(WebAssembly, 'value', throws)));
  });

  test('is told by the message that it has when its stack is read', () => {
    const error = errorOf(Heddle, 'few', throws);
    expect(Object.keys(error)).toEqual([]);
    expect(error.stack).toContain('RangeError: on purpose\n');
    expect(error.stack).toBe(error.stack);
    error.stack = 'mine';
    expect(error.stack).toBe('mine');
  });

  test.each([
    ['a value that the program gave it', (error: Error) => Object.defineProperty(error, 'stack', { value: 'mine' }), 'mine'],
    ['a frozen one', (error: Error) => Object.freeze(error), undefined],
  ] as const)('keeps its stack: %s', (_name, prepare, stack) => {
    const thrown = new Error('kept');
    const before = thrown.stack;
    prepare(thrown);
    const error = errorOf(Heddle, 'few', () => {
      throw thrown;
    });
    expect(error).toBe(thrown);
    expect(error.stack).toBe(stack ?? before);
  });

  test("keeps what the program's prepareStackTrace makes of it", () => {
    const before = Error.prepareStackTrace;
    Error.prepareStackTrace = (error) => `told: ${error.message}`;
    try {
      expect(errorOf(Heddle, 'few', throws).stack).toBe('told: on purpose');
    } finally {
      Error.prepareStackTrace = before;
    }
  });
});

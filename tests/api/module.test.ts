import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { ANY_VALUE, type Api, bytes, heddle, outcome, settled, v8 } from './oracle.js';

const EVERYTHING = `(module
  (import "a" "f" (func (param i32))) (import "a" "t" (table 1 2 externref)) (import "a" "m" (memory 1 2))
  (import "b" "g" (global (mut i64))) (import "" "" (tag (param i32)))
  (func (export "f") (export "again")) (table (export "t") 1 funcref) (export "m" (memory 0))
  (global (export "g") i32 (i32.const 1)) (tag (export "e") (param i32))
  (@custom "note" "first") (@custom "note" "second") (@custom "other" "\\00\\01") (@custom "" "no name"))`;

const EMPTY = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

/** Bytes of every form that the API takes, and of none. */
const SOURCES: readonly (readonly [name: string, make: () => unknown])[] = [
  ['a Uint8Array', () => EMPTY.slice()],
  ['an ArrayBuffer', () => EMPTY.slice().buffer],
  ['a Buffer', () => Buffer.from(EMPTY)],
  ['a view into the middle', () => new Uint8Array([9, 9, ...EMPTY, 9]).subarray(2, 10)],
  ['a Uint16Array', () => new Uint16Array(EMPTY.slice().buffer)],
  ['no bytes', () => new Uint8Array()],
  ['a truncated head', () => EMPTY.slice(0, 6)],
  ['another magic number', () => Uint8Array.of(1, 0x61, 0x73, 0x6d, 1, 0, 0, 0)],
  ['version 2', () => Uint8Array.of(0, 0x61, 0x73, 0x6d, 2, 0, 0, 0)],
  ['a truncated section', () => Uint8Array.of(...EMPTY, 1, 5, 1)],
  ['an unknown section', () => Uint8Array.of(...EMPTY, 99, 0)],
  ['text as bytes', () => Buffer.from('(module)')],
  ['a body of the wrong type', () => bodyOfWrongType()],
  ['a detached buffer', () => detached()],
  ['a list', () => [...EMPTY]],
  ['a string', () => '(module)'],
  ...ANY_VALUE.slice(0, 5),
];

function bodyOfWrongType(): Uint8Array {
  // (func (result i32)) whose body is i64.const 0.
  return Uint8Array.of(...EMPTY, 1, 5, 1, 0x60, 0, 1, 0x7f, 3, 2, 1, 0, 10, 6, 1, 4, 0, 0x42, 0, 0x0b);
}

function detached(): Uint8Array {
  const array = EMPTY.slice();
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
}

test.each([
  [
    Buffer.from('(module)'),
    'no WebAssembly module: expected magic word 00 61 73 6d, found 28 6d 6f 64: it looks like text, which parseWat assembles',
  ],
  [
    Buffer.from('\n  ;; text\n(module)'),
    'no WebAssembly module: expected magic word 00 61 73 6d, found 0a 20 20 3b: it looks like text, which parseWat assembles',
  ],
  [Buffer.from('import'), 'no WebAssembly module: expected magic word 00 61 73 6d, found 69 6d 70 6f'],
])('bytes that are no module are told from a faulty one', (bytes, message) => {
  expect(() => new heddle.Module(bytes)).toThrow(
    expect.objectContaining({ code: 'HEDDLE_INVALID_MODULE', offset: 0, message: `${message} (at offset 0)` }),
  );
});

describe.each(SOURCES)('a module from %s', (_name, make) => {
  test('validate', () => {
    expect(outcome(() => heddle.validate(make()))).toBe(outcome(() => v8.validate(make())));
  });

  test('Module', () => {
    expect(outcome(() => new heddle.Module(make()))).toBe(outcome(() => new v8.Module(make())));
  });

  test('compile', async () => {
    expect(await settled(() => heddle.compile(make()))).toBe(await settled(() => v8.compile(make())));
  });

  test('instantiate with imports that are none', async () => {
    expect(await settled(() => heddle.instantiate(make(), 1))).toBe(await settled(() => v8.instantiate(make(), 1)));
  });

  test('instantiate', async () => {
    expect(await settled(() => heddle.instantiate(make()))).toBe(await settled(() => v8.instantiate(make())));
  });
});

describe('what an invalid module says', () => {
  const caught = (action: () => unknown): unknown => {
    try {
      action();
    } catch (error) {
      return error;
    }
    return undefined;
  };

  test('code, offset and reason', () => {
    const error = caught(() => new heddle.Module(bodyOfWrongType()));
    expect(error).toMatchObject({
      name: 'CompileError',
      code: 'HEDDLE_INVALID_MODULE',
      message: expect.stringMatching(/^type mismatch.*\(at offset \d+\)$/),
    });
    // The `end` that finds the wrong type is the last of the 27 bytes.
    expect(error).toMatchObject({ offset: 26 });
  });

  test('truncated bytes', () => {
    // The section says 5 bytes, and its contents begin at 10.
    expect(caught(() => new heddle.Module(Uint8Array.of(...EMPTY, 1, 5, 1)))).toMatchObject({ code: 'HEDDLE_INVALID_MODULE', offset: 10 });
  });

  test('not bytes', () => {
    expect(caught(() => new heddle.Module('(module)'))).toMatchObject({ name: 'TypeError', code: 'HEDDLE_NOT_BYTES' });
  });
});

test('a DataView is a buffer source', () => {
  // As Web IDL says; V8 takes none.
  expect(heddle.validate(new DataView(EMPTY.slice().buffer))).toBe(true);
  expect(heddle.validate(new DataView(EMPTY.slice().buffer, 1))).toBe(false);
});

test('a module from another realm’s bytes', () => {
  for (const api of [heddle, v8]) {
    expect(api.validate(runInNewContext('new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]).buffer'))).toBe(true);
    expect(api.validate(runInNewContext('new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])'))).toBe(true);
  }
});

test('the bytes are copied at the call', async () => {
  for (const api of [heddle, v8]) {
    const source = EMPTY.slice();
    const promise = api.compile(source);
    source.fill(0xff);
    expect(await promise).toBeInstanceOf(api.Module);
  }
});

describe('the statics of Module', () => {
  test.each([
    ['exports', (api: Api, module: unknown) => api.Module.exports(module)],
    ['imports', (api: Api, module: unknown) => api.Module.imports(module)],
    ['customSections of one', (api: Api, module: unknown) => api.Module.customSections(module, 'other').map(text)],
    ['customSections of two', (api: Api, module: unknown) => api.Module.customSections(module, 'note').map(text)],
    ['customSections of none', (api: Api, module: unknown) => api.Module.customSections(module, 'absent')],
    ['customSections with no name', (api: Api, module: unknown) => api.Module.customSections(module, '').map(text)],
    ['customSections of an object', (api: Api, module: unknown) => api.Module.customSections(module, { toString: () => 'note' }).length],
    ['customSections of undefined', (api: Api, module: unknown) => api.Module.customSections(module, undefined)],
    ['customSections of a symbol', (api: Api, module: unknown) => api.Module.customSections(module, Symbol('s'))],
    ['customSections without a name', (api: Api, module: unknown) => api.Module.customSections(module)],
  ])('%s', (_what, action) => {
    const [ours, theirs] = [heddle, v8].map((api) => outcome(() => JSON.stringify(action(api, new api.Module(bytes(EVERYTHING))))));
    expect(ours).toBe(theirs);
  });

  test.each(ANY_VALUE)('of %s', (_name, make) => {
    for (const name of ['exports', 'imports', 'customSections'] as const) {
      const [ours, theirs] = [heddle, v8].map((api) => outcome(() => api.Module[name](make(), 'x')));
      expect(ours).toBe(theirs);
    }
  });

  test('what they return is the caller’s', () => {
    const module = new heddle.Module(bytes(EVERYTHING));
    heddle.Module.exports(module).length = 0;
    const [section] = heddle.Module.customSections(module, 'other');
    new Uint8Array(section ?? new ArrayBuffer(0)).fill(9);
    expect(heddle.Module.exports(module)).toHaveLength(6);
    expect(heddle.Module.customSections(module, 'other').map(text)).toEqual(['0,1']);
  });
});

function text(buffer: ArrayBuffer): string {
  return new Uint8Array(buffer).join();
}

describe('instantiate', () => {
  test('gives module and instance for bytes, an instance for a module', async () => {
    for (const api of [heddle, v8]) {
      const both = (await api.instantiate(EMPTY)) as { module: object; instance: object };
      expect(Object.keys(both)).toEqual(['module', 'instance']);
      expect(both.module).toBeInstanceOf(api.Module);
      expect(both.instance).toBeInstanceOf(api.Instance);
      expect(await api.instantiate(both.module)).toBeInstanceOf(api.Instance);
    }
  });

  test('one module makes instances of their own state', () => {
    const source = bytes(`(module (global $g (mut i32) (i32.const 0)) (memory (export "memory") 1)
      (func (export "count") (result i32) (global.set $g (i32.add (global.get $g) (i32.const 1))) (global.get $g)))`);
    for (const api of [heddle, v8]) {
      const module = new api.Module(source);
      const [a, b] = [new api.Instance(module).exports, new api.Instance(module).exports];
      expect([a['count']?.(), a['count']?.(), b['count']?.()]).toEqual([1, 2, 1]);
      expect(a['memory']).not.toBe(b['memory']);
    }
  });

  test('never throws in the caller’s face', () => {
    for (const api of [heddle, v8]) {
      const promise = api.instantiate(5);
      expect(promise).toBeInstanceOf(Promise);
      return expect(promise).rejects.toBeInstanceOf(TypeError);
    }
    return undefined;
  });
});

test('more bytes than a module may have', async () => {
  // The kernel gives no page of it that nobody touches.
  const bytes = new Uint8Array(2 ** 30 + 1);
  bytes.set([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
  expect(heddle.validate(bytes)).toBe(false);
  expect(() => new heddle.Module(bytes)).toThrow(expect.objectContaining({ name: 'CompileError', code: 'HEDDLE_LIMIT' }));
  await expect(heddle.compile(bytes)).rejects.toMatchObject({ name: 'CompileError', code: 'HEDDLE_LIMIT' });
});

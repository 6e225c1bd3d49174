/** compileStreaming and instantiateStreaming: what each does with a Response is what V8's of this Node does. */
import { describe, expect, test } from 'vitest';
import { type AnyInstance, bytes, heddle, settled, v8 } from './oracle.js';

const WASM = bytes('(module (import "m" "f" (func $f (result i32))) (func (export "f") (result i32) (call $f)))');
const IMPORTS = { m: { f: () => 42 } };

/** A Response with a module. */
function response(body: BodyInit | null = new Uint8Array(WASM), type = 'application/wasm', status = 200): Response {
  return new Response(body, { status, headers: { 'Content-Type': type } });
}

const SOURCES: readonly (readonly [name: string, make: () => unknown])[] = [
  ['a response', () => response()],
  ['a promise of one', () => Promise.resolve(response())],
  ['a thenable', () => ({ then: (resolve: (value: unknown) => void) => resolve(response()) })],
  ['a promise that is rejected', rejected],
  ['another type', () => response('text', 'text/plain')],
  ['a type with a parameter', () => response(new Uint8Array(WASM), 'application/wasm; charset=utf-8')],
  ['no type', () => new Response(new Uint8Array(WASM))],
  ['status 404', () => response(new Uint8Array(WASM), 'application/wasm', 404)],
  ['no body', () => response(null)],
  ['a faulty module', () => response(new Uint8Array([0, 0x61, 0x73]))],
  ['a body that was used', used],
  ['an error response', () => Response.error()],
  ['bytes', () => WASM],
  ['undefined', () => undefined],
  ['null', () => null],
  ['an object', () => ({})],
];

/** Handled here, for where neither engine looks at it. */
function rejected(): Promise<never> {
  const made = Promise.reject(new EvalError('from the source'));
  made.catch(() => {});
  return made;
}

async function used(): Promise<Response> {
  const made = response();
  await made.arrayBuffer();
  return made;
}

describe.each(SOURCES)('%s', (_name, make) => {
  test('compileStreaming', async () => {
    expect(await settled(() => heddle.compileStreaming(make()))).toBe(await settled(() => v8.compileStreaming(make())));
  });

  test.each([
    ['imports', IMPORTS],
    ['no imports', undefined],
    ['imports that are none', 1],
  ])('instantiateStreaming with %s', async (_what, imports) => {
    expect(await settled(() => heddle.instantiateStreaming(make(), imports))).toBe(
      await settled(() => v8.instantiateStreaming(make(), imports)),
    );
  });
});

test('an instance from a response runs', async () => {
  const { instance } = (await heddle.instantiateStreaming(response(), IMPORTS)) as { instance: AnyInstance };
  expect(instance.exports['f']?.()).toBe(42);
});

test('a response that is no module says why', async () => {
  await expect(heddle.compileStreaming(response(null, 'text/html'))).rejects.toMatchObject({
    code: 'HEDDLE_RESPONSE',
    message: 'the response has the MIME type "text/html", not application/wasm',
  });
});

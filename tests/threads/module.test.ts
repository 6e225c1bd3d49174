/**
 * A Module crosses to other threads by structured cloning, as V8's does.
 */
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { WebAssembly as Heddle, parseWat } from '../../ts/index.js';

const bytes = new Uint8Array(
  parseWat(`(module
  (import "m" "f" (func (param i32) (result i32)))
  (func (export "g") (param i32) (result i32) (i32.add (call 0 (local.get 0)) (i32.const 1)))
  (@custom "mine" "abc"))`),
);

/** What comes out at the other end of a channel. */
function sent<T>(value: T): T {
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(value);
  const received = receiveMessageOnPort(port2) as { readonly message: T };
  port1.close();
  return received.message;
}

describe('a Module that was sent', () => {
  const module = new Heddle.Module(bytes);
  const received = sent({ module, deep: [module] });

  test('is a Module', () => {
    expect(received.module).toBeInstanceOf(Heddle.Module);
    expect(received.deep[0]).toBe(received.module);
    expect(received.module).not.toBe(module);
    for (const value of [{}, null, 1, new WebAssembly.Module(bytes)]) expect(value).not.toBeInstanceOf(Heddle.Module);
  });

  test('says the same of itself', () => {
    for (const one of [module, received.module]) {
      expect(Heddle.Module.imports(one)).toEqual([{ module: 'm', name: 'f', kind: 'function' }]);
      expect(Heddle.Module.exports(one)).toEqual([{ name: 'g', kind: 'function' }]);
      expect(Heddle.Module.customSections(one, 'mine').map((section) => Buffer.from(section).toString())).toEqual(['abc']);
    }
  });

  test('makes instances, and may be sent on', async () => {
    const imports = { m: { f: (x: number) => x * 10 } };
    expect(new Heddle.Instance(received.module, imports).exports['g'](4)).toBe(41);
    expect((await Heddle.instantiate(sent(received.module), imports)).exports['g'](5)).toBe(51);
  });

  test("is refused by V8's Instance, with the reason", () => {
    expect(() => new WebAssembly.Instance(module as never, {})).toThrow(
      /make its instances with Heddle's WebAssembly|a Module of Heddle's/,
    );
  });
});

test("a module of V8's is not taken for one of Heddle's", () => {
  expect(() => new Heddle.Instance(new WebAssembly.Module(bytes) as never, {})).toThrow(TypeError);
});

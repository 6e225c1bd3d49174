/**
 * What another thread, or a module's author, gives as a Module of Heddle's is one only if Heddle made it in this process. The author of a module decides all of its bytes, so the forgeries
 * are modules with the sections of a genuine one, changed in every way; V8 compiles them, here or in a worker.
 */
import { createHmac } from 'node:crypto';
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { WebAssembly as Heddle, parseWat } from '../../ts/index.js';

const V8 = globalThis.WebAssembly;

const inner = parseWat('(module (func (export "f") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))))');
const other = parseWat('(module (func (export "f") (param i32) (result i32) (i32.sub (local.get 0) (i32.const 1))))');

function sent<T>(value: T): T {
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(value);
  const received = receiveMessageOnPort(port2) as { readonly message: T };
  port1.close();
  return received.message;
}

const genuine = sent(new Heddle.Module(inner, { interruptible: false })) as unknown as WebAssembly.Module;

/** A custom section of the genuine carrier. */
function part(name: string): Buffer {
  const [content] = V8.Module.customSections(genuine, name);
  if (content === undefined) throw new Error(`a carrier has no section ${name}`);
  return Buffer.from(content);
}

const OPTIONS = 'heddle.options';
const BYTES = 'heddle.module';
const SEAL = 32;
const sealed = part(OPTIONS);
const [seal, options] = [sealed.subarray(0, SEAL), sealed.subarray(SEAL)];

function leb(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...leb(value >>> 7)];
}

function custom(name: string, content: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from([...leb(name.length)]), Buffer.from(name), content]);
  return Buffer.concat([Buffer.from([0, ...leb(body.length)]), body]);
}

function moduleOf(...sections: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.concat([Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]), ...sections]));
}

function flipped(bytes: Uint8Array, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

const hostile = Buffer.from(JSON.stringify({ target: 'arm64', cpu: [] }));
const guessed = (key: Uint8Array | string, content: Uint8Array): Buffer => createHmac('sha256', key).update(content).digest();

const FORGERIES: Readonly<Record<string, Uint8Array<ArrayBuffer>>> = {
  'no seal': moduleOf(custom(OPTIONS, hostile), custom(BYTES, inner)),
  'a seal of zeros': moduleOf(custom(OPTIONS, Buffer.concat([Buffer.alloc(SEAL), hostile])), custom(BYTES, inner)),
  'a seal with a key that anybody knows': moduleOf(
    custom(OPTIONS, Buffer.concat([guessed('', Buffer.concat([hostile, inner])), hostile])),
    custom(BYTES, inner),
  ),
  'other options': moduleOf(custom(OPTIONS, Buffer.concat([seal, hostile])), custom(BYTES, inner)),
  'no options': moduleOf(custom(OPTIONS, seal), custom(BYTES, inner)),
  'a longer text of the same options': moduleOf(custom(OPTIONS, Buffer.concat([sealed, Buffer.from(' ')])), custom(BYTES, inner)),
  'other bytes': moduleOf(custom(OPTIONS, sealed), custom(BYTES, other)),
  'bytes that go on': moduleOf(custom(OPTIONS, sealed), custom(BYTES, Buffer.concat([inner, Buffer.from([0, 1, 0])]))),
  'the bytes cut off': moduleOf(custom(OPTIONS, sealed), custom(BYTES, inner.subarray(0, -1))),
  'the seal cut off': moduleOf(custom(OPTIONS, sealed.subarray(0, SEAL - 1)), custom(BYTES, inner)),
  'a bit of the seal changed': moduleOf(custom(OPTIONS, flipped(sealed, 0)), custom(BYTES, inner)),
  'a bit of the options changed': moduleOf(custom(OPTIONS, flipped(sealed, SEAL + 1)), custom(BYTES, inner)),
  'a bit of the bytes changed': moduleOf(custom(OPTIONS, sealed), custom(BYTES, flipped(inner, inner.length - 2))),
  'no bytes': moduleOf(custom(OPTIONS, sealed)),
  'bytes alone': moduleOf(custom(BYTES, inner)),
  'sections without contents': moduleOf(custom(OPTIONS, Buffer.alloc(0)), custom(BYTES, Buffer.alloc(0))),
  'two lists of options': moduleOf(custom(OPTIONS, sealed), custom(OPTIONS, sealed), custom(BYTES, inner)),
  'two lists of options, the genuine one last': moduleOf(custom(OPTIONS, hostile), custom(OPTIONS, sealed), custom(BYTES, inner)),
  'two modules': moduleOf(custom(OPTIONS, sealed), custom(BYTES, inner), custom(BYTES, other)),
  'two modules, the genuine one last': moduleOf(custom(OPTIONS, sealed), custom(BYTES, other), custom(BYTES, inner)),
  'the sections that carriers once had': moduleOf(custom(OPTIONS, options), custom(BYTES, inner)),
};

/** How each function that takes a Module ends with this. */
function refusals(module: unknown): unknown[] {
  const given = module as InstanceType<typeof Heddle.Module>;
  const code = (run: () => unknown): unknown => {
    try {
      return run();
    } catch (error) {
      return [error instanceof TypeError, (error as { code?: unknown }).code];
    }
  };
  return [
    given instanceof Heddle.Module,
    code(() => new Heddle.Instance(given, {})),
    code(() => Heddle.Module.exports(given)),
    code(() => Heddle.Module.imports(given)),
    code(() => Heddle.Module.customSections(given, BYTES)),
  ];
}

const REFUSED = [false, ...Array.from({ length: 4 }, () => [true, 'HEDDLE_ARGUMENT'])];

describe('a module of V8 with the sections of a Module, but', () => {
  test.each(Object.entries(FORGERIES))('%s', async (_, bytes) => {
    const module = new V8.Module(bytes);
    expect(refusals(module)).toEqual(REFUSED);
    expect(refusals(sent(module))).toEqual(REFUSED);
    await expect(Heddle.instantiate(module as never, {})).rejects.toMatchObject({ name: 'TypeError', code: 'HEDDLE_NOT_BYTES' });
    await expect(Heddle.compile(module as never)).rejects.toMatchObject({ name: 'TypeError', code: 'HEDDLE_NOT_BYTES' });
  });
});

test('V8 of a worker compiles them, and they are refused here', async () => {
  const code = `const { parentPort, workerData } = require('node:worker_threads');
    parentPort.postMessage(workerData.map((bytes) => new WebAssembly.Module(bytes)));`;
  const worker = new Worker(code, { eval: true, workerData: Object.values(FORGERIES) });
  const modules = await new Promise<unknown[]>((resolve, reject) => worker.once('message', resolve).once('error', reject));
  expect(modules.length).toBe(Object.keys(FORGERIES).length);
  for (const module of modules) expect(refusals(module)).toEqual(REFUSED);
});

test('the bytes of a genuine carrier are one, for every thread of this process', () => {
  const again = moduleOf(custom(OPTIONS, sealed), custom(BYTES, inner));
  const { exports } = new Heddle.Instance(new V8.Module(again) as never, {});
  expect(exports['f'](4)).toBe(5);
});

test('what only looks like a module is none', () => {
  for (const value of [Object.create(V8.Module.prototype), Object.create(genuine), new Proxy(genuine, {}), { ...genuine }]) {
    expect(refusals(value)).toEqual(REFUSED);
  }
});

test('a Module made by another process is refused', async () => {
  const { execFileSync } = await import('node:child_process');
  const program = `
    import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
    import { WebAssembly as Heddle, parseWat } from '${new URL('../../dist/heddle.mjs', import.meta.url).href}';
    const { port1, port2 } = new MessageChannel();
    port1.postMessage(new Heddle.Module(parseWat('(module (func (export "f")))')));
    const { message } = receiveMessageOnPort(port2);
    port1.close();
    const sections = [${JSON.stringify(OPTIONS)}, ${JSON.stringify(BYTES)}].map((name) => WebAssembly.Module.customSections(message, name)[0]);
    console.log(JSON.stringify(sections.map((section) => Buffer.from(section).toString('base64'))));`;
  const out = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  const [theirs = '', bytes = ''] = JSON.parse(out) as string[];
  const module = new V8.Module(moduleOf(custom(OPTIONS, Buffer.from(theirs, 'base64')), custom(BYTES, Buffer.from(bytes, 'base64'))));
  expect(refusals(module)).toEqual(REFUSED);
});

/**
 * How a Module crosses to other threads. A Heddle Module _is_ one of V8's modules by its internal slots: an empty one that carries the module's bytes and
 * options in custom sections. So structured cloning (`postMessage`, `workerData`) takes it as it takes V8's, sharing the bytes, and the thread that gets it
 * compiles them, or finds the code in the cache.
 *
 * Anybody can make a module with such sections. So a seal goes with them, which only this process can make: a code over the options and the bytes' hash with a secret that the addon keeps. What
 * has none is a module of V8's, whatever its sections say.
 */

import { createHmac, timingSafeEqual } from 'node:crypto';
import { moduleHash } from '../compile/settings.js';
import { V8 } from '../errors/v8.js';
import type { ModuleOptions } from '../instance/compiling.js';
import { addon } from '../link/addon.js';

const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
/** The seal, then the options as JSON. */
const OPTIONS = 'heddle.options';
const BYTES = 'heddle.module';
/** An import, so that V8 does not take the carrier for a module without exports, but says what is wrong. */
const WARNING = ["a Module of Heddle's", "make its instances with Heddle's WebAssembly"] as const;
const SEAL_SIZE = 32;

/** What a carrier holds. */
export interface Carried {
  readonly bytes: Uint8Array;
  /** SHA-256 of the bytes, in hexadecimal: whoever compiles them needs it, too. */
  readonly hash: string;
  readonly options: ModuleOptions;
}

function leb(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    bytes.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    if (rest <= 0x7f) return bytes;
  }
}

function name(text: string): number[] {
  const encoded = Buffer.from(text);
  return [...leb(encoded.length), ...encoded];
}

function section(id: number, head: readonly number[], ...content: readonly Uint8Array[]): Uint8Array[] {
  const size = content.reduce((sum, part) => sum + part.length, head.length);
  return [Uint8Array.from([id, ...leb(size), ...head]), ...content];
}

let secret: Uint8Array | undefined;

function seal(hash: string, options: Uint8Array): Buffer {
  secret ??= addon().secret();
  return createHmac('sha256', secret).update(`module\n${hash}\n`).update(options).digest();
}

/** A V8 module that carries these; its prototype is that of `type`. */
export function makeCarrier({ bytes, hash, options }: Carried, type: new (...args: never[]) => object): object {
  const text = Buffer.from(JSON.stringify(options));
  const module = Buffer.concat([
    Uint8Array.from(HEADER),
    ...section(1, [1, 0x60, 0, 0]),
    ...section(2, [1, ...name(WARNING[0]), ...name(WARNING[1]), 0, 0]),
    ...section(0, name(OPTIONS), seal(hash, text), text),
    ...section(0, name(BYTES), bytes),
  ]);
  return Reflect.construct(V8.Module, [module], type) as object;
}

/** What was found in carriers that other threads sent. */
const known = new WeakMap<object, Carried>();

/** What a carrier that another thread sent holds; undefined for everything else. */
export function carried(value: unknown): Carried | undefined {
  if (!(value instanceof V8.Module)) return undefined;
  let found = known.get(value);
  if (found === undefined) {
    found = unpack(value);
    if (found !== undefined) known.set(value, found);
  }
  return found;
}

/** The contents of a module's section, where it has exactly one of that name. */
function onlySection(module: WebAssembly.Module, name: string): Uint8Array | undefined {
  const [first, ...more] = V8.Module.customSections(module, name);
  return first === undefined || more.length > 0 ? undefined : new Uint8Array(first);
}

function unpack(module: WebAssembly.Module): Carried | undefined {
  let sealed: Uint8Array | undefined;
  try {
    sealed = onlySection(module, OPTIONS);
  } catch {
    // An object that only has the prototype of V8's modules.
    return undefined;
  }
  if (sealed === undefined || sealed.length < SEAL_SIZE) return undefined;
  const bytes = onlySection(module, BYTES);
  if (bytes === undefined) return undefined;
  const hash = moduleHash(bytes);
  const text = sealed.subarray(SEAL_SIZE);
  if (!timingSafeEqual(seal(hash, text), sealed.subarray(0, SEAL_SIZE))) return undefined;
  return { bytes, hash, options: JSON.parse(Buffer.from(text).toString()) as ModuleOptions };
}

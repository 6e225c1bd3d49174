/**
 * How a Module crosses to other threads. A Heddle Module _is_ one of V8's modules by its internal slots: an empty one that carries the module's bytes and
 * options in custom sections. So structured cloning (`postMessage`, `workerData`) takes it as it takes V8's, sharing the bytes, and the thread that gets it
 * compiles them, or finds the code in the cache.
 *
 * Anybody can make a module with such sections. So a seal goes with them, which only this process can make: a code over the options and the bytes' hash with a secret that the addon keeps. What
 * has none is a module of V8's, whatever its sections say.
 */

import { concatenated, equalBytes, hmac } from '../base/digest.js';
import {
  append,
  Bytes,
  bytesOf,
  construct,
  each,
  fromJson,
  isInstance,
  item,
  joinedLists,
  jsonOf,
  subBytes,
  textOf,
  typedLength,
  utf8,
  weakGet,
  weakSet,
} from '../base/intrinsics.js';
import type { WebAssembly } from '../base/v8_types.js';
import { moduleHash } from '../compile/settings.js';
import { customSections, V8 } from '../errors/v8.js';
import type { ReadModuleOptions } from '../instance/compiling.js';
import { addon } from '../link/addon.js';
import { behind, LARGEST_MODULE } from '../source/bytes.js';

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
  readonly options: ReadModuleOptions;
}

function leb(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    append(bytes, (rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    if (rest <= 0x7f) return bytes;
  }
}

function name(text: string): number[] {
  const encoded = utf8(text);
  const bytes = leb(typedLength(encoded));
  for (let i = 0; i < typedLength(encoded); i++) append(bytes, encoded[i] as number);
  return bytes;
}

/** A section without the last `rest` bytes of its content. */
function section(id: number, head: readonly number[], content: readonly Uint8Array[] = [], rest = 0): Uint8Array[] {
  let size = head.length + rest;
  each(content, (part) => {
    size += typedLength(part);
  });
  return joinedLists([bytesOf(joinedLists([id], leb(size), head))], content);
}

let secret: Uint8Array | undefined;

function seal(hash: string, options: Uint8Array): Buffer {
  secret ??= addon().secret();
  return hmac(secret, `module\n${hash}\n`, options);
}

/** Room for what a carrier holds beside the bytes and the options. */
const HEAD_ROOM = 1024;

/** Whether V8 makes a module that carries this. The largest modules stay on their thread. */
export function canBeCarried({ bytes, options }: Carried): boolean {
  return typedLength(bytes) + typedLength(utf8(jsonOf(options))) + HEAD_ROOM <= LARGEST_MODULE;
}

/** A V8 module that carries these; its prototype is that of `type`. */
export function makeCarrier({ bytes, hash, options }: Carried, type: new (...args: never[]) => object): object {
  const text = utf8(jsonOf(options));
  const front = concatenated(
    joinedLists(
      [bytesOf(HEADER)],
      section(1, [1, 0x60, 0, 0]),
      section(2, joinedLists([1], name(WARNING[0]), name(WARNING[1]), [0, 0])),
      section(0, name(OPTIONS), [seal(hash, text), text]),
      section(0, name(BYTES), [], typedLength(bytes)),
    ),
  );
  return construct(V8.Module, [behind(front, bytes)], type) as object;
}

/** What was found in carriers that other threads sent. */
const known = new WeakMap<object, Carried>();

/** What a carrier that another thread sent holds; undefined for everything else. */
export function carried(value: unknown): Carried | undefined {
  if (typeof value !== 'object' || value === null || !isInstance(value, V8.Module)) return undefined;
  let found = weakGet(known, value);
  if (found === undefined) {
    found = unpack(value as WebAssembly.Module);
    if (found !== undefined) weakSet(known, value, found);
  }
  return found;
}

/** The contents of a module's section, where it has exactly one of that name. */
function onlySection(module: WebAssembly.Module, name: string): Uint8Array | undefined {
  const found = customSections(module, name);
  return found.length === 1 ? new Bytes(item(found, 0)) : undefined;
}

function unpack(module: WebAssembly.Module): Carried | undefined {
  let sealed: Uint8Array | undefined;
  try {
    sealed = onlySection(module, OPTIONS);
  } catch {
    // An object that only has the prototype of V8's modules.
    return undefined;
  }
  if (sealed === undefined || typedLength(sealed) < SEAL_SIZE) return undefined;
  const bytes = onlySection(module, BYTES);
  if (bytes === undefined) return undefined;
  const hash = moduleHash(bytes);
  const text = subBytes(sealed, SEAL_SIZE);
  if (!equalBytes(seal(hash, text), subBytes(sealed, 0, SEAL_SIZE))) return undefined;
  return { bytes, hash, options: fromJson(textOf(text)) as ReadModuleOptions };
}

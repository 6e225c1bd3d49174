/**
 * How a Module crosses to other threads. A Heddle Module _is_ one of V8's modules by its internal slots: an empty one that carries the module's bytes and
 * options in custom sections. So structured cloning (`postMessage`, `workerData`) takes it as it takes V8's, sharing the bytes, and the thread that gets it
 * compiles them, or finds the code in the cache.
 */

import { V8 } from '../errors/v8.js';
import type { ModuleOptions } from '../instance/module.js';

const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const OPTIONS = 'heddle.options';
const BYTES = 'heddle.module';
/** An import, so that V8 does not take the carrier for a module without exports, but says what is wrong. */
const WARNING = ["a Module of Heddle's", "make its instances with Heddle's WebAssembly"] as const;

/** What a carrier holds. */
export interface Carried {
  readonly bytes: Uint8Array;
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

function section(id: number, head: readonly number[], content: Uint8Array = new Uint8Array(0)): Uint8Array[] {
  return [Uint8Array.from([id, ...leb(head.length + content.length), ...head]), content];
}

/** A V8 module that carries these; its prototype is that of `type`. */
export function makeCarrier({ bytes, options }: Carried, type: new (...args: never[]) => object): object {
  const module = Buffer.concat([
    Uint8Array.from(HEADER),
    ...section(1, [1, 0x60, 0, 0]),
    ...section(2, [1, ...name(WARNING[0]), ...name(WARNING[1]), 0, 0]),
    ...section(0, name(OPTIONS), Buffer.from(JSON.stringify(options))),
    ...section(0, name(BYTES), bytes),
  ]);
  return Reflect.construct(V8.Module, [module], type) as object;
}

/** What a carrier that another thread sent holds; undefined for everything else. */
export function carried(value: unknown): Carried | undefined {
  if (!(value instanceof V8.Module)) return undefined;
  const [options] = V8.Module.customSections(value, OPTIONS);
  const [bytes] = V8.Module.customSections(value, BYTES);
  if (options === undefined || bytes === undefined) return undefined;
  return { bytes: new Uint8Array(bytes), options: JSON.parse(Buffer.from(options).toString()) as ModuleOptions };
}

/** Whether another thread sent the value as a carrier. */
export function isCarrier(value: unknown): boolean {
  return value instanceof V8.Module && V8.Module.customSections(value, BYTES).length > 0;
}

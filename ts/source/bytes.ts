/**
 * A module's bytes, from what users have.
 */
import { concatenated } from '../base/digest.js';
import {
  Bytes,
  bufferLength,
  isAnyArrayBuffer,
  isError,
  isView,
  parsedJson,
  startsWith,
  subBytes,
  typedBuffer,
  typedLength,
  typedSet,
  viewedBytes,
  weakAdd,
  weakIn,
} from '../base/intrinsics.js';
import { invalidText, notBytes, tooLarge, wrongArgument } from '../errors/catalog.js';
import { withCrate } from './crate.js';
import { hereOrElsewhere } from './elsewhere.js';
import { flattenLegacyTry } from './legacy_text.js';

/** What the API takes for a module's bytes. */
export type BytesSource = ArrayBuffer | SharedArrayBuffer | ArrayBufferView;

/** Bytes in front of a copy that belong to nobody. */
const ROOM = 1024;
const copies = new WeakSet<Uint8Array>();

/**
 * A copy of the bytes, of a buffer or view of whichever realm, so that later changes of the buffer do not matter. A detached one has no bytes.
 * Throws a CompileError for more than a module may have. */
export function copyBytes(source: unknown): Uint8Array {
  if (isView(source)) return bytesAt(source);
  if (!isAnyArrayBuffer(source)) throw notBytes(typeof source === 'string');
  requireSize(bufferLength(source));
  return bufferLength(source) === 0 ? new Bytes() : copyWithRoom(new Bytes(source));
}

function copyWithRoom(bytes: Uint8Array): Uint8Array {
  const made = new Bytes(ROOM + typedLength(bytes));
  typedSet(made, bytes, ROOM);
  const copy = subBytes(made, ROOM);
  weakAdd(copies, copy);
  return copy;
}

/** Some bytes and others behind them, in one piece. Where {@link copyBytes} made the second it costs no further copy of them. */
export function behind(front: Uint8Array, bytes: Uint8Array): Uint8Array {
  const size = typedLength(front);
  if (size > ROOM || !weakIn(copies, bytes)) return concatenated([front, bytes]);
  const whole = new Bytes(typedBuffer(bytes), ROOM - size, size + typedLength(bytes));
  typedSet(whole, front);
  return whole;
}

/** Bytes that a module has at most: V8's limit. */
export const LARGEST_MODULE = 2 ** 30;

function requireSize(size: number): void {
  if (size > LARGEST_MODULE) throw tooLarge(`a module of ${size} bytes: it may have ${LARGEST_MODULE}`, 0);
}

function bytesAt(view: ArrayBufferView): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = viewedBytes(view);
  } catch {
    // Of a detached buffer no view can be made.
    return new Bytes();
  }
  requireSize(typedLength(bytes));
  return copyWithRoom(bytes);
}

/** Whether bytes begin with the magic number of the binary format. */
export function isBinary(bytes: Uint8Array): boolean {
  return bytes[0] === 0 && bytes[1] === 0x61 && bytes[2] === 0x73 && bytes[3] === 0x6d;
}

/**
 * Assembles a module's text. Throws a CompileError with code HEDDLE_INVALID_TEXT that says line and column, and a TypeError for what is no
 * string: converted inside the crate it could run code that comes back there.
 *
 * @example
 * ```js
 * import { parseWat, WebAssembly } from 'heddle';
 *
 * const bytes = parseWat('(module (func (export "two") (result i32) (i32.const 2)))');
 * const { instance } = await WebAssembly.instantiate(bytes);
 * console.log(instance.exports.two()); // 2
 * ```
 */
export function parseWat(text: string): Uint8Array {
  if (typeof text !== 'string') throw wrongArgument("a module's text is given as a string");
  return hereOrElsewhere('parse', text, () =>
    withCrate((crate) => {
      try {
        return crate.parse_wat(flattenLegacyTry(text));
      } catch (error) {
        throw textError(error);
      }
    }),
  );
}

/** The crate's JSON of a text error as a typed error; other errors as they are. */
export function textError(error: unknown): unknown {
  // asks: the crate's own error
  const json = isError(error) ? error.message : '';
  if (!startsWith(json, '{')) return error;
  const found = parsedJson(json) as { readonly message: string; readonly line: number; readonly column: number };
  return invalidText(found.message, found.line, found.column);
}

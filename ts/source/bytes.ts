/**
 * A module's bytes, from what users have.
 */
import { types } from 'node:util';
import { invalidText, notBytes } from '../errors/catalog.js';
import { withCrate } from './crate.js';
import { flattenLegacyTry } from './legacy_text.js';

/** What the API takes for a module's bytes. */
export type BytesSource = ArrayBuffer | SharedArrayBuffer | ArrayBufferView;

/** Whether a value is what {@link BytesSource} says, of whichever realm. */
function isBytes(value: unknown): value is BytesSource {
  return ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value);
}

/** A copy of the bytes, so that later changes of the buffer do not matter. */
export function copyBytes(source: unknown): Uint8Array {
  if (!isBytes(source)) throw notBytes();
  // A detached buffer has no bytes, and no view can be made of it.
  if (source.byteLength === 0) return new Uint8Array();
  return ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength).slice()
    : new Uint8Array(source).slice();
}

/** Whether bytes begin with the magic number of the binary format. */
export function isBinary(bytes: Uint8Array): boolean {
  return bytes[0] === 0 && bytes[1] === 0x61 && bytes[2] === 0x73 && bytes[3] === 0x6d;
}

/** Assembles a module's text. Throws a CompileError with code HEDDLE_INVALID_TEXT that says line and column. */
export function parseWat(text: string): Uint8Array {
  return withCrate((crate) => {
    try {
      return crate.parse_wat(flattenLegacyTry(text));
    } catch (error) {
      throw textError(error);
    }
  });
}

/** The crate's JSON of a text error as a typed error; other errors as they are. */
export function textError(error: unknown): unknown {
  if (!(error instanceof Error) || !error.message.startsWith('{')) return error;
  const { message, line, column } = JSON.parse(error.message) as { message: string; line: number; column: number };
  return invalidText(message, line, column);
}

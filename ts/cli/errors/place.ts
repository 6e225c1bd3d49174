/** Where an error is: the file, the line of its text, the function of its code. Kept beside the error, for what reports it. */
import { isHeddleError } from '../../errors/catalog.js';
import { type FunctionPlace, functionAt } from './function_at.js';
import { positionInText } from './text_position.js';

/** A module, and what it came from. */
export interface ModuleSource {
  /** The file's name as messages have it. */
  readonly file: string;
  /** The module; undefined while its text is not assembled. */
  readonly bytes: Uint8Array | undefined;
  /** Its text, where the file has that. */
  readonly text?: string;
}

/** What is known of an error's place. */
export interface Place {
  /** The file's name as the command line has it. */
  readonly file: string;
  /** Where it is in the file's text, from 1; columns count characters. */
  readonly line?: number;
  readonly column?: number;
  /** The function whose code it is about. */
  readonly function?: FunctionPlace;
  /** Where it is in the module's bytes; for text, in what the text becomes. */
  readonly offset?: number;
  /** The file's text, to show the line of. */
  readonly text?: string;
}

/** What else is to be said of an error, a line each. */
const details = new WeakMap<object, readonly string[]>();
const places = new WeakMap<object, Place>();

/** Notes where in a module's file an error is. Returns it. */
export function located(error: unknown, source: ModuleSource): unknown {
  if (isHeddleError(error) && !places.has(error)) places.set(error, placeIn(error, source));
  return error;
}

/** An error's place, where one was noted. */
export function placeOf(error: unknown): Place | undefined {
  return typeof error === 'object' && error !== null ? places.get(error) : undefined;
}

/** Gives an error lines that follow its message. Returns it. */
export function detailed<E extends Error>(error: E, lines: readonly string[]): E {
  details.set(error, lines);
  return error;
}

/** The lines that follow an error's message. */
export function detailsOf(error: unknown): readonly string[] {
  return (typeof error === 'object' && error !== null && details.get(error)) || [];
}

function placeIn(error: { readonly line?: number; readonly column?: number; readonly offset?: number }, source: ModuleSource): Place {
  const { file, text, bytes } = source;
  if (text !== undefined && error.line !== undefined) {
    const column = characters(text, error.line, error.column ?? 1);
    return { file, text, line: error.line, column };
  }
  if (error.offset === undefined || bytes === undefined) return { file };
  const fn = functionAt(bytes, error.offset);
  const place = { file, offset: error.offset, ...(fn !== undefined && { function: fn }) };
  const position = text === undefined || fn === undefined ? undefined : positionInText(text, fn, error.offset);
  return position === undefined ? place : { ...place, ...position, ...(text !== undefined && { text }) };
}

/** The assembler counts a column in bytes of UTF-8. */
function characters(text: string, line: number, column: number): number {
  const bytes = Buffer.from(text.split('\n')[line - 1] ?? '').subarray(0, column - 1);
  return [...bytes.toString()].length + 1;
}

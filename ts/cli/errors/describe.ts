/** Errors as the command line tells them: as text, or as JSON. */
import { inspect } from 'node:util';
import { exceptionOf } from '../../instance/exceptions.js';
import { jsonLine } from '../json_line.js';
import { exceptionParts, showException } from '../values/exception.js';
import { excerpt } from './excerpt.js';
import { collapsed, frameLines, frameOf } from './frames.js';
import { detailsOf, type Place, placeOf } from './place.js';

/** An error's code and what is written of it. */
export interface Description {
  readonly code: string;
  readonly text: string;
}

/** What is written of an error: with `json` one line of JSON. */
export function describeError(error: unknown, json: boolean): Description {
  const code = codeOf(error);
  if (json) return { code, text: jsonLine({ error: errorJson(error) }) };
  const place = placeOf(error);
  const lines = [
    `heddle: ${front(place)}${messageOf(error)}${behind(place)} (${code})`,
    ...(place?.text !== undefined && place.line !== undefined ? excerpt(place.text, place.line, place.column ?? 1) : []),
    ...detailsOf(error),
    ...collapsed(frameLines(error, code === 'HEDDLE_INTERNAL')),
  ];
  return { code, text: lines.map((line) => `${line}\n`).join('') };
}

/** An error as data: code, message, and its place and frames where it has any. */
export function errorJson(error: unknown): Readonly<Record<string, unknown>> {
  const place = placeOf(error);
  const backtrace = frameLines(error, false).flatMap((line) => frameOf(line) ?? []);
  const exception = exceptionParts(error);
  const { offset } = { offset: place?.offset ?? offsetOf(error) };
  return {
    code: codeOf(error),
    message: messageOf(error),
    ...(place && { file: place.file }),
    ...(place?.line !== undefined && { line: place.line, column: place.column }),
    ...(place?.function && { function: { index: place.function.index, name: place.function.name ?? null } }),
    ...(offset !== undefined && { offset }),
    ...(exception && { exception }),
    ...(backtrace.length > 0 && { backtrace }),
  };
}

function offsetOf(error: unknown): number | undefined {
  const offset: unknown = error instanceof Error ? Reflect.get(error, 'offset') : undefined;
  return typeof offset === 'number' ? offset : undefined;
}

/** `FILE:LINE:COLUMN: `. */
function front(place: Place | undefined): string {
  if (place === undefined) return '';
  return place.line === undefined ? `${place.file}: ` : `${place.file}:${place.line}:${place.column ?? 1}: `;
}

/** Which function, and where in the bytes if nothing says it better. */
function behind(place: Place | undefined): string {
  if (place === undefined) return '';
  const { function: fn, offset, line } = place;
  const where = fn === undefined ? '' : `, in function ${fn.index}${fn.name === undefined ? '' : ` (${fn.name})`}`;
  return offset === undefined || line !== undefined ? where : `${where}${where === '' ? ',' : ''} at offset 0x${offset.toString(16)}`;
}

/** An error's message on one line, without the place that is said otherwise. */
export function messageOf(error: unknown): string {
  const text = (showException(error) ?? (error instanceof Error ? error.message : `uncaught ${inspect(error)}`)).replace(/\s*\n\s*/g, ' ');
  const place = placeOf(error);
  return place?.offset === undefined && place?.line === undefined ? text : text.replace(/ \((at offset \d+|line \d+, column \d+)\)$/, '');
}

/** An error's code; errors that are not ours have Node's, or none. */
function codeOf(error: unknown): string {
  if (exceptionOf(error) !== undefined) return 'HEDDLE_EXCEPTION';
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  if (typeof code === 'string') return code;
  return error instanceof Error ? error.name : 'Error';
}

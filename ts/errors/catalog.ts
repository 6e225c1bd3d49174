/**
 * Every error that Heddle makes: one function each, with a stable `code`. CompileError, LinkError and RuntimeError are V8's own classes, so
 * that `instanceof WebAssembly.RuntimeError` holds whichever engine trapped.
 */

import {
  charCodeAt,
  Dictionary,
  define,
  each,
  fromCharCode,
  getProperty,
  isError,
  keys,
  mapGet,
  mapSet,
  PlainError,
  startsWith,
  WrongRange,
  WrongType,
  weakAdd,
  weakIn,
} from '../base/intrinsics.js';
import type { WebAssembly } from '../base/v8_types.js';
import { TRAP, TRAP_MESSAGE } from '../generated/abi.js';
import { SuspendError } from './suspend_error.js';
import { V8 } from './v8.js';

/** What all of Heddle's errors carry besides the message. */
export interface HeddleErrorFields {
  /** Stable, for programs: `HEDDLE_…`. */
  readonly code: string;
  /** Byte offset in the module, where the error has a place there. */
  readonly offset?: number;
  /** Line in a module's text, from 1, where the error has a place there. */
  readonly line?: number;
  /** Column of that line, from 1, in bytes of UTF-8. */
  readonly column?: number;
}

/** An error of Heddle's, of whichever class. */
export type HeddleError = Error & HeddleErrorFields;

/**
 * Whether a value is an error with a code of Heddle's. (A WebAssembly exception is no Error, but has a `code`, too.)
 *
 * @example
 * ```js
 * import { isHeddleError, parseWat, WebAssembly } from 'heddle';
 *
 * const bytes = parseWat('(module (func (export "divide") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1))))');
 * const { instance } = await WebAssembly.instantiate(bytes);
 * try {
 *   instance.exports.divide(1, 0);
 * } catch (error) {
 *   console.log(isHeddleError(error) && error.code); // HEDDLE_TRAP_DIVISION_BY_ZERO
 * }
 * ```
 */
export function isHeddleError(value: unknown): value is HeddleError {
  if (!isError(value)) return false;
  const code: unknown = getProperty(value, 'code');
  return typeof code === 'string' && startsWith(code, 'HEDDLE_');
}

function coded<E extends Error>(error: E, code: string, offset?: number): E & HeddleErrorFields {
  define(error, 'code', code);
  if (offset !== undefined) define(error, 'offset', offset);
  return error as E & HeddleErrorFields;
}

/** The module is not valid. `offset` is where the validator stopped. */
export function invalidModule(message: string, offset: number): WebAssembly.CompileError & HeddleErrorFields {
  return coded(new V8.CompileError(`${message} (at offset ${offset})`), 'HEDDLE_INVALID_MODULE', offset);
}

/** The module imports something that Heddle gives it, with another type. */
export function invalidImport(message: string): WebAssembly.CompileError & HeddleErrorFields {
  return coded(new V8.CompileError(message), 'HEDDLE_INVALID_MODULE');
}

/** The text is not a module's. Line and column count from 1. */
export function invalidText(message: string, line: number, column: number): WebAssembly.CompileError & HeddleErrorFields {
  const error = coded(new V8.CompileError(`${message} (line ${line}, column ${column})`), 'HEDDLE_INVALID_TEXT');
  define(error, 'line', line);
  define(error, 'column', column);
  return error;
}

/** A file is nothing that could be a module: what it is instead. */
export function notModule(message: string): WebAssembly.CompileError & HeddleErrorFields {
  return coded(new V8.CompileError(message), 'HEDDLE_INVALID_MODULE');
}

/** The code generator refused or failed: a limit of the implementation, or a bug. */
export function codegenFailed(message: string): WebAssembly.CompileError & HeddleErrorFields {
  return coded(new V8.CompileError(`code generation failed: ${message}`), 'HEDDLE_CODEGEN');
}

/** A valid module is beyond a limit of the implementation (docs/limits.md). `offset` is that of the function's body or of the operator. */
export function tooLarge(message: string, offset: number): WebAssembly.CompileError & HeddleErrorFields {
  return coded(new V8.CompileError(`${message} (at offset ${offset})`), 'HEDDLE_LIMIT', offset);
}

/** The module uses something that Heddle does not run yet. */
export function unsupported(what: string, offset?: number): WebAssembly.CompileError & HeddleErrorFields {
  const place = offset === undefined ? '' : ` (at offset ${offset})`;
  return coded(new V8.CompileError(`${what} is not supported${place}`), 'HEDDLE_UNSUPPORTED', offset);
}

/** An argument that should be a module's bytes is something else. */
export function notBytes(isText: boolean): TypeError & HeddleErrorFields {
  const remedy = isText ? ': parseWat makes the bytes of a text' : '';
  return coded(new WrongType(`a module is given as an ArrayBuffer or a view of one${remedy}`), 'HEDDLE_NOT_BYTES');
}

/** An argument of the API is of the wrong type. */
export function wrongArgument(message: string): TypeError & HeddleErrorFields {
  return coded(new WrongType(message), 'HEDDLE_ARGUMENT');
}

/** An argument of the API is out of range. */
export function outOfRange(message: string): RangeError & HeddleErrorFields {
  return coded(new WrongRange(message), 'HEDDLE_RANGE');
}

/** A thread has as many types as it can have at a time. */
export function tooManyTypes(most: number): RangeError & HeddleErrorFields {
  const message = `this thread's modules would have more than ${most} types that differ, and nothing that names one of them is garbage`;
  return coded(new WrongRange(message), 'HEDDLE_TYPES');
}

/** There is no memory, or no number, left for an object. */
export function noMemory(message: string): RangeError & HeddleErrorFields {
  return coded(new WrongRange(message), 'HEDDLE_MEMORY');
}

/** An import is absent. */
export function unknownImport(module: string, name: string): WebAssembly.LinkError & HeddleErrorFields {
  return coded(new V8.LinkError(`unknown import: ${module}.${name} was not given`), 'HEDDLE_LINK_MISSING');
}

/** The import object has no object of the module's name, or is none itself. */
export function importNotObject(module: string): TypeError & HeddleErrorFields {
  return coded(new WrongType(`import module ${module} is not an object`), 'HEDDLE_LINK_MODULE');
}

/** An import is of another type than the module asks for. */
export function incompatibleImport(module: string, name: string, why: string): WebAssembly.LinkError & HeddleErrorFields {
  return coded(new V8.LinkError(`incompatible import type: ${module}.${name}: ${why}`), 'HEDDLE_LINK_TYPE');
}

/** Resources for linking ran out (V8's limit on memories, address space). */
export function linkResources(message: string): WebAssembly.LinkError & HeddleErrorFields {
  return coded(new V8.LinkError(message), 'HEDDLE_LINK_RESOURCES');
}

/** This machine has no support: CPU, operating system, or no built addon. */
export function platform(message: string): Error & HeddleErrorFields {
  return coded(new PlainError(message), 'HEDDLE_PLATFORM');
}

/** A name as it is in codes: `stackOverflow` is `STACK_OVERFLOW`. */
function codeWord(name: string): string {
  let word = '';
  for (let i = 0; i < name.length; i++) {
    const c = charCodeAt(name, i);
    if (c >= 0x61) word += fromCharCode(c - 0x20);
    else word += c >= 0x41 ? `_${fromCharCode(c)}` : fromCharCode(c);
  }
  return word;
}

let trapNames: Map<number, string> | undefined;

/** What a trap is called in its error's code. */
function trapName(code: number): string | undefined {
  if (trapNames === undefined) {
    const names = new Dictionary<number, string>();
    each(keys(TRAP), (name) => mapSet(names, TRAP[name as keyof typeof TRAP], codeWord(name)));
    trapNames = names;
  }
  return mapGet(trapNames, code);
}

const traps = new WeakSet<object>();

/** Whether a value is a trap of ours: WebAssembly cannot catch those. */
export function isTrap(value: unknown): boolean {
  return typeof value === 'object' && value !== null && weakIn(traps, value);
}

/** Whether a value is the trap of a handler that waits or suspends after its call was cancelled. */
export function isCancellation(value: unknown): boolean {
  return isTrap(value) && getProperty(value as object, 'code') === 'HEDDLE_TRAP_CANCELLED';
}

/** Whether a value is the trap of a call whose deadline has passed. */
export function isDeadline(value: unknown): boolean {
  return isTrap(value) && getProperty(value as object, 'code') === 'HEDDLE_TRAP_DEADLINE';
}

/** A trap. Stack exhaustion is a RangeError, everything else a RuntimeError; `detail` is put behind the message. */
export function trap(code: number, detail?: string): Error & HeddleErrorFields {
  const base = TRAP_MESSAGE[code] ?? `trap ${code}`;
  const message = detail === undefined ? base : `${base}: ${detail}`;
  const error = code === TRAP.stackOverflow ? new WrongRange(message) : new V8.RuntimeError(message);
  weakAdd(traps, error);
  return coded(error, `HEDDLE_TRAP_${trapName(code) ?? code}`);
}

/** An import would wait for a promise in a call that was not begun by `promising`. */
export function notPromising(name: string): Error & HeddleErrorFields {
  const message = `import ${name} may wait for a promise: the call must be begun by WebAssembly.promising`;
  return coded(new SuspendError(message), 'HEDDLE_SUSPEND_PROMISING');
}

/** An import would wait for a promise while another import waits for the call to return: JavaScript's frames are below it, or a barrier. */
export function importInTheWay(name: string, way: string): Error & HeddleErrorFields {
  const message = `import ${name} may wait for a promise, but import ${way} is in the way: it waits for this call to return`;
  return coded(new SuspendError(message), 'HEDDLE_SUSPEND_FRAMES');
}

/** A module is to come from a Response that has none. */
export function badResponse(why: string): TypeError & HeddleErrorFields {
  return coded(new WrongType(`the response ${why}`), 'HEDDLE_RESPONSE');
}

/** An import is called whose instance was disposed of. (The addon makes the same error where it calls imports itself.) */
export function disposed(): Error & HeddleErrorFields {
  return coded(new PlainError('the import belongs to an instance that was disposed of'), 'HEDDLE_DISPOSED');
}

/** A continuation is used for the second time: it was resumed, thrown into, bound or disposed of, or has come to its end. */
export function continuationUsed(): TypeError & HeddleErrorFields {
  return coded(new WrongType('the continuation is used: it can be resumed once'), 'HEDDLE_CONTINUATION_USED');
}

/** A function or a tag is not of the types that it was declared with. */
export function wrongDeclaration(message: string): TypeError & HeddleErrorFields {
  return coded(new WrongType(message), 'HEDDLE_COROUTINE_TYPE');
}

/** Values do not fit the types that a coroutine takes. */
export function wrongValues(message: string): TypeError & HeddleErrorFields {
  return coded(new WrongType(message), 'HEDDLE_COROUTINE_VALUE');
}

/** A coroutine has suspended with a tag that it was not declared with. */
export function wrongTag(message: string): TypeError & HeddleErrorFields {
  return coded(new WrongType(message), 'HEDDLE_COROUTINE_TAG');
}

/** A program that is explored has suspended with what is no choice, or a choice has no number of outcomes. */
export function wrongChoice(message: string): TypeError & HeddleErrorFields {
  return coded(new WrongType(message), 'HEDDLE_EXPLORE_CHOICE');
}

/** A path leads past the end of a run, or to an outcome that a choice has not. */
export function wrongPath(message: string): RangeError & HeddleErrorFields {
  return coded(new WrongRange(message), 'HEDDLE_EXPLORE_PATH');
}

/** What a run has returned is not right: the caller's `check` said so. */
export function checkFailed(what: string): Error & HeddleErrorFields {
  return coded(new PlainError(`the check of the result ${what} was false`), 'HEDDLE_EXPLORE_CHECK');
}

/** A continuation is used while it runs. */
export function continuationRunning(): TypeError & HeddleErrorFields {
  return coded(new WrongType('the continuation is running'), 'HEDDLE_CONTINUATION_RUNNING');
}

function named<E extends Error>(error: E, name: string): E {
  define(error, 'name', name, true);
  return error;
}

/** A task, or a group of them, was cancelled without a reason. */
export function cancelled(what: string): Error & HeddleErrorFields {
  return coded(named(new PlainError(`${what} was cancelled`), 'AbortError'), 'HEDDLE_CANCELLED');
}

/** A task or a call took longer than it may. */
export function timedOut(what: string, milliseconds: number): Error & HeddleErrorFields {
  return coded(named(new PlainError(`${what} took longer than ${milliseconds} ms`), 'TimeoutError'), 'HEDDLE_TIMEOUT');
}

/** A built-in object of JavaScript's was changed, so that this thread must not compile, and there is none that could instead. */
export function changedBuiltIn(place: string): Error & HeddleErrorFields {
  return coded(new PlainError(`${place} is not what it was when Heddle was loaded: no module can be compiled`), 'HEDDLE_INTRINSICS');
}

/** A bug of Heddle, or of what it is built on. */
export function internal(message: string, cause?: unknown): Error & HeddleErrorFields {
  return coded(new PlainError(message, cause === undefined ? {} : { cause }), 'HEDDLE_INTERNAL');
}

/** A file that should be a compiled module is not one that this version made. */
export function badArtifact(why: string): WebAssembly.CompileError & HeddleErrorFields {
  return coded(new V8.CompileError(`the compiled module cannot be used: ${why}`), 'HEDDLE_BAD_ARTIFACT');
}

/** A file of native code is not known to be this user's Heddle's. */
export function untrusted(message: string): Error & HeddleErrorFields {
  return coded(new PlainError(message), 'HEDDLE_UNTRUSTED');
}

/** A file that the command line names cannot be read or written. */
export function fileFailed(message: string): Error & HeddleErrorFields {
  return coded(new PlainError(message), 'HEDDLE_FILE');
}

/** The command line itself is wrong. */
export function usage(message: string): Error & HeddleErrorFields {
  return coded(new PlainError(message), 'HEDDLE_USAGE');
}

/** The module has not what the command line asks for. */
export function unknownExport(message: string): Error & HeddleErrorFields {
  return coded(new PlainError(message), 'HEDDLE_EXPORT');
}

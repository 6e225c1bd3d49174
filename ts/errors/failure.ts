/** Errors on their way from a worker thread: structured cloning keeps neither V8's WebAssembly classes nor added fields. */
import { define, isError, isInstance, PlainError, StringValue, WrongType } from '../base/intrinsics.js';
import { V8 } from './v8.js';

/** An error as plain data. */
export interface Failure {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly code: string;
  readonly offset?: number;
  readonly line?: number;
  readonly column?: number;
}

/** What of an error crosses. */
export function failureOf(error: unknown): Failure {
  if (!isError(error)) return { name: 'Error', message: StringValue(error), stack: '', code: 'HEDDLE_INTERNAL' };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'HEDDLE_INTERNAL';
  const offset = 'offset' in error && typeof error.offset === 'number' ? { offset: error.offset } : {};
  const line = 'line' in error && typeof error.line === 'number' ? { line: error.line } : {};
  const column = 'column' in error && typeof error.column === 'number' ? { column: error.column } : {};
  // asks: the error, in the compiler's thread
  const { name, message, stack } = error;
  return {
    name: isInstance(error, V8.CompileError) ? 'CompileError' : name,
    message,
    stack: stack ?? '',
    code,
    ...offset,
    ...line,
    ...column,
  };
}

function classOf(name: string): new (message: string) => Error {
  if (name === 'CompileError') return V8.CompileError;
  return name === 'TypeError' ? WrongType : PlainError;
}

/** The error again, with its class, code and offset. */
export function errorOf({ name, message, stack, code, offset, line, column }: Failure): Error {
  const error = new (classOf(name))(message);
  if (stack !== '') define(error, 'stack', stack, true);
  define(error, 'code', code);
  if (offset !== undefined) define(error, 'offset', offset);
  if (line !== undefined) define(error, 'line', line);
  if (column !== undefined) define(error, 'column', column);
  return error;
}

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
}

/** What of an error crosses. */
export function failureOf(error: unknown): Failure {
  if (!isError(error)) return { name: 'Error', message: StringValue(error), stack: '', code: 'HEDDLE_INTERNAL' };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'HEDDLE_INTERNAL';
  const offset = 'offset' in error && typeof error.offset === 'number' ? { offset: error.offset } : {};
  // asks: the error, in the compiler's thread
  const { name, message, stack } = error;
  return { name: isInstance(error, V8.CompileError) ? 'CompileError' : name, message, stack: stack ?? '', code, ...offset };
}

function classOf(name: string): new (message: string) => Error {
  if (name === 'CompileError') return V8.CompileError;
  return name === 'TypeError' ? WrongType : PlainError;
}

/** The error again, with its class, code and offset. */
export function errorOf({ name, message, stack, code, offset }: Failure): Error {
  const error = new (classOf(name))(message);
  if (stack !== '') define(error, 'stack', stack, true);
  define(error, 'code', code);
  if (offset !== undefined) define(error, 'offset', offset);
  return error;
}

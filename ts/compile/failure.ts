/** Errors on their way from a worker thread: structured cloning keeps neither V8's WebAssembly classes nor added fields. */
import { V8 } from '../errors/v8.js';

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
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), stack: '', code: 'HEDDLE_INTERNAL' };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'HEDDLE_INTERNAL';
  const offset = 'offset' in error && typeof error.offset === 'number' ? { offset: error.offset } : {};
  return {
    name: error instanceof V8.CompileError ? 'CompileError' : error.name,
    message: error.message,
    stack: error.stack ?? '',
    code,
    ...offset,
  };
}

/** The error again, with its class, code and offset. */
export function errorOf(failure: Failure): Error {
  const { name, message, stack, ...fields } = failure;
  const type = { CompileError: V8.CompileError, TypeError }[name] ?? Error;
  const error = new type(message);
  if (stack !== '') error.stack = stack;
  return Object.assign(error, fields);
}

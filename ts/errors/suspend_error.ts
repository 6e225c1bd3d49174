/**
 * SuspendError: V8's own where V8 has promise integration, so that `instanceof` holds whichever engine throws; otherwise the same class made here.
 */
import type { SuspendErrorClass } from '../base/v8_types.js';
import { V8 } from './v8.js';

/** Thrown where WebAssembly would have to wait for a promise and cannot. */
class OwnSuspendError extends Error {
  static {
    Object.defineProperty(OwnSuspendError, 'name', { value: 'SuspendError' });
    Object.defineProperty(OwnSuspendError.prototype, 'name', { value: 'SuspendError', writable: true, configurable: true });
  }
}

const own: unknown = Reflect.get(V8, 'SuspendError');

/** The class; see the file's comment. V8's is made without `new`, too; ours is not. */
export const SuspendError = (typeof own === 'function' ? own : OwnSuspendError) as SuspendErrorClass;

/**
 * Which of the standard descriptors a program itself has made non-blocking. What Node or the parent process did to them is none of the program's business: it must not
 * see EAGAIN.
 */
import { ERRNO } from './wasi_poll.js';

/** A function of WASI: numbers, and an error number. */
export type WasiFunction = (...args: number[]) => number;
/** WASI's functions by name. */
export type WasiFunctions = Record<string, WasiFunction>;

const NONBLOCK = 4;
const STANDARD = 2;

/** The flags, as far as they decide whether to wait. */
export class StandardFlags {
  readonly #nonblocking = new Set<number>();

  /** `fd_fdstat_set_flags` that takes note. */
  noting(setFlags: WasiFunction): WasiFunction {
    return (fd = 0, flags = 0) => {
      const errno = setFlags(fd, flags);
      if (errno === ERRNO.success && (flags & NONBLOCK) !== 0) this.#nonblocking.add(fd);
      else if (errno === ERRNO.success) this.#nonblocking.delete(fd);
      return errno;
    };
  }

  /** Whether the program expects to wait where this one of its standard descriptors is not ready. */
  waits(fd: number): boolean {
    return fd <= STANDARD && !this.#nonblocking.has(fd);
  }
}

/** WASI's functions for a program that has the thread for itself: where a pipe is full, or has nothing to read yet, the thread waits. */
export function blocking(functions: WasiFunctions): Record<string, unknown> {
  const flags = new StandardFlags();
  const { fd_read, fd_write, fd_fdstat_set_flags } = functions;
  return {
    ...functions,
    ...(fd_read && { fd_read: retrying(fd_read, flags) }),
    ...(fd_write && { fd_write: retrying(fd_write, flags) }),
    ...(fd_fdstat_set_flags && { fd_fdstat_set_flags: flags.noting(fd_fdstat_set_flags) }),
  };
}

/** A function of a descriptor, called again and again while a standard one is not ready. */
function retrying(fn: WasiFunction, flags: StandardFlags): WasiFunction {
  const never = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  return (fd = 0, ...rest) => {
    for (let milliseconds = 1; ; milliseconds = Math.min(2 * milliseconds, LONGEST_NAP)) {
      const errno = fn(fd, ...rest);
      if (errno !== ERRNO.again || !flags.waits(fd)) return errno;
      Atomics.wait(never, 0, 0, milliseconds);
    }
  };
}

/** Milliseconds between two looks at a pipe that is full. */
export const LONGEST_NAP = 16;

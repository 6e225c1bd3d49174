/** Standard input as a file, and files whose names are no UTF-8. */
import { existsSync, readFileSync, readSync } from 'node:fs';

const FD = 0;
const PIECE = 65_536;
/** Milliseconds between two looks at a pipe that somebody has made non-blocking. */
const NAP = 5;

/** Bytes that are read at most: no module that V8 or Heddle takes is longer. */
export const MOST_BYTES = 2 ** 30;

/** All of standard input, up to its end. */
export function standardInput(): Uint8Array {
  return readToEnd(FD);
}

/** All of what has no size, such as a pipe. Throws an Error where there are more than `most` bytes: it may have no end. */
export function readToEnd(descriptor: number, most = MOST_BYTES): Uint8Array {
  const pieces: Uint8Array[] = [];
  let length = 0;
  const piece = new Uint8Array(PIECE);
  const never = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  for (;;) {
    try {
      const size = readSync(descriptor, piece);
      if (size === 0) return Buffer.concat(pieces);
      length += size;
      if (length > most) throw new Error(`it has more than ${most} bytes`);
      pieces.push(piece.slice(0, size));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EOF') return Buffer.concat(pieces);
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(never, 0, 0, NAP);
    }
  }
}

/**
 * The bytes of a name that Node has read as UTF-8 and lost where it is none; undefined where no argument of this process is read as that name, or there is no such file.
 * Linux keeps the bytes.
 */
export function rawName(name: string): Buffer | undefined {
  if (!name.includes('\ufffd')) return undefined;
  let line: Buffer;
  try {
    line = readFileSync('/proc/self/cmdline');
  } catch {
    return undefined;
  }
  for (let from = 0; from < line.length; ) {
    const end = line.indexOf(0, from);
    const argument = line.subarray(from, end < 0 ? line.length : end);
    if (argument.toString() === name && existsSync(argument)) return argument;
    from += argument.length + 1;
  }
  return undefined;
}

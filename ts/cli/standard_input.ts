/**
 * Standard input that can be waited for without stopping the thread: a pipe, a socket or a terminal.
 */
import { fstatSync } from 'node:fs';
import { isatty } from 'node:tty';

const FD = 0;

/** Whether reading it may take time. Regular files, and devices such as /dev/null, are read at once. */
export function inputWaits(): boolean {
  try {
    const stat = fstatSync(FD);
    return stat.isFIFO() || stat.isSocket() || isatty(FD);
  } catch {
    // It is closed: reading it fails at once.
    return false;
  }
}

/** Reads through Node's stream, which is opened by the first use: from then on nobody else must read the descriptor. */
export class StandardInput {
  #stream: NodeJS.ReadStream | undefined;
  #ended = false;
  #waiting: (() => void)[] = [];

  /** Bytes that can be read now. */
  get available(): number {
    return this.#open().readableLength;
  }

  /** Nothing comes any more; what is {@link available} still can be read. An error of the stream counts as its end. */
  get ended(): boolean {
    return this.#ended;
  }

  /** At most `limit` bytes, at least one; undefined where there are none now. */
  read(limit: number): Uint8Array | undefined {
    const stream = this.#open();
    const size = Math.min(limit, stream.readableLength);
    if (size === 0) return undefined;
    const bytes = stream.read(size) as Buffer | null;
    // A stream says that it has ended only to who asks when it is empty.
    if (stream.readableLength === 0) stream.read(0);
    return bytes ?? undefined;
  }

  /** Calls `wake` once, when something has changed; the result takes that back. */
  onChange(wake: () => void): () => void {
    this.#open();
    this.#waiting.push(wake);
    return () => {
      this.#waiting = this.#waiting.filter((other) => other !== wake);
    };
  }

  /** Lets the process end although the other side is open. */
  close(): void {
    this.#stream?.destroy();
  }

  #open(): NodeJS.ReadStream {
    if (this.#stream !== undefined) return this.#stream;
    const stream = process.stdin;
    this.#stream = stream;
    const changed = (): void => {
      if (stream.readableLength === 0) stream.read(0);
      for (const wake of this.#waiting.splice(0)) wake();
    };
    const ended = (): void => {
      this.#ended = true;
      changed();
    };
    stream.on('readable', changed).on('end', ended).on('error', ended).on('close', ended);
    return stream;
  }
}

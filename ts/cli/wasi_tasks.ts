/**
 * WASI for several tasks of one program: clocks and standard input make the task wait that asked, and not the thread. All else is node:wasi's and done at once,
 * regular files too.
 */
import { Suspending } from '../schedule/suspending.js';
import { inputWaits, StandardInput } from './standard_input.js';
import { LONGEST_NAP, StandardFlags, type WasiFunction, type WasiFunctions } from './wasi_flags.js';
import { ERRNO, monotonic, type PollEvent, readSubscriptions, type Subscription, writeEvents } from './wasi_poll.js';

const STDIN = 0;
const IOVEC_SIZE = 8;
/** Nanoseconds between two looks at a pipe that is full. */
const NAP = BigInt(LONGEST_NAP) * 1_000_000n;
/** setTimeout's longest, in milliseconds. */
const LONGEST = 2 ** 31 - 1;

/** A program has called proc_exit. */
class ProgramExit {
  readonly status: number;
  constructor(status: number) {
    this.status = status;
  }
}

/** The status with which proc_exit has ended a program, where that is what was thrown. */
export function exitStatus(error: unknown): number | undefined {
  return error instanceof ProgramExit ? error.status : undefined;
}

/** The imports of such a program. */
export class TaskWasi {
  readonly imports: Record<string, unknown>;
  readonly #wasi: WasiFunctions;
  readonly #memory: () => DataView;
  readonly #input = new StandardInput();
  /** Whether descriptor 0 is the process's standard input, and one that may have to be waited for. */
  #inputWaits = inputWaits();
  readonly #flags = new StandardFlags();
  #ended = false;
  /** What ends each wait of now. */
  readonly #sleepers = new Set<() => void>();

  /** `wasi` are the functions of node:wasi, `memory` gives a view of the program's memory as it is now, `turn` a promise that others come first. */
  constructor(wasi: WasiFunctions, memory: () => DataView, turn: () => Promise<void>) {
    this.#wasi = wasi;
    this.#memory = memory;
    const plain: WasiFunctions = {
      ...wasi,
      fd_close: (fd) => this.#replaced([fd], 'fd_close', fd),
      fd_renumber: (from, to) => this.#replaced([from, to], 'fd_renumber', from, to),
      fd_fdstat_set_flags: this.#flags.noting((fd = 0, flags = 0) => this.#call('fd_fdstat_set_flags', fd, flags)),
      proc_exit: (status) => {
        this.end();
        throw new ProgramExit(status);
      },
    };
    this.imports = {
      ...Object.fromEntries(Object.entries(plain).map(([name, fn]) => [name, this.#unlessOver(fn)])),
      poll_oneoff: new Suspending((from: number, to: number, count: number, size: number) => this.#poll(from, to, count, size)),
      fd_read: new Suspending((fd: number, vectors: number, count: number, size: number) => this.#read(fd, vectors, count, size)),
      fd_write: new Suspending((fd: number, ...rest: number[]) => this.#goesOn(this.#write(fd, ...rest))),
      sched_yield: new Suspending(() => turn().then(() => this.#goesOn(ERRNO.success))),
    };
  }

  /** The program is over: tasks that wait never go on, and nothing keeps the process. */
  end(): void {
    this.#ended = true;
    this.#input.close();
    for (const wake of this.#sleepers) wake();
  }

  /** `fn`; a task that has its turn after the program's end is thrown out where it calls it. */
  #unlessOver(fn: WasiFunction): WasiFunction {
    return (...args) => {
      if (this.#ended) throw new ProgramExit(0);
      return fn(...args);
    };
  }

  #call(name: string, ...args: number[]): number {
    return this.#wasi[name]?.(...args) ?? ERRNO.notsup;
  }

  /** Descriptor 0 may be another file from now on, and is node:wasi's. */
  #replaced(fds: readonly number[], name: string, ...args: number[]): number {
    const errno = this.#call(name, ...args);
    if (errno === ERRNO.success && fds.includes(STDIN)) this.#inputWaits = false;
    return errno;
  }

  /** `result`, unless the program is over. */
  #goesOn<T>(result: T): T | Promise<T> {
    return this.#ended ? new Promise<T>(() => undefined) : result;
  }

  #poll(from: number, to: number, count: number, size: number): number | Promise<number> {
    return guarded(() => {
      if (count === 0) return ERRNO.inval;
      const subscriptions = readSubscriptions(this.#memory(), from >>> 0, count >>> 0);
      if (subscriptions === undefined) return ERRNO.inval;
      const finish = (): number | undefined => {
        const events = subscriptions.flatMap((subscription) => this.#event(subscription, to) ?? []);
        if (events.length === 0) return undefined;
        writeEvents(this.#memory(), to >>> 0, events);
        this.#memory().setUint32(size >>> 0, events.length, true);
        return ERRNO.success;
      };
      return finish() ?? this.#pollLater(subscriptions, finish);
    });
  }

  async #pollLater(subscriptions: readonly Subscription[], finish: () => number | undefined): Promise<number> {
    const deadlines = subscriptions.flatMap((s) => (s.kind === 'clock' && s.deadline !== undefined ? [s.deadline] : []));
    const first = deadlines.length === 0 ? undefined : deadlines.reduce((a, b) => (b < a ? b : a));
    const reads = subscriptions.some((subscription) => subscription.kind === 'read');
    for (;;) {
      await this.#wait(first, reads);
      const done = await this.#goesOn(guarded(finish));
      if (done !== undefined) return done;
    }
  }

  /** What a subscription comes to now, undefined for nothing yet. `scratch` is where an event will be written. */
  #event(subscription: Subscription, scratch: number): PollEvent | undefined {
    if (subscription.kind === 'clock') {
      const { deadline } = subscription;
      if (deadline === undefined) return { subscription, errno: ERRNO.notsup };
      return deadline <= monotonic() ? { subscription, errno: ERRNO.success } : undefined;
    }
    if (subscription.kind === 'read' && subscription.fd === STDIN && this.#inputWaits) {
      const bytes = this.#input.available;
      const hangup = this.#input.ended;
      return bytes > 0 || hangup ? { subscription, errno: ERRNO.success, bytes, hangup } : undefined;
    }
    // Files are ready at all times; the status is asked for only to know whether there is such a file.
    return { subscription, errno: this.#call('fd_fdstat_get', subscription.fd, scratch) };
  }

  #read(fd: number, vectors: number, count: number, size: number): number | Promise<number> {
    if (fd !== STDIN || !this.#inputWaits) return this.#call('fd_read', fd, vectors, count, size);
    return guarded(() => {
      const finish = (): number | undefined => this.#fill(vectors >>> 0, count >>> 0, size >>> 0);
      return finish() ?? (this.#flags.waits(STDIN) ? this.#readLater(finish) : ERRNO.again);
    });
  }

  async #readLater(finish: () => number | undefined): Promise<number> {
    for (;;) {
      await this.#wait(undefined, true);
      const done = await this.#goesOn(guarded(finish));
      if (done !== undefined) return done;
    }
  }

  #write(fd: number, ...rest: number[]): number | Promise<number> {
    const errno = this.#ended ? ERRNO.success : this.#call('fd_write', fd, ...rest);
    return errno === ERRNO.again && this.#flags.waits(fd) ? this.#writeLater(fd, ...rest) : errno;
  }

  /** The reader of a pipe that is full has to go on first. */
  async #writeLater(fd: number, ...rest: number[]): Promise<number> {
    await this.#wait(monotonic() + NAP, false);
    return await this.#goesOn(this.#write(fd, ...rest));
  }

  /** Reads what there is into a list of buffers (address and length each); undefined where there is nothing yet. */
  #fill(vectors: number, count: number, size: number): number | undefined {
    const view = this.#memory();
    const buffers = Array.from({ length: count }, (_, i) => {
      const at = vectors + IOVEC_SIZE * i;
      return new Uint8Array(view.buffer, view.getUint32(at, true), view.getUint32(at + 4, true));
    });
    // Where nothing is to be read, nothing is to be waited for.
    const wanted = buffers.reduce((sum, { length }) => sum + length, 0);
    view.getUint32(size, true);
    if (wanted > 0 && this.#input.available === 0 && !this.#input.ended) return undefined;
    let total = 0;
    for (const buffer of buffers) {
      const bytes = buffer.length === 0 ? undefined : this.#input.read(buffer.length);
      if (bytes === undefined) continue;
      buffer.set(bytes);
      total += bytes.length;
    }
    view.setUint32(size, total, true);
    return ERRNO.success;
  }

  /** Waits for a time in monotonic nanoseconds, for standard input, or for the program's end; also ends sooner. */
  #wait(deadline: bigint | undefined, reads: boolean): Promise<void> {
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout | undefined;
      let forget = (): void => undefined;
      const wake = (): void => {
        clearTimeout(timer);
        forget();
        this.#sleepers.delete(wake);
        resolve();
      };
      this.#sleepers.add(wake);
      if (deadline !== undefined) timer = setTimeout(wake, milliseconds(deadline - monotonic()));
      if (reads && this.#inputWaits) forget = this.#input.onChange(wake);
    });
  }
}

/** Nanoseconds as milliseconds for a timer, rounded up. */
function milliseconds(nanoseconds: bigint): number {
  return Math.min(LONGEST, Math.max(0, Math.ceil(Number(nanoseconds) / 1e6)));
}

/** What `run` gives; an error number where it reads or writes outside the memory. */
function guarded<T>(run: () => T): T | number {
  try {
    return run();
  } catch (error) {
    if (error instanceof RangeError) return ERRNO.fault;
    throw error;
  }
}

/**
 * Imports that may give a promise to wait for, and what the addon and TypeScript tell each other when one does.
 */
import { types } from 'node:util';
import { LIMIT } from '../generated/abi.js';

/** What a parked call waits for. */
export interface Awaited {
  /** A promise, or something else with a `then`. */
  readonly promise: unknown;
  /** Makes what the promise gives the results that the addon takes. */
  readonly convert: (value: unknown) => unknown;
}

/** Whether what an import returned is to be waited for. Reads `then`, as promises do; what that throws is the import's error. */
function isAwaitable(value: unknown): boolean {
  if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return false;
  return types.isPromise(value) || typeof Reflect.get(value, 'then') === 'function';
}

/** One thread's mailbox. */
export class Suspensions {
  /** Shared with the addon; LIMIT.mailbox… say what stands where. */
  readonly mailbox = new Float64Array(LIMIT.mailboxSize);
  #awaited: Awaited | undefined;

  /** The function that the addon calls for an import that may wait: `fn` takes what the addon gives, `convert` makes its results. */
  wrap(fn: (...raw: unknown[]) => unknown, convert: Awaited['convert']): (...raw: unknown[]) => unknown {
    return (...raw) => {
      const value = fn(...raw);
      if (!isAwaitable(value)) return convert(value);
      this.#awaited = { promise: value, convert };
      this.mailbox[LIMIT.mailboxPark] = 1;
      return undefined;
    };
  }

  /** LIMIT.ending… of the last resumption. */
  get ending(): number {
    return this.mailbox[LIMIT.mailboxEnding] as number;
  }

  get index(): number {
    return this.mailbox[LIMIT.mailboxIndex] as number;
  }

  get generation(): number {
    return this.mailbox[LIMIT.mailboxGeneration] as number;
  }

  /** Address of the tag of a suspension. */
  get tag(): number {
    return this.mailbox[LIMIT.mailboxTag] as number;
  }

  /** What the call that was just parked waits for. */
  take(): Awaited {
    const awaited = this.#awaited;
    this.#awaited = undefined;
    if (awaited === undefined) throw new Error('no call was parked');
    return awaited;
  }
}

/**
 * Imports of numbers as they are called for a call of an export that was left for them (docs/decisions/0042). An export that calls an import returns to here first; the
 * import is called as any function of JavaScript's is, and then the addon goes on where it was. So no frame of the addon's lies between, and what V8 asks of C++ that calls
 * JavaScript is not paid.
 */
import { append, item, queueMicrotask, setItem, takeLast } from '../../base/intrinsics.js';
import { disposed, internal } from '../../errors/catalog.js';
import type { Native } from '../../link/native.js';
import type { Mailbox } from './mailbox.js';

/** One thread's. */
export class OutsideCalls {
  readonly #native: Native;
  readonly #mailbox: Mailbox;
  /** Each takes its arguments from the mailbox and leaves its result there. By number. */
  readonly #calls: (() => void)[] = [];
  /** Numbers to use again. */
  readonly #free: number[] = [];
  #looking = false;

  constructor(native: Native, mailbox: Mailbox) {
    this.#native = native;
    this.#mailbox = mailbox;
    mailbox.serve = this.#server();
  }

  /** A number for a function. */
  add(call: () => void): number {
    const number = takeLast(this.#free);
    if (number === undefined) return append(this.#calls, call) - 1;
    setItem(this.#calls, number, call);
    return number;
  }

  /** Lets go of a function: from now on it throws. */
  dispose(number: number): void {
    setItem(this.#calls, number, () => {
      throw disposed();
    });
  }

  /** Takes numbers back. */
  forget(numbers: readonly number[]): void {
    for (let i = 0; i < numbers.length; i++) {
      const number = item(numbers, i);
      setItem(this.#calls, number, () => {
        throw internal('the import is no more');
      });
      append(this.#free, number);
    }
  }

  /** A function that calls the imports that the innermost call waits for, one after the other, until it ends. One frame: those of stacks are counted. */
  #server(): () => void {
    const mailbox = this.#mailbox;
    const native = this.#native;
    const calls = this.#calls;
    // A termination ends JavaScript without a word, and `vm` may have one taken back outside of what it ended.
    const drop = (depth: number): void => native.abandon(mailbox.waiting - depth, 0);
    return () => {
      const depth = mailbox.waiting;
      if (depth > 1 && !this.#looking) this.#look();
      do {
        try {
          (calls[mailbox.outside - 1] as () => void)();
        } catch (error) {
          if (mailbox.waiting !== depth) drop(depth);
          native.goOnThrown(error);
          continue;
        }
        if (mailbox.waiting !== depth) drop(depth);
        native.goOn();
      } while (mailbox.outside !== 0);
    };
  }

  /** The same for calls whose import was terminated with no other around it: as soon as no JavaScript runs that could be theirs. */
  #look(): void {
    this.#looking = true;
    queueMicrotask(() => {
      this.#looking = false;
      if (this.#mailbox.waiting > 0) this.#native.abandon(this.#mailbox.waiting, 1);
    });
  }
}

/**
 * Continuations in JavaScript's hands: what of them the addon keeps, as long as an object stands for them here.
 */
import { append, registerFinal, takeLast } from '../base/intrinsics.js';
import { continuationRunning, continuationUsed } from '../errors/catalog.js';
import { LIMIT } from '../generated/abi.js';
import { type Engine, theEngine } from '../instance/engine.js';
import { Handle, type RawValue } from '../instance/functions/mailbox.js';
import type { ValueType } from '../validate/description.js';

/** Whose object nothing refers to any more. Its index is 0 where nothing is held. */
const dropped = new FinalizationRegistry<Handle>((handle) => {
  if (handle.index === 0) return;
  const { mailbox, native } = theEngine();
  mailbox.aim(handle);
  native.contDrop();
});

/** Those whose continuation is over: to be registered costs more than to be used again. */
const spare: Held[] = [];
const MOST_SPARE = 1024;

/** How things are with a {@link Held}. Numbers, because V8 looks at a string's map before it compares it. */
type HeldState = number;
/** Fresh or suspended, to be resumed. */
const WAITING = 0;
/** An import that may wait for a promise has been called, or is to be. */
const PARKED = 1;
/** At this moment. */
const RUNNING = 2;
/** Nothing is held any more. */
const OVER = 3;

/**
 * The fibers of one continuation, from its making to its end. When nothing refers to this any more, nobody can go on with them. Then they are given back, without
 * running any of their handlers.
 */
export class Held {
  readonly #engine: Engine;
  readonly #handle = new Handle();
  #state: HeldState = OVER;
  #version = 0;
  /** Address of the function's VMFunction. */
  #function = 0;

  private constructor(engine: Engine) {
    this.#engine = engine;
    registerFinal(dropped, this, this.#handle);
  }

  /** One that holds nothing yet. */
  static make(engine: Engine): Held {
    return takeLast(spare) ?? new Held(engine);
  }

  /** A fresh continuation of a function. */
  static of(engine: Engine, fn: number): Held {
    const held = Held.make(engine);
    engine.native.contNew(fn);
    held.#function = fn;
    held.#hold(WAITING);
    return held;
  }

  /** A second continuation in the state of this one, which is to be resumed and stays so. */
  clone(): Held {
    if (this.#state !== WAITING) throw this.#state === OVER ? continuationUsed() : continuationRunning();
    const clone = Held.make(this.#engine);
    this.#engine.mailbox.aim(this.#handle);
    this.#engine.native.contClone();
    clone.#function = this.#function;
    clone.#hold(WAITING);
    return clone;
  }

  /** The function's name, as a task has it. To be asked only where something is held. */
  get name(): string {
    const { exports } = this.#engine;
    return exports.nameOf(exports.functionAt(this.#function));
  }

  /** Whether an import that may wait for a promise has been called, or is to be. */
  get isParked(): boolean {
    return this.#state === PARKED;
  }

  /** Whether it is to be resumed. */
  get isWaiting(): boolean {
    return this.#state === WAITING;
  }

  /** Whether nothing is held any more. */
  get isOver(): boolean {
    return this.#state === OVER;
  }

  /** Counts what has consumed it: who has an older number has a continuation that is used. */
  get version(): number {
    return this.#version;
  }

  /** Takes a continuation of the addon's that is parked. */
  park(handle: Handle): void {
    this.#handle.copy(handle);
    this.#state = PARKED;
  }

  /**
   * As {@link park}, for an owner who alone knows of this: it writes what is parked next into the handle that it gets, and says nothing when it goes on. A handle that is used by then is
   * known as such (Native.contDrop).
   */
  adopt(handle: Handle): Handle {
    this.park(handle);
    return this.#handle;
  }

  /** Lets go of a parked one: whoever calls this goes on with it. */
  release(): void {
    this.#take(PARKED);
  }

  /** The addon has gone on with it: takes what has become of it from the mailbox. */
  note(): void {
    const { ending } = this.#engine.mailbox;
    if (ending === LIMIT.endingReturned) this.#state = OVER;
    else this.#hold(ending === LIMIT.endingParked ? PARKED : WAITING);
  }

  /** It is over: the function has thrown, or the fibers are given back. */
  close(): void {
    this.#state = OVER;
  }

  /** {@link close}, of one that nobody uses any more. */
  recycle(): void {
    this.#state = OVER;
    this.#handle.index = 0;
    if (spare.length < MOST_SPARE) append(spare, this);
  }

  /** Resumes with values of these types. */
  resume(types: readonly ValueType[], values: readonly RawValue[], takes: number): void {
    this.#consume();
    this.#engine.mailbox.takes(takes);
    this.#engine.mailbox.putAll(types, values);
    this.#run(() => this.#engine.native.contResume());
  }

  /** Throws an exception, given by its address, into it, whether it waits or is parked. */
  throwInto(exception: number, takes: number): void {
    if (this.#state === PARKED) this.#take(PARKED);
    else this.#consume();
    this.#engine.mailbox.takes(takes);
    this.#run(() => this.#engine.native.contThrow(exception));
  }

  /** Binds values of these types. */
  bind(types: readonly ValueType[], values: readonly RawValue[]): void {
    this.#consume();
    this.#engine.mailbox.putAll(types, values);
    this.#run(() => this.#engine.native.contBind());
  }

  #hold(state: HeldState): void {
    this.#engine.mailbox.save(this.#handle);
    this.#state = state;
  }

  #run(action: () => void): void {
    let done = false;
    const { mailbox } = this.#engine;
    mailbox.ending = LIMIT.endingReturned;
    try {
      action();
      done = true;
    } finally {
      if (done) this.note();
      else if (mailbox.ending === LIMIT.endingRefused) this.#unconsume();
      else this.close();
    }
  }

  /** Another version of it is active: nothing has happened to this one. */
  #unconsume(): void {
    this.#version--;
    this.#hold(WAITING);
  }

  #consume(): void {
    this.#take(WAITING);
    this.#version++;
  }

  /** From here on it runs: the next call of the addon is to be about it. */
  #take(state: HeldState): void {
    if (this.#state === RUNNING || (this.#state === PARKED && state !== PARKED)) throw continuationRunning();
    if (this.#state !== state) throw continuationUsed();
    this.#engine.mailbox.aim(this.#handle);
    this.#handle.index = 0;
    this.#state = RUNNING;
  }
}

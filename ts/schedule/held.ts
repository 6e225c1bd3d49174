/**
 * Continuations in JavaScript's hands: what of them the addon keeps, as long as an object stands for them here.
 */
import { continuationRunning, continuationUsed } from '../errors/catalog.js';
import { LIMIT } from '../generated/abi.js';
import { type Engine, theEngine } from '../instance/engine.js';
import type { RawValue } from '../instance/mailbox.js';
import type { ValueType } from '../validate/description.js';

/** A handle of the addon's. */
interface Handle {
  /** 0 while nothing is held: it runs, or it is over. */
  index: number;
  generation: number;
}

const dropped = new FinalizationRegistry<Handle>((handle) => {
  if (handle.index !== 0) theEngine().native.contDrop(handle.index, handle.generation);
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
  readonly #handle: Handle = { index: 0, generation: 0 };
  #state: HeldState = OVER;
  #version = 0;

  private constructor(engine: Engine) {
    this.#engine = engine;
    dropped.register(this, this.#handle);
  }

  /** One that holds nothing yet. */
  static make(engine: Engine): Held {
    return spare.pop() ?? new Held(engine);
  }

  /** A fresh continuation of a function. */
  static of(engine: Engine, fn: number): Held {
    const held = Held.make(engine);
    engine.native.contNew(fn);
    held.#hold(engine.mailbox.index, engine.mailbox.generation, WAITING);
    return held;
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
  park(index: number, generation: number): void {
    this.#hold(index, generation, PARKED);
  }

  /** Lets go of a parked one: whoever calls this goes on with it. */
  release(): void {
    this.#take(PARKED);
  }

  /** The addon has gone on with it: takes what has become of it from the mailbox. */
  note(): void {
    const { ending, index, generation } = this.#engine.mailbox;
    if (ending === LIMIT.endingReturned) this.#state = OVER;
    else this.#hold(index, generation, ending === LIMIT.endingParked ? PARKED : WAITING);
  }

  /** It is over: the function has thrown, or the fibers are given back. */
  close(): void {
    this.#state = OVER;
  }

  /** {@link close}, of one that nobody uses any more. */
  recycle(): void {
    this.#state = OVER;
    if (spare.length < MOST_SPARE) spare.push(this);
  }

  /** Resumes with values of these types. */
  resume(types: readonly ValueType[], values: readonly RawValue[], takes: number): void {
    this.#aim(this.#consume(), takes);
    this.#engine.mailbox.putAll(types, values);
    this.#run(() => this.#engine.native.contResume());
  }

  /** Throws an exception, given by its address, into it, whether it waits or is parked. */
  throwInto(exception: number, takes: number): void {
    this.#aim(this.#state === PARKED ? this.#take(PARKED) : this.#consume(), takes);
    this.#run(() => this.#engine.native.contThrow(exception));
  }

  /** Binds values of these types. */
  bind(types: readonly ValueType[], values: readonly RawValue[]): void {
    this.#aim(this.#consume(), 0);
    this.#engine.mailbox.putAll(types, values);
    this.#run(() => this.#engine.native.contBind());
  }

  #hold(index: number, generation: number, state: HeldState): void {
    this.#handle.index = index;
    this.#handle.generation = generation;
    this.#state = state;
  }

  #run(action: () => void): void {
    let done = false;
    try {
      action();
      done = true;
    } finally {
      if (done) this.note();
      else this.close();
    }
  }

  #aim({ index, generation }: Handle, takes: number): void {
    this.#engine.mailbox.aim(index, generation);
    this.#engine.mailbox.takes(takes);
  }

  #consume(): Handle {
    const handle = this.#take(WAITING);
    this.#version++;
    return handle;
  }

  /** From here on it runs. */
  #take(state: HeldState): Handle {
    if (this.#state === RUNNING || (this.#state === PARKED && state !== PARKED)) throw continuationRunning();
    if (this.#state !== state) throw continuationUsed();
    const { index, generation } = this.#handle;
    this.#handle.index = 0;
    this.#state = RUNNING;
    return { index, generation };
  }
}

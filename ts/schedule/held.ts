/**
 * Continuations in JavaScript's hands: what of them the addon keeps, as long as an object stands for them here.
 */
import { continuationRunning, continuationUsed } from '../errors/catalog.js';
import { LIMIT } from '../generated/abi.js';
import { type Engine, theEngine } from '../instance/engine.js';
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

/**
 * - waiting: fresh or suspended, to be resumed
 * - parked: in an import that waits for a promise
 * - running: at this moment
 * - over: nothing is held any more
 */
export type HeldState = 'waiting' | 'parked' | 'running' | 'over';

/**
 * The fibers of one continuation, from its making to its end. When nothing refers to this any more, nobody can go on with them. Then they are given back, without
 * running any of their handlers.
 */
export class Held {
  readonly #engine: Engine;
  readonly #handle: Handle = { index: 0, generation: 0 };
  #state: HeldState = 'waiting';
  #version = 0;

  /** Takes the continuation that the addon has just handed out. */
  constructor(engine: Engine) {
    this.#engine = engine;
    this.#note();
    dropped.register(this, this.#handle);
  }

  /** A fresh continuation of a function. */
  static of(engine: Engine, fn: number): Held {
    engine.native.contNew(fn);
    return new Held(engine);
  }

  get state(): HeldState {
    return this.#state;
  }

  /** Counts what has consumed it: who has an older number has a continuation that is used. */
  get version(): number {
    return this.#version;
  }

  /** Goes on with a parked one: with a value, or throwing it. Returns what the addon returns. */
  settle(failed: boolean, value: unknown, takes: number): unknown {
    const { index, generation } = this.#take('parked');
    return this.#run(() => this.#engine.native.settle(index, generation, failed, value, takes));
  }

  /** Resumes. `values` are what the addon takes for these types. */
  resume(types: readonly ValueType[], values: readonly unknown[], takes: number): unknown {
    const { index, generation } = this.#consume();
    return this.#run(() => this.#engine.native.contResume(index, generation, this.#engine.kindsOf(types), values, takes));
  }

  /** Throws an exception, given by its address, into it, whether it waits or is parked. */
  throwInto(exception: number, takes: number): unknown {
    const { index, generation } = this.#state === 'parked' ? this.#take('parked') : this.#consume();
    return this.#run(() => this.#engine.native.contThrow(index, generation, exception, takes));
  }

  /** Binds arguments. */
  bind(types: readonly ValueType[], values: readonly unknown[]): void {
    const { index, generation } = this.#consume();
    this.#run(() => this.#engine.native.contBind(index, generation, this.#engine.kindsOf(types), values));
  }

  /** Gives the fibers back as they are. Does nothing where they are back. */
  drop(): void {
    if (this.#state === 'running') throw continuationRunning();
    const { index, generation } = this.#handle;
    this.#handle.index = 0;
    this.#state = 'over';
    this.#version++;
    if (index !== 0) this.#engine.native.contDrop(index, generation);
  }

  #run(action: () => unknown): unknown {
    let ended = true;
    try {
      const result = action();
      ended = this.#engine.suspensions.ending === LIMIT.endingReturned;
      return result;
    } finally {
      if (ended) this.#state = 'over';
      else this.#note();
    }
  }

  #consume(): Handle {
    const handle = this.#take('waiting');
    this.#version++;
    return handle;
  }

  /** From here on it runs. */
  #take(state: HeldState): Handle {
    if (this.#state === 'running' || (this.#state === 'parked' && state !== 'parked')) throw continuationRunning();
    if (this.#state !== state) throw continuationUsed();
    const { index, generation } = this.#handle;
    this.#handle.index = 0;
    this.#state = 'running';
    return { index, generation };
  }

  #note(): void {
    const { suspensions } = this.#engine;
    this.#handle.index = suspensions.index;
    this.#handle.generation = suspensions.generation;
    this.#state = suspensions.ending === LIMIT.endingParked ? 'parked' : 'waiting';
  }
}

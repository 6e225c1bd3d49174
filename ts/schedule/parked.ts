/**
 * What is set aside while a call waits for a promise.
 */
import { type Engine, theEngine } from '../instance/engine.js';

/** A handle of the addon's. */
interface Handle {
  /** 0 while nothing is held. */
  index: number;
  generation: number;
}

const dropped = new FinalizationRegistry<Handle>((handle) => {
  if (handle.index !== 0) theEngine().native.contDrop(handle.index, handle.generation);
});

/**
 * A parked call's fibers. When nothing refers to this any more, nobody can go on with them: the promise that they wait for is gone. Then they are given
 * back, without running any of their handlers.
 */
export class Parked {
  readonly #engine: Engine;
  readonly #handle: Handle = { index: 0, generation: 0 };

  /** Takes the call that the engine has just parked. */
  constructor(engine: Engine) {
    this.#engine = engine;
    this.note();
    dropped.register(this, this.#handle);
  }

  /** Whether it waits. */
  get waits(): boolean {
    return this.#handle.index !== 0;
  }

  /** Takes the handle of the call that the engine has just parked, which is this one again. */
  note(): void {
    const { suspensions } = this.#engine;
    this.#handle.index = suspensions.index;
    this.#handle.generation = suspensions.generation;
  }

  /** Goes on with it: with a value, or throwing it. Returns what the addon returns. */
  settle(failed: boolean, value: unknown, takes: number): unknown {
    const { index, generation } = this.#handle;
    this.#handle.index = 0;
    return this.#engine.native.settle(index, generation, failed, value, takes);
  }

  /** Gives the fibers back as they are. */
  drop(): void {
    const { index, generation } = this.#handle;
    this.#handle.index = 0;
    if (index !== 0) this.#engine.native.contDrop(index, generation);
  }
}

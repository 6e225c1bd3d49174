// What is held because JavaScript made it, and whether it is given back once V8 has collected that. Needs --expose-gc.
import { setImmediate as turn } from 'node:timers/promises';
import { statistics } from '../../../dist/heddle.mjs';

/** Runs `make`, which keeps nothing, and collects until nothing more is held than before: what there was more than before it, right after it and in the end. */
export async function held(make) {
  const before = statistics();
  const more = () => {
    const now = statistics();
    return {
      held: now.continuationsHeld - before.continuationsHeld,
      live: now.continuationsLive - before.continuationsLive,
      stacks: now.stacksLive - before.stacksLive,
    };
  };
  make();
  const made = more();
  for (let i = 0; i < 50 && more().held > 0; i++) {
    globalThis.gc();
    await turn();
  }
  return { made, after: more() };
}

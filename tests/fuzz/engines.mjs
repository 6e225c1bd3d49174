// The two engines, where their JS APIs differ.
import { createMemory, WebAssembly as Heddle } from '../../dist/ts/index.js';

const pages = ({ initial, maximum, shared }, convert) => ({
  initial: convert(initial),
  ...(maximum !== undefined && { maximum: convert(maximum) }),
  ...(shared && { shared }),
});

/** V8. Before the JS API had 64-bit memories it knew them by another name, with limits that are numbers. */
export const V8 = {
  ...pick(WebAssembly),
  makeMemory(limits, wide) {
    if (!wide) return new WebAssembly.Memory(pages(limits, Number));
    try {
      return new WebAssembly.Memory({ ...pages(limits, BigInt), address: 'i64' });
    } catch {
      return new WebAssembly.Memory({ ...pages(limits, Number), index: 'i64' });
    }
  },
};

/** Heddle. */
export const HEDDLE = {
  ...pick(Heddle),
  makeMemory: (limits, wide) => createMemory(wide ? { ...pages(limits, BigInt), address: 'i64' } : pages(limits, Number)),
};

function pick({ Module, Instance, Table, Global, Tag }) {
  return { Module, Instance, Table, Global, Tag };
}

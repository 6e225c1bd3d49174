// The two engines, where their JS APIs differ.
import { configure, createMemory, WebAssembly as Heddle } from '../../dist/heddle.mjs';

/** Bytes of the heap: random lengths of arrays are large, and to fill gigabytes takes seconds. */
const ROOM = 256 << 20;
configure({ heap: { memory: ROOM } });

const limitsOf = ({ initial, maximum, shared }, convert) => ({
  initial: convert(initial),
  ...(maximum !== undefined && { maximum: convert(maximum) }),
  ...(shared && { shared }),
});

const makeTable = (Table) => (limits, element, wide) =>
  new Table(wide ? { ...limitsOf(limits, BigInt), element, address: 'i64' } : { ...limitsOf(limits, Number), element });

/** V8. Before the JS API had 64-bit memories it knew them by another name, with limits that are numbers. */
export const V8 = {
  ...pick(WebAssembly),
  makeTable: makeTable(WebAssembly.Table),
  makeMemory(limits, wide) {
    if (!wide) return new WebAssembly.Memory(limitsOf(limits, Number));
    try {
      return new WebAssembly.Memory({ ...limitsOf(limits, BigInt), address: 'i64' });
    } catch {
      return new WebAssembly.Memory({ ...limitsOf(limits, Number), index: 'i64' });
    }
  },
};

/** Heddle. */
export const HEDDLE = {
  ...pick(Heddle),
  makeTable: makeTable(Heddle.Table),
  makeMemory: (limits, wide) => createMemory(wide ? { ...limitsOf(limits, BigInt), address: 'i64' } : limitsOf(limits, Number)),
};

function pick({ Module, Instance, Table, Global, Tag }) {
  return { Module, Instance, Table, Global, Tag };
}

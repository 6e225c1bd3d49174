// Suspends continuations until there is no stack for another, by the limit that the argument names; prints the trap, and what comes of all that are suspended.
import { readFileSync } from 'node:fs';
import { configure, parseWat, statistics, WebAssembly } from '../../../dist/heddle.mjs';

const LIMITS = {
  maximum: { maximum: 1000 },
  // Without a limit of their own most would hibernate.
  memory: { memory: 8 << 20, budget: Number.POSITIVE_INFINITY },
  // Two memory maps each: vm.max_map_count is 65,530 unless somebody raised it.
  maps: { strategy: 'mmap', guard: 'kernel', size: 16_384 },
};
const kind = process.argv[2];
// The mmap strategy's guard is a mapping of its own, whatever the kernel has.
configure({ stack: kind === 'maps' ? { ...LIMITS.maps, guard: 'auto' } : LIMITS[kind] });
const text = readFileSync(new URL('../../../examples/million.wat', import.meta.url), 'utf8');
const { suspend, finish } = new WebAssembly.Instance(new WebAssembly.Module(parseWat(text))).exports;
try {
  suspend(2_000_000);
} catch ({ code, message }) {
  const { continuationsLive: live } = statistics();
  process.stdout.write(JSON.stringify({ code, message, live, sum: String(finish(live)) }));
}

// Suspends as many continuations at once as the argument says, and finishes them; prints memory and counters in between. As many others are suspended before, so that
// what a process needs once, and the first stacks, which are larger, do not count.
import { readFileSync } from 'node:fs';
import { parseWat, statistics, WebAssembly } from '../../../dist/heddle.mjs';

const count = Number(process.argv[2]);
const text = readFileSync(new URL('../../../examples/million.wat', import.meta.url), 'utf8');
const module = new WebAssembly.Module(parseWat(text));
const others = new WebAssembly.Instance(module).exports;
const { suspend, finish } = new WebAssembly.Instance(module).exports;

function memory() {
  const status = readFileSync('/proc/self/status', 'utf8');
  const bytes = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)[1]) * 1024;
  return { resident: bytes('VmRSS'), tables: bytes('VmPTE'), maps: readFileSync('/proc/self/maps', 'utf8').split('\n').length };
}

others.suspend(count);
const before = memory();
suspend(count);
const during = memory();
const { continuationsLive: live } = statistics();
const sum = String(finish(count));
others.finish(count);
const difference = Object.fromEntries(Object.entries(during).map(([name, value]) => [name, value - before[name]]));
process.stdout.write(JSON.stringify({ ...difference, live, left: statistics().continuationsLive, sum }));

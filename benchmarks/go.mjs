// Goroutines as TinyGo makes them (examples/go/goroutines.wat): Heddle with the program as it is, beside V8 with what Binaryen's pass Asyncify makes of it:
// `node benchmarks/go.mjs [--trials 5] [--repeats 10]`. Sizes as well.
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asyncifier } from './asyncify.mjs';
import { best, header, heddle, interleaved, option, report, root, runTrial, table, trial } from './harness.mjs';

const trials = option('trials', 5);
const repeats = option('repeats', 10);

const primes = (n) => {
  const found = [];
  for (let i = 2; found.length < n; i++) if (found.every((prime) => i % prime !== 0)) found.push(i);
  return found;
};
const PROGRAMS = {
  '10,000 that take turns: a turn': { name: 'turns', args: [10_000, 20, 0], value: 200_000, steps: 200_000 },
  '100 that take turns': { name: 'turns', args: [100, 2000, 0], value: 200_000, steps: 200_000 },
  'the same, 10 calls deep': { name: 'turns', args: [100, 2000, 10], value: 200_000, steps: 200_000 },
  'the same, 30 calls deep': { name: 'turns', args: [100, 2000, 30], value: 200_000, steps: 200_000 },
  'a sieve: a prime of 300': { name: 'prime', args: [300], value: primes(300)[299], steps: 300 },
  'a tree: a node of 11,111': { name: 'skynet', args: [4], value: 49_995_000n, steps: 11_111 },
};

/** Nanoseconds of processor time a step, the best. */
async function measure(engine, file) {
  const { exports } = (await engine.instantiate(readFileSync(file), {})).instance;
  const found = {};
  for (const [key, { name, args, value, steps }] of Object.entries(PROGRAMS)) {
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < repeats; i++) {
      const start = process.cpuUsage();
      const got = exports[name](...args);
      const { user, system } = process.cpuUsage(start);
      least = Math.min(least, ((user + system) * 1000) / steps);
      if (got !== value) throw new Error(`${key}: ${got}, not ${value}`);
    }
    found[key] = least;
  }
  report(found);
}

const kinds = {
  heddle: async () => measure((await heddle()).WebAssembly, process.env.HEDDLE_GO),
  asyncify: () => measure(globalThis.WebAssembly, process.env.HEDDLE_GO),
};

async function main() {
  header('goroutines: ns of processor time a step, best of all');
  const folder = mkdtempSync(join(tmpdir(), 'heddle-go-'));
  const { parseWat } = await heddle();
  const plain = join(folder, 'goroutines.wasm');
  const bytes = parseWat(readFileSync(join(root, 'examples/go/goroutines.wat'), 'utf8'));
  writeFileSync(plain, bytes);
  const rewritten = asyncifier()?.(plain, bytes);
  const of = (file) => ({ env: { HEDDLE_GO: file }, args: ['--repeats', String(repeats)] });
  const engines = [['Heddle', () => runTrial(import.meta.url, 'heddle', of(plain))]];
  if (rewritten !== undefined) engines.push(['Asyncify in V8', () => runTrial(import.meta.url, 'asyncify', of(rewritten))]);
  const results = interleaved(engines, trials);
  const rows = Object.keys(PROGRAMS).map((key) => [
    key,
    ...engines.map((_, k) => best(results[k].flatMap((one) => one[key] ?? [])) ?? '-'),
  ]);
  rows.push(['bytes', ...[plain, rewritten].filter((file) => file !== undefined).map((file) => `${statSync(file).size}`)]);
  table(['', ...engines.map(([name]) => name)], rows);
  for (const [k, [name]] of engines.entries()) {
    const error = results[k].find((one) => one.error !== undefined)?.error;
    if (error !== undefined) console.log(`${name}: ${error}`);
  }
  rmSync(folder, { recursive: true });
}

await (trial === undefined ? main() : kinds[trial]());

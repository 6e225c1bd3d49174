// A million continuations suspended at once (examples/million.wat): memory of each (resident and page tables), memory maps, and times:
// `node benchmarks/million.mjs [--trials 3] [--count 1000000] [--strategy pool]`.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { header, heddle, interleaved, median, option, report, root, runTrial, table, trial } from './harness.mjs';

const trials = option('trials', 3);
const count = option('count', 1_000_000);

/** What /proc says of this process, in bytes, and its memory maps. */
function memory() {
  const status = readFileSync('/proc/self/status', 'utf8');
  const kilobytes = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)[1]) * 1024;
  return { resident: kilobytes('VmRSS'), tables: kilobytes('VmPTE'), maps: readFileSync('/proc/self/maps', 'utf8').split('\n').length - 1 };
}

async function measure() {
  const { WebAssembly, hibernate, parseWat, statistics } = await heddle();
  const text = readFileSync(join(root, 'examples/million.wat'), 'utf8');
  const { suspend, finish } = new WebAssembly.Instance(new WebAssembly.Module(parseWat(text))).exports;
  suspend(1);
  finish(1);
  const before = memory();
  const start = performance.now();
  suspend(count);
  const filled = performance.now();
  const during = memory();
  const live = statistics().continuationsLive;
  const pausing = performance.now();
  const asleep = process.env.HEDDLE_ASLEEP === '1' ? hibernate() : 0;
  const paused = performance.now();
  const after = memory();
  const finishing = performance.now();
  const sum = finish(count);
  const finished = performance.now();
  const right = sum === (BigInt(count) * BigInt(count - 1)) / 2n + BigInt(count);
  report({
    live,
    right,
    asleep: (after.resident + after.tables - before.resident - before.tables) / count,
    hibernate: asleep === 0 ? 0 : ((paused - pausing) * 1e6) / asleep,
    resident: (during.resident - before.resident) / count,
    tables: (during.tables - before.tables) / count,
    maps: during.maps - before.maps,
    fill: ((filled - start) * 1e6) / count,
    finish: ((finished - finishing) * 1e6) / count,
    left: statistics().continuationsLive,
  });
}

function main() {
  header(`${count} continuations suspended at once, then finished`);
  const run = (asleep) => runTrial(import.meta.url, 'measure', { args: ['--count', String(count)], env: { HEDDLE_ASLEEP: asleep } });
  const runs = [
    ['awake', () => run('0')],
    ['hibernated', () => run('1')],
  ];
  const [results, sleepers] = interleaved(runs, trials);
  const error = [...results, ...sleepers].find((result) => result.error !== undefined || !result.right);
  if (error !== undefined) throw new Error(error.error ?? 'the sum is wrong');
  const rows = [
    ['resident bytes each', 'resident'],
    ['page table bytes each', 'tables'],
    ['memory maps more', 'maps'],
    ['ns to make and suspend one', 'fill'],
    ['ns to finish one', 'finish'],
  ];
  table(
    ['', 'median'],
    [
      ...rows.map(([name, key]) => [name, median(results.map((result) => result[key]))]),
      ['bytes each, all in all, hibernated', median(sleepers.map((result) => result.asleep))],
      ['ns to put one aside', median(sleepers.map((result) => result.hibernate))],
      ['ns to wake and finish one', median(sleepers.map((result) => result.finish))],
    ],
  );
}

await (trial === undefined ? main() : measure());

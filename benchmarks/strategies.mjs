// Stack strategies side by side: time and memory against the number of fibers, 10 to 1,000,000, as a table and, with --svg FILE, as a plot. Each number of fibers is a
// process of its own that makes them, suspends them all, resumes each once more in turn (a pair), and finishes them:
// `node benchmarks/strategies.mjs [--trials 1] [--most 1000000] [--svg docs/strategies.svg]`.
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { header, heddle, median, option, report, runTrial, table, trial } from './harness.mjs';
import { plot } from './plot.mjs';

const TEXT = (name) => `(module
  (type $f (func (param i32) (result i32))) (type $c (cont $f)) (tag $pause (result i32))
  (import "heddle" "${name}" (func $new (param (ref null $f)) (result (ref $c))))
  (table $all 0 (ref null $c))
  (func $task (type $f) (i32.add (i32.add (local.get 0) (suspend $pause)) (suspend $pause)))
  (elem declare func $task)
  (func $step (param $i i32) (param $cont (ref null $c))
    (block $on (result (ref $c))
      (drop (resume $c (on $pause $on) (i32.const 1) (local.get $cont))) (unreachable))
    (local.set $cont)
    (table.set $all (local.get $i) (local.get $cont)))
  (func (export "make") (param $n i32)
    (drop (table.grow $all (ref.null $c) (local.get $n)))
    (loop $next
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (call $step (local.get $n) (call $new (ref.func $task)))
      (br_if $next (local.get $n))))
  (func (export "pair") (param $n i32)
    (loop $next
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (call $step (local.get $n) (table.get $all (local.get $n)))
      (br_if $next (local.get $n))))
  (func (export "finish") (param $n i32) (result i32) (local $sum i32)
    (loop $next
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (local.set $sum (i32.add (local.get $sum) (resume $c (i32.const 1) (table.get $all (local.get $n)))))
      (table.set $all (local.get $n) (ref.null $c))
      (br_if $next (local.get $n)))
    (local.get $sum)))`;

/** Imports of `cont.new` by what the table calls them; `hibernated` says that all hibernate before they are resumed and measured. */
const STRATEGIES = {
  pool: { name: 'cont.new size=65536' },
  'pool, hibernated': { name: 'cont.new size=65536', hibernated: true },
  mmap: { name: 'cont.new strategy=mmap size=65536' },
  'mmap, no guard': { name: 'cont.new strategy=mmap size=65536 guard=software' },
  malloc: { name: 'cont.new strategy=malloc size=65536' },
};
const most = option('most', 1_000_000);
const COUNTS = [10, 100, 1000, 10_000, 100_000, 1_000_000].filter((count) => count <= most);

/** Options of Node that keep V8's own memory as it is meanwhile. */
const QUIET = ['--single-threaded', '--liftoff-only', '--no-opt', '--expose-gc'];
/** Below so many fibers what V8 happens to take is more than what they take. */
const LEAST_MEASURED = 1000;

/** Bytes of this process: resident and page tables. */
function memory() {
  globalThis.gc();
  const status = readFileSync('/proc/self/status', 'utf8');
  const bytes = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)[1]) * 1024;
  return bytes('VmRSS') + bytes('VmPTE');
}

async function measure(strategy, count) {
  const { WebAssembly, configure, hibernate, parseWat } = await heddle();
  configure({ stack: { budget: Number.POSITIVE_INFINITY } });
  const { name, hibernated } = STRATEGIES[strategy];
  const { make, pair, finish } = new WebAssembly.Instance(new WebAssembly.Module(parseWat(TEXT(name))), {}).exports;
  // What runs for the first time is not what is measured.
  make(2);
  pair(2);
  finish(2);
  const before = memory();
  const results = {};
  const time = (what, run) => {
    const start = performance.now();
    const result = run();
    results[what] = ((performance.now() - start) * 1e6) / count;
    return result;
  };
  try {
    time('make', () => make(count));
  } catch (error) {
    return report({ error: error.message });
  }
  if (hibernated) time('hibernate', hibernate);
  if (count >= LEAST_MEASURED) results.bytes = (memory() - before) / count;
  time('pair', () => pair(count));
  if (time('finish', () => finish(count)) !== 3 * count) throw new Error('the sum is wrong');
  report(results);
}

function main() {
  header('Stack strategies by the number of fibers: ns and bytes a fiber, medians');
  const trials = option('trials', 1);
  const found = new Map(Object.keys(STRATEGIES).map((name) => [name, new Map()]));
  for (const count of COUNTS) {
    const rows = [];
    for (const [name, series] of found) {
      const all = Array.from({ length: trials }, () =>
        runTrial(import.meta.url, 'measure', { node: [process.execPath, ...QUIET], args: [name, String(count)] }),
      );
      const good = all.filter((one) => one.error === undefined);
      if (good.length === 0) {
        rows.push([name, '', '', '', '', all[0].error]);
        continue;
      }
      const of = (what) => (good[0][what] === undefined ? undefined : median(good.map((one) => one[what])));
      const one = { make: of('make'), hibernate: of('hibernate'), pair: of('pair'), finish: of('finish'), bytes: of('bytes') };
      series.set(count, one);
      rows.push([
        name,
        one.make,
        one.pair,
        one.finish,
        one.bytes ?? '',
        one.hibernate === undefined ? '' : `hibernate ${one.hibernate.toFixed(0)} ns`,
      ]);
    }
    table([`${count} fibers`, 'make', 'pair', 'finish', 'bytes', ''], rows);
    console.log();
  }
  const at = process.argv.indexOf('--svg');
  if (at >= 0) writeFileSync(process.argv[at + 1], picture(found));
}

function picture(found) {
  const cpu = /^model name\s*: (.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? process.arch;
  const points = (value) =>
    [...found].map(([name, series]) => ({
      name,
      points: [...series].flatMap(([count, one]) => (value(one) === undefined ? [] : [[count, value(one)]])),
    }));
  return plot({
    title: 'Stack strategies by the number of fibers',
    note: `${cpu}, ${availableParallelism()} cores, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}; benchmarks/strategies.mjs`,
    x: 'fibers',
    panels: [
      { y: 'make and finish, ns a fiber', series: points(({ make, finish }) => make + finish) },
      { y: 'suspend and resume in turn, ns', series: points(({ pair }) => pair) },
      { y: 'memory, bytes a fiber', series: points(({ bytes }) => bytes) },
    ],
  });
}

await (trial === undefined ? main() : measure(process.argv[4], Number(process.argv[5])));

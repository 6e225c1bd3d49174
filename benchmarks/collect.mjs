// The collector: its pause with 10 to 1,000,000 live continuations, each suspended in a table, and what making and dropping one costs with the collections that it
// brings: `node benchmarks/collect.mjs [--trials 5] [--most 1000000] [--drops 5000000]`.
import { best, header, heddle, interleaved, median, option, report, runTrial, table, trial } from './harness.mjs';

const TEXT = `(module (type $f (func)) (type $k (cont $f)) (tag $t)
  (table $all 0 (ref null $k))
  (func $waits (suspend $t)) (elem declare func $waits)
  (func $make (result (ref $k)) (block $h (result (ref $k)) (resume $k (on $t $h) (cont.new $k (ref.func $waits))) (unreachable)))
  (func (export "fill") (param $n i32)
    (drop (table.grow $all (ref.null $k) (local.get $n)))
    (loop $l
      (table.set $all (i32.sub (local.get $n) (i32.const 1)) (call $make))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "drop") (param $n i32)
    (loop $l (drop (call $make)) (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))`;
const COLLECTIONS = 7;

const trials = option('trials', 5);
const most = option('most', 1_000_000);
const drops = option('drops', 5_000_000);
const counts = [10, 1000, 10_000, 100_000, 1_000_000].filter((count) => count <= most);

async function exports() {
  const { WebAssembly, parseWat } = await heddle();
  return new WebAssembly.Instance(new WebAssembly.Module(parseWat(TEXT))).exports;
}

const kinds = {
  async pause() {
    const { collect, statistics } = await heddle();
    const count = Number(process.env.HEDDLE_COUNT);
    const { fill } = await exports();
    fill(count);
    const pauses = Array.from({ length: COLLECTIONS }, () => {
      collect();
      return statistics().lastPauseNanoseconds / 1e6;
    });
    report({ ms: median(pauses), live: statistics().continuationsLive });
  },
  async drop() {
    const { statistics } = await heddle();
    const { drop } = await exports();
    drop(100_000);
    const start = performance.now();
    drop(drops);
    const ns = ((performance.now() - start) * 1e6) / drops;
    report({ ns, collections: statistics().collections, resident: process.memoryUsage.rss() });
  },
};

async function main() {
  header('pause of a collection');
  const runs = counts.map((count) => [count, () => runTrial(import.meta.url, 'pause', { env: { HEDDLE_COUNT: String(count) } })]);
  const results = interleaved(runs, trials);
  table(
    ['live', 'best ms', 'median ms', 'ns each'],
    runs.map(([count], k) => {
      const ms = results[k].map((r) => r.ms);
      return [String(count), best(ms), median(ms), ((best(ms) * 1e6) / count).toFixed(0)];
    }),
  );
  header(`${drops} continuations made, suspended and dropped`);
  const dropped = interleaved([['drop', () => runTrial(import.meta.url, 'drop', { args: ['--drops', String(drops)] })]], trials)[0];
  const ns = dropped.map((r) => r.ns);
  table(
    ['best ns', 'median ns', 'collections', 'resident MiB'],
    [[best(ns), median(ns), dropped[0].collections, dropped[0].resident >> 20]],
  );
}

await (trial === undefined ? main() : kinds[trial]());

// Suspended continuations that are resumed in turn, so that each resume meets another stack: nanoseconds a suspend+resume pair by how many there are:
// `node benchmarks/turns.mjs [--trials 5] [--addon FILE]…`. With --addon, addons that were built with different flags are compared, such as
// HEDDLE_STACK_COLOURS (docs/decisions/0014).
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { best, header, heddle, interleaved, median, option, report, runTrial, table, trial } from './harness.mjs';

const TEXT = `(module
  (type $f (func)) (type $c (cont $f)) (tag $t)
  (table $all 0 (ref null $c))
  (func $task (loop $again (suspend $t) (br $again)))
  (elem declare func $task)
  (func (export "fill") (param $n i32)
    (drop (table.grow $all (ref.null $c) (local.get $n)))
    (loop $next
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (table.set $all (local.get $n) (cont.new $c (ref.func $task)))
      (br_if $next (local.get $n))))
  (func (export "run") (param $n i32)
    (local $i i32) (local $rest (ref null $c))
    (loop $next
      (block $suspended (result (ref $c))
        (resume $c (on $t $suspended) (table.get $all (local.get $i)))
        (unreachable))
      (local.set $rest)
      (table.set $all (local.get $i) (local.get $rest))
      (if (i32.eq (local.tee $i (i32.add (local.get $i) (i32.const 1))) (table.size $all)) (then (local.set $i (i32.const 0))))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))`;

const COUNTS = [1, 16, 100, 1000, 10_000, 100_000];
const trials = option('trials', 5);
const pairs = 5_000_000;

async function measure() {
  const { WebAssembly } = await heddle();
  const bytes = readFileSync(process.env.HEDDLE_TURNS);
  const results = {};
  for (const count of COUNTS) {
    const { fill, run } = (await WebAssembly.instantiate(bytes)).instance.exports;
    fill(count);
    run(2 * count);
    const start = performance.now();
    run(pairs);
    results[count] = ((performance.now() - start) * 1e6) / pairs;
  }
  report(results);
}

async function main() {
  header(`${pairs} suspend+resume pairs in turn, ns a pair, best / median`);
  const folder = mkdtempSync(join(tmpdir(), 'heddle-turns-'));
  const file = join(folder, 'turns.wasm');
  const { parseWat } = await heddle();
  writeFileSync(file, parseWat(TEXT));
  const addons = process.argv.flatMap((arg, i) => (arg === '--addon' ? [process.argv[i + 1]] : []));
  const runs = (addons.length === 0 ? [undefined] : addons).map((addon) => {
    const env = { HEDDLE_TURNS: file, ...(addon === undefined ? {} : { HEDDLE_ADDON: addon }) };
    return [addon === undefined ? 'heddle' : basename(addon), () => runTrial(import.meta.url, 'heddle', { env })];
  });
  const results = interleaved(runs, trials);
  const cell = (all, count) => {
    const ns = all.map((one) => one[count]);
    return `${best(ns).toFixed(1)} / ${median(ns).toFixed(1)}`;
  };
  table(['continuations', ...COUNTS.map(String)], [...runs.map(([name], k) => [name, ...COUNTS.map((count) => cell(results[k], count))])]);
  rmSync(folder, { recursive: true });
}

await (trial === undefined ? main() : measure());

// A continuation's whole life among many others that are suspended, each on a stack of its own: one that waits is resumed and finishes, and a new
// one is made, resumed and suspends in its place. Which one is next changes with every life: the one that waits for longest (in turn), or any
// (at random). `node benchmarks/churn.mjs [--trials 3] [--lives 2000000] [--count N]`; --count measures one number instead of 10,000 and 1,000,000.
// Beside it V8's own stack switching where a Node 26 is found.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { best, header, heddle, interleaved, median, option, peerNode, report, runTrial, table, trial } from './harness.mjs';

const TEXT = `(module
  (type $task (func (param i32) (result i32)))
  (type $c (cont $task))
  (tag $pause (result i32))
  (table $all 0 (ref null $c))
  (global $place (mut i32) (i32.const 0))
  (global $random (mut i32) (i32.const 1))

  (func $task (type $task) (i32.add (local.get 0) (suspend $pause)))
  (elem declare func $task)
  (func $start (param $number i32) (result (ref $c))
    (block $suspended (result (ref $c))
      (drop (resume $c (on $pause $suspended) (local.get $number) (cont.new $c (ref.func $task))))
      (unreachable)))
  (func $live (param $i i32) (result i32)
    (resume $c (i32.const 1) (table.get $all (local.get $i)))
    (table.set $all (local.get $i) (call $start (local.get $i))))

  (func (export "fill") (param $count i32)
    (local $i i32)
    (drop (table.grow $all (ref.null $c) (local.get $count)))
    (loop $next
      (table.set $all (local.get $i) (call $start (local.get $i)))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $count)))))

  (func (export "in turn") (param $lives i32) (result i64)
    (local $sum i64)
    (loop $next
      (local.set $sum (i64.add (local.get $sum) (i64.extend_i32_u (call $live (global.get $place)))))
      (global.set $place (i32.add (global.get $place) (i32.const 1)))
      (if (i32.eq (global.get $place) (table.size $all)) (then (global.set $place (i32.const 0))))
      (br_if $next (local.tee $lives (i32.sub (local.get $lives) (i32.const 1)))))
    (local.get $sum))

  (func (export "at random") (param $lives i32) (result i64)
    (local $sum i64)
    (loop $next
      (global.set $random (i32.xor (global.get $random) (i32.shl (global.get $random) (i32.const 13))))
      (global.set $random (i32.xor (global.get $random) (i32.shr_u (global.get $random) (i32.const 17))))
      (global.set $random (i32.xor (global.get $random) (i32.shl (global.get $random) (i32.const 5))))
      (local.set $sum (i64.add (local.get $sum)
        (i64.extend_i32_u (call $live (i32.rem_u (global.get $random) (table.size $all))))))
      (br_if $next (local.tee $lives (i32.sub (local.get $lives) (i32.const 1)))))
    (local.get $sum))

  (func (export "finish") (result i64)
    (local $i i32) (local $sum i64)
    (loop $next
      (local.set $sum (i64.add (local.get $sum)
        (i64.extend_i32_u (resume $c (i32.const 1) (table.get $all (local.get $i))))))
      (table.set $all (local.get $i) (ref.null $c))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (table.size $all))))
    (local.get $sum)))`;

const ORDERS = ['in turn', 'at random'];
const trials = option('trials', 3);
const lives = option('lives', 2_000_000);
const count = option('count', 10_000);

function measure({ exports }) {
  const nanoseconds = {};
  const time = (name, times, run) => {
    const start = performance.now();
    const result = run();
    nanoseconds[name] = ((performance.now() - start) * 1e6) / times;
    return result;
  };
  const right = (BigInt(count) * BigInt(count + 1)) / 2n;
  time('fill', count, () => exports.fill(count));
  // The steady state begins when every stack has been used twice.
  if (exports['in turn'](count) !== right) throw new Error('the sum of a round is wrong');
  for (const order of ORDERS) {
    exports[order](count);
    time(order, lives, () => exports[order](lives));
  }
  if (time('finish', count, () => exports.finish()) !== right) throw new Error('the sum of all is wrong');
  report(nanoseconds);
}

const module = () => readFileSync(process.env.HEDDLE_CHURN);
const kinds = {
  async heddle() {
    const { WebAssembly } = await heddle();
    measure((await WebAssembly.instantiate(module())).instance);
  },
  async v8() {
    measure((await WebAssembly.instantiate(module())).instance);
  },
};

function compare(file, number) {
  const env = { HEDDLE_CHURN: file };
  const args = ['--lives', String(lives), '--count', String(number)];
  const peer = peerNode();
  const flags = ['--experimental-wasm-wasmfx', '--no-turboshaft-wasm-load-elimination'];
  const runs = [['heddle', () => runTrial(import.meta.url, 'heddle', { env, args })]];
  if (peer) runs.push([`V8 of Node ${peer.version}`, () => runTrial(import.meta.url, 'v8', { node: [peer.path, ...flags], env, args })]);
  const results = interleaved(runs, trials);
  const columns = [...ORDERS, 'fill', 'finish'];
  const cells = (all, column) => {
    const ns = all.flatMap((one) => (one[column] === undefined ? [] : [one[column]]));
    return ns.length === 0 ? '-' : `${best(ns).toFixed(0)} / ${median(ns).toFixed(0)}`;
  };
  table(
    [`${number} live`, ...columns, ''],
    runs.map(([name], k) => [
      name,
      ...columns.map((column) => cells(results[k], column)),
      results[k].find((one) => one.error)?.error ?? '',
    ]),
  );
  console.log();
}

async function main() {
  header('make + first resume + suspend + second resume + finish, with others suspended: ns a life, best / median');
  const folder = mkdtempSync(join(tmpdir(), 'heddle-churn-'));
  const file = join(folder, 'churn.wasm');
  const { parseWat } = await heddle();
  writeFileSync(file, parseWat(TEXT));
  for (const number of process.argv.includes('--count') ? [count] : [10_000, 1_000_000]) compare(file, number);
  rmSync(folder, { recursive: true });
}

await (trial === undefined ? main() : kinds[trial]());

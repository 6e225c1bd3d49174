// 20 million suspend+resume pairs in a loop, in nanoseconds a pair: `node benchmarks/pairs.mjs [--trials 5] [--pairs 20000000]`. Beside it V8's own
// stack switching where a Node 26 is found, and Wasmtime where it is on the PATH.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  best,
  header,
  heddle,
  interleaved,
  median,
  onPath,
  option,
  peerNode,
  report,
  runTrial,
  table,
  timeProcess,
  trial,
} from './harness.mjs';

const TEXT = `(module
  (type $f (func)) (type $c (cont $f)) (tag $t)
  (func $task (loop $again (suspend $t) (br $again)))
  (elem declare func $task)
  (func (export "run") (param $n i32)
    (local $rest (ref null $c))
    (local.set $rest (cont.new $c (ref.func $task)))
    (loop $next
      (block $suspended (result (ref $c))
        (resume $c (on $t $suspended) (local.get $rest))
        (return))
      (local.set $rest)
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))`;

const trials = option('trials', 5);
const pairs = option('pairs', 20_000_000);
const module = () => readFileSync(process.env.HEDDLE_PAIRS);

function time(run) {
  run(100_000);
  const start = performance.now();
  run(pairs);
  report({ ns: ((performance.now() - start) * 1e6) / pairs });
}

const kinds = {
  async heddle() {
    const { WebAssembly } = await heddle();
    time((await WebAssembly.instantiate(module(), {}, { interruptible: process.env.HEDDLE_INTERRUPTIBLE !== '0' })).instance.exports.run);
  },
  async v8() {
    time((await WebAssembly.instantiate(module())).instance.exports.run);
  },
};

async function main() {
  header(`${pairs} suspend+resume pairs, ns a pair`);
  const folder = mkdtempSync(join(tmpdir(), 'heddle-pairs-'));
  const file = join(folder, 'pairs.wasm');
  const { parseWat } = await heddle();
  writeFileSync(file, parseWat(TEXT));
  const env = { HEDDLE_PAIRS: file };
  const args = ['--pairs', String(pairs)];
  const peer = peerNode();
  const wasmtime = onPath('wasmtime');
  const flags = ['--experimental-wasm-wasmfx', '--no-turboshaft-wasm-load-elimination'];
  const runs = [
    ['heddle', () => runTrial(import.meta.url, 'heddle', { env, args })],
    ['heddle, not interruptible', () => runTrial(import.meta.url, 'heddle', { env: { ...env, HEDDLE_INTERRUPTIBLE: '0' }, args })],
  ];
  if (peer) runs.push([`V8 of Node ${peer.version}`, () => runTrial(import.meta.url, 'v8', { node: [peer.path, ...flags], env, args })]);
  if (wasmtime) {
    const start = ['run', '-C', 'cache=n', '-W', 'exceptions,function-references,gc,stack-switching', '--invoke', 'run', file];
    runs.push([
      'Wasmtime, whole process less one with 1 pair',
      () => ({ ns: ((timeProcess(wasmtime, [...start, String(pairs)]) - timeProcess(wasmtime, [...start, '1'])) * 1e6) / pairs }),
    ]);
  }
  const results = interleaved(runs, trials);
  table(
    ['', 'best', 'median', 'trials'],
    runs.map(([name], k) => {
      const ns = results[k].flatMap((r) => (r.ns === undefined ? [] : [r.ns]));
      return ns.length === 0 ? [name, results[k][0].error, '', ''] : [name, best(ns), median(ns), String(ns.length)];
    }),
  );
  rmSync(folder, { recursive: true });
}

await (trial === undefined ? main() : kinds[trial]());

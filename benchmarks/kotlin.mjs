// A program of Kotlin's, whose sequences yield by stack switching or as state machines: nanoseconds of processor time a yield, an element of a sequence nested 10 deep, an
// object of binary trees and one that dies at once, and milliseconds of work with its collections. Heddle beside V8 of Node 26 (HEDDLE_PEER_NODE). The compiled program is
// no part of the repository: HEDDLE_GC_PROGRAMS names the folder with kotlin/gen and kotlin/gen-ss. `node benchmarks/kotlin.mjs [--trials 3]`.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { best, header, interleaved, keep, option, peerNode, report, root, runTrial, table, trial } from './harness.mjs';

const ROUNDS = 5;
/** V8 crashes while it compiles stack switching without the second. */
const V8_FLAGS = ['--experimental-wasm-wasmfx', '--no-turboshaft-wasm-load-elimination'];
const folder = process.env.HEDDLE_GC_PROGRAMS ?? join(root, '../shared/gc');

/** Objects that `binaryTrees` makes. */
function objects(depth) {
  let count = 2 ** (depth + 2) - 1 + 2 ** (depth + 1) - 1;
  for (let d = 4; d <= depth; d += 2) count += 2 ** (depth - d + 4) * (2 ** (d + 1) - 1);
  return count;
}

/** Names, exports, arguments, and by what the time of a call is divided. */
const CASES = [
  ['a yield', 'sumSequence', 300_000, 300_000],
  ['an element, 10 deep', 'walkTree', 10, 2 ** 10 - 1],
  ['an object, trees of depth 14', 'binaryTrees', 14, objects(14)],
  ['an object, trees of depth 16', 'binaryTrees', 16, objects(16)],
  ['an object that dies at once', 'churn', 5_000_000, 5_000_000],
  ['collections of Kotlin, ms', 'collections', 30_000, 1e6],
];

/** One case in a process of its own. */
async function measure() {
  const [engine, program, number] = trial.split(' ');
  if (engine === 'heddle') await import(pathToFileURL(join(root, 'dist/register.mjs')).href);
  const { log } = console;
  console.log = () => {};
  const exports = await import(pathToFileURL(join(folder, 'kotlin', program, `${program}.mjs`)).href);
  console.log = log;
  const [, name, argument, count] = CASES[number];
  const times = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.cpuUsage();
    keep(exports[name](argument));
    const { user, system } = process.cpuUsage(start);
    times.push(((user + system) * 1000) / count);
  }
  report({ time: best(times) });
}

function main() {
  if (!existsSync(join(folder, 'kotlin/gen-ss'))) {
    console.log('kotlin: not measured, there is no folder of programs (HEDDLE_GC_PROGRAMS)');
    return;
  }
  header('a program of Kotlin, ns of processor time');
  const peer = peerNode();
  const columns = [
    ['heddle, stack switching', 'heddle gen-ss', [process.execPath]],
    ['heddle, state machine', 'heddle gen', [process.execPath]],
    ...(peer === undefined
      ? []
      : [
          ['V8, state machine', 'v8 gen', [peer.path]],
          ['V8, stack switching', 'v8 gen-ss', [peer.path, ...V8_FLAGS]],
        ]),
  ];
  const rows = CASES.map(([name], number) => {
    const runs = columns.map(([, what, node]) => [what, () => runTrial(import.meta.url, `${what} ${number}`, { node })]);
    return [
      name,
      ...interleaved(runs, option('trials', 3)).map((results) => {
        const times = results.flatMap(({ time }) => (time === undefined ? [] : [time]));
        return times.length === 0 ? `ended: ${results[0].error}` : best(times);
      }),
    ];
  });
  table(['', ...columns.map(([name]) => name)], rows);
}

await (trial === undefined ? main() : measure());

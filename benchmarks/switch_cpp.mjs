// The C++ library's switch beside Boost.Context's, ns a resume and its suspend: `node benchmarks/switch_cpp.mjs [--trials 9] [--pairs 5000000]`.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CMAKE_TOOLS, missingTool, run } from '../scripts/native_tests.mjs';
import { best, header, median, option, root, table } from './harness.mjs';

const FOLDER = 'build-benchmark';
const trials = option('trials', 9);
const pairs = option('pairs', 5_000_000);

/** Why it cannot run, in one line; undefined where it can. */
function missing() {
  if (!existsSync('/usr/include/boost/context/fiber.hpp')) return 'Boost.Context is missing: apt-get install libboost-context-dev';
  return missingTool(CMAKE_TOOLS) ?? undefined;
}

function main() {
  run('cmake', ['-S', '.', '-B', FOLDER]);
  run('cmake', ['--build', FOLDER, '--target', 'switch_benchmark']);
  const { status, stdout } = spawnSync(join(root, FOLDER, 'switch_benchmark'), [String(trials), String(pairs)], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the benchmark ended with ${status}`);
  const results = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  header(`${pairs} pairs of a resume and its suspend in C++, ns each, in one process`);
  const row = (title, ours, theirs) => {
    const all = results.map((result) => result[ours]);
    const peers = results.map((result) => result[theirs]);
    const ratios = results.map((result) => result[ours] / result[theirs]);
    return [title, best(all), median(all), best(peers), median(peers), median(ratios)];
  };
  table(
    ['', 'Heddle best', 'median', 'Boost best', 'median', 'Heddle / Boost'],
    [
      row('the bare switch', 'heddleBare', 'boostBare'),
      row('Fiber, beside boost::context::fiber', 'heddleFiber', 'boostFiber'),
      row('Coroutine (values, exceptions), beside the same', 'heddleCoroutine', 'boostFiber'),
    ],
  );
}

const reason = missing();
if (reason === undefined) main();
else console.log(reason);

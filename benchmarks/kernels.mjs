// Kernels of SIMD and of scalar arithmetic: best time of several rounds, beside V8 in the same process and Wasmtime where its Python package is installed; and what the
// bounds checks cost where memories have no guards. `node benchmarks/kernels.mjs [--trials 3]`.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { best, header, heddle, option, report, runTrial, table, trial, wasmtimePeer } from './harness.mjs';
import { KERNELS } from './kernel_programs.mjs';

const ROUNDS = 60;

/** Best of some calls, in turn, in milliseconds; the checksums must be equal. */
function times(runs, argument) {
  const all = runs.map(() => []);
  let sum;
  for (let i = 0; i < ROUNDS; i++) {
    for (const [k, run] of runs.entries()) {
      const start = performance.now();
      const result = run(argument);
      all[k].push(performance.now() - start);
      sum ??= result;
      if (result !== sum) throw new Error(`a result of ${result}, and ${sum} before`);
    }
  }
  return all.map(best);
}

async function measure() {
  const { WebAssembly: Heddle, parseWat } = await heddle();
  const results = {};
  for (const [name, text, argument] of KERNELS) {
    const bytes = parseWat(text);
    const ours = (await Heddle.instantiate(bytes, {}, { interruptible: false })).instance.exports.run;
    const interruptible = (await Heddle.instantiate(bytes)).instance.exports.run;
    const v8 = (await WebAssembly.instantiate(bytes)).instance.exports.run;
    const [plain, polls, peer] = times([ours, interruptible, v8], argument);
    results[name] = { plain, polls, v8: peer };
  }
  report(results);
}

async function main() {
  header('kernels, ms');
  const { parseWat } = await heddle();
  const trials = option('trials', 3);
  const folder = mkdtempSync(join(tmpdir(), 'heddle-kernels-'));
  const guarded = [];
  const unguarded = [];
  const wasmtime = KERNELS.map(() => []);
  for (let i = 0; i < trials; i++) {
    guarded.push(runTrial(import.meta.url, 'measure'));
    unguarded.push(runTrial(import.meta.url, 'measure', { node: [process.execPath, '--disable-wasm-trap-handler'] }));
    KERNELS.forEach(([, text, argument], k) => {
      const file = join(folder, `${k}.wasm`);
      writeFileSync(file, parseWat(text));
      const peer = wasmtimePeer('run', file, argument, ROUNDS);
      if (peer !== undefined) wasmtime[k].push(best(peer.ms));
    });
  }
  rmSync(folder, { recursive: true });
  const failed = [...guarded, ...unguarded].find((result) => result.error);
  if (failed) throw new Error(failed.error);
  const rows = KERNELS.map(([name], k) => {
    const of = (results, what) => best(results.map((result) => result[name][what]));
    const [plain, polls, v8] = ['plain', 'polls', 'v8'].map((what) => of(guarded, what));
    const peer = wasmtime[k].length > 0 ? best(wasmtime[k]) : undefined;
    const ratio = (other) => (other === undefined ? '-' : polls / other);
    return [name, polls, plain, of(unguarded, 'polls'), v8, ratio(v8), peer ?? '-', ratio(peer)];
  });
  table(['', 'heddle', 'uninterruptible', 'without guards', 'V8', 'heddle/V8', 'Wasmtime', 'heddle/Wasmtime'], rows);
}

await (trial === undefined ? main() : measure());

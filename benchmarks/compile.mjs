// Compiling gofmt (514 functions) to machine code, in milliseconds: in a fresh process as the command line does it, in a fresh process as the API does
// it, and with a compiler that has compiled before; the same with the code generator run by V8; beside Wasmtime where its Python package is installed.
// `node benchmarks/compile.mjs [--trials 5]`.
import { readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { best, header, interleaved, median, option, report, root, runTrial, table, timeProcess, trial, wasmtimePeer } from './harness.mjs';

const trials = option('trials', 5);
const file = join(root, 'node_modules/@wasm-fmt/gofmt/gofmt.wasm');

async function time() {
  const { compileModule } = await import(join(root, 'dist/ts/compile/compile.js'));
  const { addon } = await import(join(root, 'dist/ts/link/addon.js'));
  const native = addon();
  const bytes = readFileSync(file);
  const options = {
    target: native.arch,
    cpu: native.cpuFeatures(),
    // As many threads as Wasmtime takes; by itself Heddle takes one for a module of this size.
    workers: availableParallelism(),
  };
  const once = async () => {
    const start = performance.now();
    await compileModule(bytes, options);
    return performance.now() - start;
  };
  return once;
}

const kinds = {
  async cold() {
    report({ ms: await (await time())() });
  },
  async quick() {
    const { startQuickly } = await import(join(root, 'dist/ts/cli/tiering.js'));
    startQuickly();
    report({ ms: await (await time())() });
  },
  async warm() {
    const once = await time();
    for (let i = 1; i <= 12; i++) {
      await once();
      // V8 optimises the lowering, and the code generator where it runs it, in the background.
      if (i % 4 === 0) await new Promise((resolve) => setTimeout(resolve, 1500));
    }
    const times = [];
    for (let i = 0; i < 7; i++) times.push(await once());
    report({ ms: median(times) });
  },
};

function main() {
  header('compiling gofmt.wasm, ms');
  const wasmtime = wasmtimePeer('version');
  const out = join(tmpdir(), `heddle-gofmt-${process.pid}`);
  const v8 = { env: { HEDDLE_CODEGEN: 'v8' } };
  const runs = [
    ['heddle, fresh process', () => runTrial(import.meta.url, 'cold').ms],
    ['heddle, warm', () => runTrial(import.meta.url, 'warm').ms],
    ['heddle compile, whole process', () => timeProcess(process.execPath, ['bin/heddle.cjs', 'compile', file, '-o', out])],
    ['code generator run by V8, fresh process', () => runTrial(import.meta.url, 'cold', v8).ms],
    ['code generator run by V8, fresh process, V8 flags of the command line', () => runTrial(import.meta.url, 'quick', v8).ms],
    ['code generator run by V8, warm', () => runTrial(import.meta.url, 'warm', v8).ms],
  ];
  if (wasmtime) runs.push([`Wasmtime ${wasmtime.version}`, () => median(wasmtimePeer('compile', file, 7).ms)]);
  const results = interleaved(runs, trials);
  table(
    ['', 'best', 'median'],
    runs.map(([name], k) => [name, best(results[k]), median(results[k])]),
  );
  if (wasmtime) {
    const ratio = (k) => (median(results[k]) / median(results[6])).toFixed(2);
    console.log(`\nto Wasmtime, medians: cold ${ratio(0)}, warm ${ratio(1)}`);
  }
  rmSync(out, { force: true });
}

await (trial === undefined ? main() : kinds[trial]());

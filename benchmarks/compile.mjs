// Compiling gofmt (514 functions) to machine code, in milliseconds: in a fresh process as the command line does it, in a fresh process as the API does
// it, and with a compiler that has compiled before; beside `wasmtime compile` where it is on the PATH. `node benchmarks/compile.mjs [--trials 5]`.
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { best, header, interleaved, median, onPath, option, report, root, runTrial, table, timeProcess, trial } from './harness.mjs';

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
    ...(process.env.HEDDLE_WORKERS && { workers: Number(process.env.HEDDLE_WORKERS) }),
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
    for (let i = 0; i < 3; i++) {
      await once();
      // V8 optimises the compiler in the background.
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
    const times = [];
    for (let i = 0; i < 7; i++) times.push(await once());
    report({ ms: median(times) });
  },
};

function main() {
  header('compiling gofmt.wasm, ms');
  const wasmtime = onPath('wasmtime');
  const out = join(tmpdir(), `heddle-gofmt-${process.pid}`);
  const runs = [
    ['heddle, fresh process, V8 flags of the command line', () => runTrial(import.meta.url, 'quick').ms],
    ['heddle, fresh process', () => runTrial(import.meta.url, 'cold').ms],
    ['heddle, warm', () => runTrial(import.meta.url, 'warm').ms],
    ['heddle compile, whole process', () => timeProcess(process.execPath, ['bin/heddle.mjs', 'compile', file, '-o', out])],
  ];
  if (wasmtime) runs.push(['wasmtime compile, whole process', () => timeProcess(wasmtime, ['compile', '-C', 'cache=n', file, '-o', out])]);
  const results = interleaved(runs, trials);
  table(
    ['', 'best', 'median'],
    runs.map(([name], k) => [name, best(results[k]), median(results[k])]),
  );
  rmSync(out, { force: true });
}

await (trial === undefined ? main() : kinds[trial]());

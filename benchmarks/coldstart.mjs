// Whole processes from start to exit, in milliseconds: `heddle run examples/odds.wat` without and with its code cached, against the floor of Node,
// loading the code generator and compiling one empty function. `node benchmarks/coldstart.mjs [--trials 15]`.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { best, header, interleaved, median, option, root, table, timeProcess, trial } from './harness.mjs';

const trials = option('trials', 15);

/** The least that a program can do that compiles anything. */
async function floor() {
  const { instantiate } = await import(join(root, 'codegen/dist/heddle_codegen.js'));
  const codegen = instantiate(new WebAssembly.Module(readFileSync(join(root, 'codegen/dist/heddle_codegen.wasm'))));
  const triple = `${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-unknown-linux-gnu`;
  // One signature: Tail, no parameters, no results. One function with it: an instruction `return`.
  const compiler = new codegen.Compiler(triple, '', Int32Array.of(1, 0, 0, 0), Uint32Array.of(0));
  const { KIND } = await import(join(root, 'dist/ts/generated/clif.js'));
  compiler.compile(Int32Array.of(5, 0, 0, 0, KIND.return, 0));
}

function main() {
  header('cold start, whole process, ms');
  const cache = mkdtempSync(join(tmpdir(), 'heddle-cold-'));
  const self = process.argv[1];
  const program = ['bin/heddle.cjs', 'run', 'examples/odds.wat'];
  const runs = [
    ['node, empty program', () => timeProcess(process.execPath, ['-e', '0'])],
    ['node, code generator, one empty function', () => timeProcess(process.execPath, [self, '--trial', 'floor'])],
    ['heddle run, no cache', () => timeProcess(process.execPath, program, { HEDDLE_CACHE: 'off' })],
    ['heddle run, cached', () => timeProcess(process.execPath, program, { HEDDLE_CACHE: cache })],
  ];
  runs[3][1]();
  const results = interleaved(runs, trials);
  table(
    ['', 'best', 'median'],
    runs.map(([name], k) => [name, best(results[k]), median(results[k])]),
  );
  console.log(
    `\nno cache against the floor: best ${(best(results[2]) / best(results[1])).toFixed(2)}, median ${(median(results[2]) / median(results[1])).toFixed(2)}`,
  );
  rmSync(cache, { recursive: true });
}

await (trial === undefined ? main() : floor());

// Processor time of whole processes from start to exit, in milliseconds: `heddle run examples/odds.wat` without and with its code cached, against the floor of Node,
// loading the code generator and compiling one empty function. `node benchmarks/coldstart.mjs [--trials 15]`, with the Node that is to be measured.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { best, header, interleaved, median, option, processorTime, root, table, trial } from './harness.mjs';

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
  header('cold start, processor time of whole processes, ms');
  const cache = mkdtempSync(join(tmpdir(), 'heddle-cold-'));
  const self = process.argv[1];
  const program = ['bin/heddle.cjs', 'run', 'examples/odds.wat'];
  const runs = [
    ['node, empty program', () => processorTime(process.execPath, ['-e', '0'])],
    ['node, code generator, one empty function', () => processorTime(process.execPath, [self, '--trial', 'floor'])],
    ['heddle run, no cache', () => processorTime(process.execPath, program, { HEDDLE_CACHE: 'off' })],
    ['heddle run, cached', () => processorTime(process.execPath, program, { HEDDLE_CACHE: cache })],
  ];
  runs[3][1]();
  const results = interleaved(runs, trials);
  table(
    ['', 'best', 'median'],
    runs.map(([name], k) => [name, best(results[k]), median(results[k])]),
  );
  const against = (name, k, floor) => {
    const ratio = (of) => (of(results[k]) / of(results[floor])).toFixed(2);
    console.log(`${name}: best ${ratio(best)}, median ${ratio(median)}`);
  };
  console.log('');
  against('no cache against the floor', 2, 1);
  against('no cache against the empty program', 2, 0);
  against('cached against the empty program', 3, 0);
  rmSync(cache, { recursive: true });
}

await (trial === undefined ? main() : floor());

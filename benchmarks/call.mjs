// Calls across the border, in nanoseconds: JavaScript calling an exported function (i32, i32) -> i32, and WebAssembly calling an imported JavaScript function of
// that type; beside V8, and beside bare N-API functions (bare_napi.cc) where there are a C++ compiler and Node's headers: Heddle is an addon, so
// that is the least a call can cost. `node benchmarks/call.mjs [--trials 3]`.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { best, header, heddle, option, report, root, runTrial, table, trial } from './harness.mjs';

const TEXT = `(module
  (import "m" "f" (func $f (param i32 i32) (result i32)))
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "calls") (param $n i32) (result i32)
    (local $sum i32)
    (loop $next
      (local.set $sum (call $f (local.get $sum) (local.get $n)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum)))`;
const COUNT = 200_000;
const ROUNDS = 15;

/** Compiles bare_napi.cc into a folder; undefined where that fails. */
function bareNapi(folder) {
  const file = join(folder, 'bare.node');
  const headers = join(dirname(dirname(process.execPath)), 'include/node');
  const flags = ['-O2', '-shared', '-fPIC', '-DNAPI_VERSION=8', '-DNODE_GYP_MODULE_NAME=bare', `-I${headers}`];
  const { status } = spawnSync(process.env.CXX ?? 'g++', [...flags, '-o', file, join(root, 'benchmarks/bare_napi.cc')], {
    stdio: 'ignore',
  });
  return status === 0 ? file : undefined;
}

/** Calls of `add` from JavaScript. Each engine has a function of its own: one that has called all of them would be slow for each. */
const caller = () => new Function('add', 'count', 'let sum = 0; for (let i = 0; i < count; i++) sum = add(sum, i); return sum;');

async function measure() {
  const { WebAssembly: Heddle, parseWat } = await heddle();
  const bytes = parseWat(TEXT);
  const callee = () => new Function('a', 'b', 'return a + b | 0');
  const heddles = (await Heddle.instantiate(bytes, { m: { f: callee() } })).instance.exports;
  const v8 = (await WebAssembly.instantiate(bytes, { m: { f: callee() } })).instance.exports;
  const engines = { heddle: heddles, v8 };
  if (process.env.BARE_NAPI) {
    const bare = createRequire(import.meta.url)(process.env.BARE_NAPI);
    const f = callee();
    engines.bare = { add: bare.add, calls: (n) => bare.calls(n, f) };
  }
  const runs = Object.entries(engines).map(([name, { add, calls }]) => ({
    name,
    add,
    calls,
    into: caller(),
    times: { into: [], out: [] },
  }));
  for (let i = 0; i < ROUNDS; i++) {
    for (const { add, calls, into, times } of runs) {
      let start = performance.now();
      into(add, COUNT);
      times.into.push(((performance.now() - start) * 1e6) / COUNT);
      start = performance.now();
      calls(COUNT);
      times.out.push(((performance.now() - start) * 1e6) / COUNT);
    }
  }
  report(Object.fromEntries(runs.map(({ name, times }) => [name, { into: best(times.into), out: best(times.out) }])));
}

function main() {
  header('calls across the border, ns');
  const folder = mkdtempSync(join(tmpdir(), 'heddle-call-'));
  const bare = bareNapi(folder);
  const env = bare === undefined ? {} : { BARE_NAPI: bare };
  const results = Array.from({ length: option('trials', 3) }, () => runTrial(import.meta.url, 'measure', { env }));
  rmSync(folder, { recursive: true });
  const failed = results.find((r) => r.error);
  if (failed) throw new Error(failed.error);
  const row = (label, way) => {
    const of = (engine) => best(results.map((r) => r[engine]?.[way] ?? Number.NaN));
    const numbers = [of('heddle'), of('bare'), of('v8')];
    return [label, ...numbers, numbers[0] / numbers[1]].map((cell) => (Number.isNaN(cell) ? '-' : cell));
  };
  table(
    ['', 'heddle', 'bare N-API', 'V8', 'heddle/bare'],
    [row('JavaScript calls an export', 'into'), row('an import calls JavaScript', 'out')],
  );
}

await (trial === undefined ? main() : measure());

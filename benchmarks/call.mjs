// Calls across the border, in nanoseconds: JavaScript calling an exported function, and WebAssembly calling an imported JavaScript function; beside V8 in
// the same process. `node benchmarks/call.mjs [--trials 3]`.
import { best, header, heddle, option, report, runTrial, table, trial } from './harness.mjs';

const TEXT = `(module
  (import "m" "f" (func $f (param i32) (result i32)))
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "calls") (param $n i32) (result i32)
    (local $sum i32)
    (loop $next
      (local.set $sum (i32.add (local.get $sum) (call $f (local.get $n))))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum)))`;
const COUNT = 1_000_000;

async function measure() {
  const { WebAssembly: Heddle, parseWat } = await heddle();
  const bytes = parseWat(TEXT);
  const imports = { m: { f: (x) => x + 1 } };
  const engines = [
    ['heddle', (await Heddle.instantiate(bytes, imports)).instance.exports],
    ['v8', (await WebAssembly.instantiate(bytes, imports)).instance.exports],
  ];
  const result = {};
  for (const [name, { add, calls }] of engines) {
    const into = () => {
      let sum = 0;
      for (let i = 0; i < COUNT; i++) sum = add(sum, i);
      return sum;
    };
    const times = { into: [], out: [] };
    for (let i = 0; i < 7; i++) {
      let start = performance.now();
      into();
      times.into.push(((performance.now() - start) * 1e6) / COUNT);
      start = performance.now();
      calls(COUNT);
      times.out.push(((performance.now() - start) * 1e6) / COUNT);
    }
    result[name] = { into: best(times.into), out: best(times.out) };
  }
  report(result);
}

function main() {
  header('calls across the border, ns');
  const results = Array.from({ length: option('trials', 3) }, () => runTrial(import.meta.url, 'measure'));
  const failed = results.find((r) => r.error);
  if (failed) throw new Error(failed.error);
  const row = (label, engine, way) => [label, best(results.map((r) => r[engine][way]))];
  table(
    ['', 'best'],
    [
      row('JavaScript calls heddle', 'heddle', 'into'),
      row('JavaScript calls V8', 'v8', 'into'),
      row('heddle calls JavaScript', 'heddle', 'out'),
      row('V8 calls JavaScript', 'v8', 'out'),
    ],
  );
}

await (trial === undefined ? main() : measure());

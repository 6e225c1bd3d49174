// Tables, globals and memories from JavaScript, in nanoseconds of processor time: get, set, length and grow of tables, the value of globals, the buffer of memories; and
// what emscripten's `invoke_…` do: WebAssembly calls an import, which gets a function of a table and calls that. Beside V8 in the same process.
// `node benchmarks/objects.mjs [--trials 3]`.
import { best, header, heddle, keep, option, report, runTrial, table, trial } from './harness.mjs';

const TEXT = `(module
  (import "m" "invoke" (func $invoke (param i32 i32) (result i32)))
  (import "m" "glue" (func $glue (param i32 i32) (result i32)))
  (import "m" "plain" (func $plain (param i32 i32) (result i32)))
  (table $functions (export "functions") 64 funcref)
  (elem (i32.const 1) $inc $dec)
  (memory (export "memory") 1)
  (global (export "i32") (mut i32) (i32.const 7))
  (global (export "i64") (mut i64) (i64.const 7))
  (global (export "f32") (mut f32) (f32.const 7))
  (global (export "f64") (mut f64) (f64.const 7))
  (global (export "extern") (mut externref) (ref.null extern))
  (global (export "func") (mut funcref) (ref.func $inc))
  (global $sp (mut i32) (i32.const 1024))
  (func $inc (export "inc") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
  (func $dec (param i32) (result i32) (i32.sub (local.get 0) (i32.const 1)))
  (func (export "save") (result i32) (global.get $sp))
  (func (export "restore") (param i32) (global.set $sp (local.get 0)))
  (func (export "invokes") (param $n i32) (result i32)
    (local $sum i32)
    (loop $next
      (local.set $sum (call $invoke (i32.const 1) (local.get $sum)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))
  (func (export "setThrew") (param i32 i32))
  (func (export "emscripten") (param $n i32) (result i32)
    (local $sum i32)
    (loop $next
      (local.set $sum (call $glue (i32.const 1) (local.get $sum)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))
  (func (export "calls") (param $n i32) (result i32)
    (local $sum i32)
    (loop $next
      (local.set $sum (call $plain (i32.const 1) (local.get $sum)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum)))`;
/** Tables of JavaScript's values: programs of Emscripten export one table, that of functions. */
const VALUES = '(module (table (export "values") 64 externref))';
const COUNT = 100_000;
const ROUNDS = 15;
const GROWS = 2_000;

/** A loop with a body of its own in each engine: one that had seen both would be slow for each. */
const loop = (body) => new Function('o', 'a', 'n', `let r; for (let i = 0; i < n; i++) { ${body} } return r;`);
const invoker = (body) => new Function('e', `return (i, x) => { ${body} };`);

/** Emscripten's own, with what it uses. */
const glue = new Function(
  'exports',
  `const stackSave = () => exports().save();
  const stackRestore = (sp) => exports().restore(sp);
  const _setThrew = (a, b) => exports().setThrew(a, b);
  const mirror = [];
  const getWasmTableEntry = (at) => mirror[at] ??= exports().functions.get(at);
  return function invoke_ii(index, a1) {
    var sp = stackSave();
    try {
      return getWasmTableEntry(index)(a1);
    } catch (e) {
      stackRestore(sp);
      if (e !== e + 0) throw e;
      _setThrew(1, 0);
    }
  };`,
);

/** What is measured: name, and a function of an engine's API and exports that runs it `n` times. */
const CASES = [
  ['Table.get, a function', (_, e) => [loop('r = o.get(1 + (i & 1));'), e.functions]],
  ['Table.get, null', (_, e) => [loop('r = o.get(9);'), e.functions]],
  ['Table.get, an externref', (_, e) => (e.values.set(3, e), [loop('r = o.get(3);'), e.values])],
  ['Table.set, a function', (_, e) => [loop('o.set(5, a);'), e.functions, e.inc]],
  ['Table.set, null', (_, e) => [loop('o.set(5, null);'), e.functions]],
  ['Table.set, an externref', (_, e) => [loop('o.set(5, a);'), e.values, e]],
  ['Table.length', (_, e) => [loop('r = o.length;'), e.functions]],
  ['Table.grow by 1', (api) => [loop('o.grow(1);'), new api.Table({ element: 'anyfunc', initial: 1 })], GROWS],
  ...['i32', 'i64', 'f32', 'f64', 'extern', 'func'].flatMap((type) => [
    [`Global.value, ${type}`, (_, e) => [loop('r = o.value;'), e[type]]],
    [`Global.value =, ${type}`, (_, e) => [loop('o.value = a;'), e[type], { i64: 5n, extern: e, func: e.inc }[type] ?? 1.5]],
  ]),
  ['Memory.buffer', (_, e) => [loop('r = o.buffer;'), e.memory]],
  ['export called', (_, e) => [loop('r = o(i);'), e.inc]],
  ['import called', (_, e) => [(o, _a, n) => o(n), e.calls]],
  ['import, Table.get, export', (_, e) => [(o, _a, n) => o(n), e.invokes]],
  ['invoke_ii of Emscripten', (_, e) => [(o, _a, n) => o(n), e.emscripten]],
];

async function measure() {
  const { WebAssembly: Heddle, parseWat } = await heddle();
  const bytes = parseWat(TEXT);
  const values = parseWat(VALUES);
  const make = async (api) => {
    let exports;
    const body = 'const s = e().save(); try { return e().functions.get(i)(x); } catch (error) { e().restore(s); throw error; }';
    const m = { invoke: invoker(body)(() => exports), glue: glue(() => exports), plain: invoker('return x + i | 0;')() };
    exports = (await api.instantiate(bytes, { m })).instance.exports;
    return { ...exports, ...(await api.instantiate(values)).instance.exports };
  };
  const engines = [
    ['heddle', Heddle, await make(Heddle)],
    ['v8', WebAssembly, await make(WebAssembly)],
  ];
  const times = {};
  for (const [name, prepare, count = COUNT] of CASES) {
    const runs = engines.map(([engine, api, exports]) => [`${name}|${engine}`, () => prepare(api, exports), prepare(api, exports)]);
    for (let round = 0; round < ROUNDS; round++) {
      for (const [key, again, [run, ...given]] of runs) {
        // A table that grows is a new one each time.
        const [object, argument] = count === COUNT ? given : again().slice(1);
        const start = process.cpuUsage();
        keep(run(object, argument, count));
        const { user, system } = process.cpuUsage(start);
        times[key] ??= [];
        times[key].push(((user + system) * 1000) / count);
      }
    }
  }
  report(Object.fromEntries(Object.entries(times).map(([key, all]) => [key, best(all)])));
}

function main() {
  header('tables, globals and memories from JavaScript, ns of processor time');
  const results = Array.from({ length: option('trials', 3) }, () => runTrial(import.meta.url, 'measure'));
  const failed = results.find((r) => r.error);
  if (failed) throw new Error(failed.error);
  const of = (name, engine) => best(results.map((r) => r[`${name}|${engine}`]));
  table(
    ['', 'heddle', 'V8', 'heddle/V8'],
    CASES.map(([name]) => [name, of(name, 'heddle'), of(name, 'v8'), of(name, 'heddle') / of(name, 'v8')]),
  );
}

await (trial === undefined ? main() : measure());

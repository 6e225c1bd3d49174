// `switch` from one continuation to another and back, ns a switch, beside one suspend+resume pair in the same process: `node benchmarks/switch.mjs
// [--trials 5] [--switches 20000000]`.
import { best, header, heddle, interleaved, median, option, report, runTrial, table, trial } from './harness.mjs';

const TEXT = `(module
  (type $f (func)) (type $c (cont $f)) (tag $t)
  (rec (type $sf (func (param (ref null $sc)))) (type $sc (cont $sf))) (tag $s)
  (global $left (mut i32) (i32.const 0))
  (func $task (loop $again (suspend $t) (br $again)))
  (func $partner (type $sf)
    (loop $again
      (global.set $left (i32.sub (global.get $left) (i32.const 1)))
      (if (i32.eqz (global.get $left)) (then (return)))
      (local.set 0 (switch $sc $s (local.get 0)))
      (br $again)))
  (elem declare func $task $partner)
  (func (export "pair") (param $n i32) (local $rest (ref null $c))
    (global.set $left (local.get $n))
    (local.set $rest (cont.new $c (ref.func $task)))
    (loop $next
      (block $on (result (ref $c)) (resume $c (on $t $on) (local.get $rest)) (return))
      (local.set $rest)
      (global.set $left (i32.sub (global.get $left) (i32.const 1)))
      (br_if $next (global.get $left))))
  (func (export "switch") (param $n i32)
    (global.set $left (local.get $n))
    (resume $sc (on $s switch) (cont.new $sc (ref.func $partner)) (cont.new $sc (ref.func $partner)))))`;

const trials = option('trials', 5);
const switches = option('switches', 20_000_000);

async function time() {
  const { WebAssembly, parseWat } = await heddle();
  const { exports } = (await WebAssembly.instantiate(parseWat(TEXT))).instance;
  const numbers = {};
  for (const name of ['pair', 'switch']) {
    exports[name](100_000);
    const start = performance.now();
    exports[name](switches);
    numbers[name] = ((performance.now() - start) * 1e6) / switches;
  }
  report(numbers);
}

function main() {
  header(`${switches} switches, ns each`);
  const [results] = interleaved([['', () => runTrial(import.meta.url, 'both', { args: ['--switches', String(switches)] })]], trials);
  const rows = ['pair', 'switch'].map((name) => results.map((result) => result[name]));
  table(
    ['', 'best', 'median'],
    [
      ['one suspend+resume pair', best(rows[0]), median(rows[0])],
      ['one switch', best(rows[1]), median(rows[1])],
      ['switch / pair', best(rows[1]) / best(rows[0]), median(results.map((result) => result.switch / result.pair))],
    ],
  );
}

await (trial === undefined ? main() : time());

// A suspend+resume pair through a yield function and a next function, in nanoseconds, with the two inlined and as calls (HEDDLE_INLINE=0), beside the pair
// with nothing in between: `node benchmarks/inline.mjs [--trials 5] [--pairs 20000000]`.
import { best, header, heddle, interleaved, median, option, report, runTrial, table, trial } from './harness.mjs';

const TEXT = (producer, consumer) => `(module
  (type $f (func)) (type $c (cont $f)) (tag $t (param i32))
  (global $rest (mut (ref null $c)) (ref.null $c)) (global $sum (mut i32) (i32.const 0))
  (func $yield (param i32) (suspend $t (local.get 0)))
  (func $next (result i32)
    (block $on (result i32 (ref $c)) (resume $c (on $t $on) (global.get $rest)) (return (i32.const -1)))
    (global.set $rest))
  (func $task (local $i i32) (loop $again ${producer('(local.get $i)')} (local.set $i (i32.add (local.get $i) (i32.const 1))) (br $again)))
  (elem declare func $task)
  (func (export "run") (param $n i32) (result i32)
    (global.set $rest (cont.new $c (ref.func $task)))
    (global.set $sum (i32.const 0))
    (loop $more
      (global.set $sum (i32.add (global.get $sum) ${consumer}))
      (br_if $more (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (global.get $sum)))`;

const NEXT = '(block $on (result i32 (ref $c)) (resume $c (on $t $on) (global.get $rest)) (unreachable)) (global.set $rest)';
const TEXTS = {
  functions: TEXT((value) => `(call $yield ${value})`, '(call $next)'),
  plain: TEXT((value) => `(suspend $t ${value})`, `(block (result i32) ${NEXT})`),
};

const trials = option('trials', 5);
const pairs = option('pairs', 20_000_000);

/** What `run` returns: the sum of the first `n` numbers, in 32 bits. */
const expected = (n) => Number(BigInt.asIntN(32, (BigInt(n) * BigInt(n - 1)) / 2n));

async function time() {
  const { WebAssembly, parseWat } = await heddle();
  const { run } = (await WebAssembly.instantiate(parseWat(TEXTS[trial]))).instance.exports;
  run(100_000);
  const start = performance.now();
  const sum = run(pairs);
  const ns = ((performance.now() - start) * 1e6) / pairs;
  if (sum !== expected(pairs)) throw new Error(`the sum is ${sum}`);
  report({ ns });
}

function main() {
  header(`${pairs} suspend+resume pairs with one value each, ns a pair`);
  const args = ['--pairs', String(pairs)];
  const runs = [
    ['through two functions, inlined', () => runTrial(import.meta.url, 'functions', { args })],
    ['through two functions, called', () => runTrial(import.meta.url, 'functions', { args, env: { HEDDLE_INLINE: '0' } })],
    ['without functions', () => runTrial(import.meta.url, 'plain', { args })],
  ];
  const results = interleaved(runs, trials);
  table(
    ['', 'best', 'median'],
    runs.map(([name], k) => {
      const ns = results[k].flatMap((r) => (r.ns === undefined ? [] : [r.ns]));
      return ns.length === 0 ? [name, results[k][0].error, ''] : [name, best(ns), median(ns)];
    }),
  );
}

await (trial === undefined ? main() : time());

// Exceptions, ns each: thrown and caught two frames up, across a continuation, into one (resume_throw), and from JavaScript; beside V8's own exceptions
// where it runs the same program: `node benchmarks/throw.mjs [--trials 5] [--throws 300000]`.
import { best, header, heddle, interleaved, median, option, peerNode, report, runTrial, table, trial } from './harness.mjs';

const loop = (name, body, results = '') => `(func (export "${name}") (param $n i32) (result i32) (local $sum i32) ${results}
  (loop $again ${body} (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))) (local.get $sum))`;
const caught = (what) =>
  `(block $h (result i32) (try_table (catch $e $h) ${what}) (unreachable)) (local.set $sum (i32.add (local.get $sum)))`;

const PLAIN = `(tag $e (param i32)) (import "env" "throws" (func $js)) (import "env" "tag" (tag $mine (param i32)))
  (func $throws (param i32) (throw $e (local.get 0)))
  (func $between (param i32) (call $throws (local.get 0)) (drop (i32.const 0)))
  ${loop('two frames up', caught('(call $between (i32.const 1))'))}
  ${loop('in the same function', caught('(throw $e (i32.const 1))'))}
  ${loop('from JavaScript', '(block $h (try_table (catch_all $h) (call $js)) (unreachable)) (local.set $sum (i32.add (local.get $sum) (i32.const 1)))')}`;
const FIBERS = `(type $f (func)) (type $c (cont $f)) (tag $t) (elem declare func $body $waits)
  (func $body (call $between (i32.const 1)))
  (func $waits (suspend $t))
  ${loop('across a continuation', caught('(resume $c (cont.new $c (ref.func $body)))'))}
  ${loop(
    'made and suspended, resume_throw',
    `(block $on (result (ref $c)) (resume $c (on $t $on) (cont.new $c (ref.func $waits))) (unreachable)) (local.set $k)
     ${caught('(resume_throw $c $e (i32.const 1) (local.get $k))')}`,
    '(local $k (ref null $c))',
  )}`;

// Imports come first in the text.
const module = (...parts) => {
  const text = parts.join('\n');
  const imports = [...text.matchAll(/\(import "env" "\w+" \((?:[^()]|\([^()]*\))*\)\)/g)].map(([found]) => found);
  return `(module ${imports.join(' ')} ${imports.reduce((rest, found) => rest.replace(found, ''), text)})`;
};

const trials = option('trials', 5);
const throws = option('throws', 300_000);

async function time(api, parse, text) {
  const imports = {
    env: {
      tag: new api.Tag({ parameters: ['i32'] }),
      throws() {
        throw null;
      },
    },
  };
  const { exports } = (await api.instantiate(parse(text), imports)).instance;
  const numbers = {};
  for (const [name, run] of Object.entries(exports)) {
    run(1000);
    const start = performance.now();
    if (run(throws) !== throws) throw new Error(`${name}: not everything was caught`);
    numbers[name] = ((performance.now() - start) * 1e6) / throws;
  }
  report(numbers);
}

const kinds = {
  async heddle() {
    const { WebAssembly, parseWat } = await heddle();
    await time(WebAssembly, parseWat, module(PLAIN, FIBERS));
  },
  async v8() {
    const { parseWat } = await heddle();
    await time(WebAssembly, parseWat, module(PLAIN));
  },
};

function main() {
  header(`${throws} exceptions, ns each`);
  const args = ['--throws', String(throws)];
  const peer = peerNode();
  const runs = [['heddle', () => runTrial(import.meta.url, 'heddle', { args })]];
  if (peer) runs.push([`V8 of Node ${peer.version}`, () => runTrial(import.meta.url, 'v8', { args, node: [peer.path] })]);
  const results = interleaved(runs, trials);
  const names = Object.keys(results[0][0]).filter((name) => name !== 'error');
  const cells = (of, name) => {
    const ns = of.flatMap((result) => (result[name] === undefined ? [] : [result[name]]));
    return ns.length === 0 ? ['', ''] : [best(ns), median(ns)];
  };
  table(
    ['', ...runs.flatMap(([name]) => [`${name} best`, 'median'])],
    names.map((name) => [name, ...results.flatMap((of) => cells(of, name))]),
  );
  for (const [i, [name]] of runs.entries()) if (results[i][0].error !== undefined) console.log(`${name}: ${results[i][0].error}`);
}

await (trial === undefined ? main() : kinds[trial]());

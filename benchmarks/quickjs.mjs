// A JavaScript program inside QuickJS (from npm, through its own glue) that makes 100,000 calls of a host function, microseconds a call. The host function is async:
// in Heddle the ordinary build just waits; under V8 it needs the Asyncify build, which unwinds the stack and rewinds it for each call. Beside them the ordinary build
// with a synchronous host function, which says what the glue costs anyway, and, on a Node that has it, V8's own promise integration in Heddle's place.
// `node benchmarks/quickjs.mjs [--trials 3]`.
import { asyncifyQuickjs, quickjs, waitingQuickjs } from '../tests/modules/quickjs.mjs';
import { best, header, heddle, interleaved, option, report, runTrial, table, trial } from './harness.mjs';

const COUNT = 100_000;
/** The first ones are for V8, which compiles the glue meanwhile. */
const ROUNDS = 8;
/** How many functions the program is in when it calls the host. */
const DEPTHS = [0, 10, 20];
const ENGINES = {
  waits: { make: waitingQuickjs, waits: true },
  asyncify: { make: asyncifyQuickjs, waits: true },
  'sync heddle': { make: quickjs, waits: false },
  'sync v8': { make: quickjs, waits: false },
  ...('Suspending' in WebAssembly ? { 'waits v8': { make: waitingQuickjs, waits: true } } : {}),
};

/** A program that sums what the host gives for 0 to COUNT - 1. */
function program(depth, round) {
  const functions = Array.from({ length: depth }, (_, i) => `function f${i}(x) { return ${i === 0 ? 'host' : `f${i - 1}`}(x) + 1 }`);
  const name = `sum${depth}_${round}`;
  return `${functions.join('\n')}
    var ${name} = 0; for (let i = 0; i < ${COUNT}; i++) ${name} += ${depth === 0 ? 'host' : `f${depth - 1}`}(i); ${name}`;
}

async function measure() {
  const { make, waits } = ENGINES[trial];
  const namespace = trial === 'waits' || trial === 'sync heddle' ? (await heddle()).WebAssembly : WebAssembly;
  const context = (await make(namespace)).newContext();
  const answer = (handle) => context.newNumber(2 * context.getNumber(handle));
  context.newFunction('host', waits ? async (handle) => answer(handle) : answer).consume((f) => context.setProp(context.global, 'host', f));
  const times = {};
  for (const depth of DEPTHS) {
    times[depth] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const text = program(depth, round);
      const start = performance.now();
      const result = context.unwrapResult(waits ? await context.evalCodeAsync(text) : context.evalCode(text));
      times[depth].push(((performance.now() - start) * 1e3) / COUNT);
      const sum = context.dump(result);
      if (sum !== COUNT * (COUNT - 1) + depth * COUNT) throw new Error(`the program gives ${sum}`);
    }
  }
  report(Object.fromEntries(DEPTHS.map((depth) => [depth, best(times[depth])])));
}

function main() {
  header('QuickJS calls its host 100,000 times, us a call');
  const names = Object.keys(ENGINES);
  const results = interleaved(
    names.map((name) => [name, () => runTrial(import.meta.url, name)]),
    option('trials', 3),
  );
  const failed = results.flat().find((result) => result.error);
  if (failed) throw new Error(failed.error);
  const rows = DEPTHS.map((depth) => {
    const [waits, asyncify, ours, v8, ...own] = results.map((trials) => best(trials.map((result) => result[depth])));
    return [`from ${depth} functions`, waits, asyncify, asyncify / waits, ours, v8, ...own];
  });
  const own = names.length > 4 ? ["async host, V8's own"] : [];
  table(['', 'async host, heddle', 'async host, V8 + Asyncify', 'ratio', 'sync host, heddle', 'sync host, V8', ...own], rows);
}

await (trial === undefined ? main() : measure());

// What suspending costs in use: programs with tasks that wait (use_programs.mjs), beside the same programs as state machines by hand, in the same
// engine: `node benchmarks/uses.mjs [--trials 5] [--repeats 20] [--count 20000] [--only fringe,trie]`. Beside Heddle V8's own stack switching where a
// Node 26 is found, and Binaryen's Asyncify under V8. Bare, a step does next to nothing; with work it takes 20 ns or more.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asyncifier } from './asyncify.mjs';
import { best, header, heddle, interleaved, option, peerNode, report, runTrial, table, trial } from './harness.mjs';
import { expected, PROGRAMS, text } from './use_programs.mjs';

const trials = option('trials', 5);
const repeats = option('repeats', 20);
const count = option('count', 20_000);
const only = process.argv.indexOf('--only');
const names = Object.keys(PROGRAMS).filter((name) => only < 0 || process.argv[only + 1].split(',').includes(name));
const AIM = { mean: 1.5, worst: 2.11, work: 20 };

const key = (name, works, how) => `${name}.${works ? 'work' : 'bare'}.${how}`;
const cases = (hows) => names.flatMap((name) => [false, true].flatMap((works) => hows.map((how) => ({ name, works, how }))));

/** Times some ways of all programs, in turn; nanoseconds a step, the best of all. */
async function measure(engine, hows) {
  const runs = [];
  for (const { name, works, how } of cases(hows)) {
    const at = key(name, works, how);
    const { exports } = (await engine.instantiate(readFileSync(join(process.env.HEDDLE_USES, `${at}.wasm`)))).instance;
    exports.prepare(count);
    const program = PROGRAMS[name];
    runs.push({ at, run: exports.run, sum: expected(program, count, works), steps: program.steps(count) });
  }
  const least = Object.fromEntries(runs.map(({ at }) => [at, Number.POSITIVE_INFINITY]));
  for (let i = 0; i < repeats; i++) {
    for (const { at, run, sum, steps } of runs) {
      const start = performance.now();
      const got = run(count);
      least[at] = Math.min(least[at], ((performance.now() - start) * 1e6) / steps);
      if (got !== sum) throw new Error(`${at}: the sum is ${got}, not ${sum}`);
    }
  }
  report(least);
}

const kinds = {
  heddle: async () => measure((await heddle()).WebAssembly, ['machine', 'continuations']),
  v8: () => measure(globalThis.WebAssembly, ['machine', 'continuations']),
  asyncify: () => measure(globalThis.WebAssembly, ['machine', 'asyncify']),
};

const geometric = (values) => Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

async function main() {
  header('tasks that wait, beside state machines by hand in the same engine: ns a step, best of all; ratio');
  const folder = mkdtempSync(join(tmpdir(), 'heddle-uses-'));
  const { parseWat } = await heddle();
  const asyncify = asyncifier();
  for (const { name, works, how } of cases(['machine', 'continuations', 'asyncify'])) {
    const file = join(folder, `${key(name, works, how)}.wasm`);
    const bytes = parseWat(text(PROGRAMS[name], how, works));
    writeFileSync(file, bytes);
    if (how === 'asyncify') asyncify?.(file, bytes, file);
  }
  const env = { HEDDLE_USES: folder };
  const args = ['--repeats', String(repeats), '--count', String(count), '--only', names.join(',')];
  const peer = peerNode();
  const flags = ['--experimental-wasm-wasmfx', '--no-turboshaft-wasm-load-elimination'];
  const engines = [{ name: 'Heddle', how: 'continuations', run: () => runTrial(import.meta.url, 'heddle', { env, args }) }];
  if (peer === undefined) console.log('V8 with stack switching is missing: no Node 26 was found');
  else {
    const node = [peer.path, ...flags];
    engines.push({
      name: `V8 of Node ${peer.version}`,
      how: 'continuations',
      run: () => runTrial(import.meta.url, 'v8', { node, env, args }),
    });
  }
  if (asyncify) engines.push({ name: 'Asyncify, V8', how: 'asyncify', run: () => runTrial(import.meta.url, 'asyncify', { env, args }) });
  const results = interleaved(
    engines.map(({ name, run }) => [name, run]),
    trials,
  );
  for (const works of [false, true]) {
    const ratios = engines.map(() => []);
    const rows = names.map((name) => [
      name,
      ...engines.flatMap(({ how }, k) => {
        const time = (which) => best(results[k].flatMap((one) => one[key(name, works, which)] ?? []));
        const [machine, task] = [time('machine'), time(how)];
        if (task === undefined) return ['-', '-', '-'];
        if (!works || machine >= AIM.work) ratios[k].push(task / machine);
        return [machine, task, task / machine];
      }),
    ]);
    const means = ratios.map((all) => (all.length === 0 ? undefined : geometric(all)));
    rows.push(['geometric mean', ...means.flatMap((mean) => ['', '', mean ?? '-'])]);
    table([works ? 'with work' : 'bare', ...engines.flatMap(({ name }) => [`${name}: machine`, 'tasks', 'ratio'])], rows);
    if (works && means[0] !== undefined) {
      const worst = Math.max(...ratios[0]);
      const missed = means[0] <= AIM.mean && worst <= AIM.worst ? '' : ': missed';
      console.log(
        `\n${ratios[0].length} of ${names.length} do ${AIM.work} ns of work a step or more; aims: ${AIM.mean} in the mean, ${AIM.worst} at worst${missed}`,
      );
    }
    console.log();
  }
  for (const [k, { name }] of engines.entries()) {
    const error = results[k].find((one) => one.error !== undefined)?.error;
    if (error !== undefined) console.log(`${name}: ${error}`);
  }
  for (const name of names) console.log(`${name}: ${PROGRAMS[name].what}`);
  rmSync(folder, { recursive: true });
}

await (trial === undefined ? main() : kinds[trial]());

// Packages of others from a fresh process to their first result, by Heddle without and with code in the cache, and by V8, in turn:
// `node benchmarks/cold.mjs [--trials 5] [--only sqljs,brotli]`. Milliseconds of processor time, wall time beside them; ratios to V8. Needs the npm
// registry once (scripts/install_packages.mjs).
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installPackages, packagesFolder } from '../scripts/install_packages.mjs';
import { best, header, option, table } from './harness.mjs';

const PROGRAMS = ['sqljs', 'resvg', 'wasmoon', 'brotli', 'sqlite', 'astro', 'micropython'];
/** The one whose job is long: what it measures is calls, so it is not part of the means. */
const APART = 'micropython';
/** A module of 40 bytes by the constructor, many times. */
const TINY = `
const bytes = new Uint8Array([0,97,115,109,1,0,0,0,1,5,1,96,0,1,127,3,2,1,0,7,5,1,1,102,0,0,10,6,1,4,0,65,42,11]);
const time = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1000; };
const at = [time()];
for (let i = 0; i < 21; i++) { const m = bytes.slice(); m[32] = i; new WebAssembly.Instance(new WebAssembly.Module(m)); at.push(time()); }
process.stderr.write('\\nTIMES ' + JSON.stringify({ first: at[1] - at[0], next: (at[21] - at[1]) / 20 }) + '\\n');`;

const trials = option('trials', 5);
const at = process.argv.indexOf('--only');
const only = at < 0 ? PROGRAMS : process.argv[at + 1].split(',');

/** Runs a program in a process of its own; what it says of its times. */
function run(args, environment, input) {
  const result = spawnSync(process.execPath, ['--import', './use.mjs', ...args], {
    cwd: packagesFolder,
    encoding: 'utf8',
    env: { ...process.env, PACKAGES_TIMES: '1', ...environment },
    input,
  });
  const times = /^TIMES (.*)$/m.exec(result.stderr);
  if (result.status !== 0 || times === null) throw new Error(`${args.join(' ')} ended with ${result.status}: ${result.stderr}`);
  return { ...JSON.parse(times[1]), output: result.stdout };
}

const ratio = (a, b) => (a / b).toFixed(2);
const mean = (values) => Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
const least = (results, what) => best(results.map((result) => result[what]));

function main() {
  installPackages();
  header('packages from nothing to their first result: processor ms (wall ms), best of each');
  const cache = mkdtempSync(join(tmpdir(), 'heddle-cold-'));
  const WAYS = [{ PACKAGES_USE: 'v8' }, { PACKAGES_USE: 'heddle', HEDDLE_CACHE: 'off' }, { PACKAGES_USE: 'heddle', HEDDLE_CACHE: cache }];
  const rows = [];
  const ratios = { compiled: [], cached: [] };
  for (const name of PROGRAMS.filter((program) => only.includes(program))) {
    const job = [`jobs/${name}.mjs`];
    const { output } = run(job, WAYS[2]); // Fills the cache.
    const results = WAYS.map(() => []);
    for (let i = 0; i < trials; i++) {
      for (const [k, way] of WAYS.entries()) {
        const result = run(job, way);
        if (result.output !== output) throw new Error(`${name} printed something else: ${result.output}`);
        results[k].push(result);
      }
    }
    const [v8, compiled, cached] = results.map((result) => least(result, 'cpu'));
    const show = (k) => `${least(results[k], 'cpu').toFixed(0)} (${least(results[k], 'wall').toFixed(0)})`;
    rows.push([
      name,
      show(0),
      show(1),
      ratio(compiled, v8),
      show(2),
      ratio(cached, v8),
      ...[0, 1, 2].map((k) => least(results[k], 'peak').toFixed(0)),
    ]);
    if (name === APART) continue;
    ratios.compiled.push(compiled / v8);
    ratios.cached.push(cached / v8);
  }
  table(['', 'V8', 'Heddle', 'ratio', 'cached', 'ratio', 'MB: V8', 'Heddle', 'cached'], rows);
  if (ratios.compiled.length > 0)
    console.log(`\ngeometric means, ${APART} apart: ${mean(ratios.compiled).toFixed(2)}, cached ${mean(ratios.cached).toFixed(2)}`);
  const tiny = WAYS.slice(0, 2).map((way) => Array.from({ length: trials }, () => run(['--input-type=module', '-'], way, TINY)));
  console.log('\na module of 40 bytes by the constructor, with its instance: the first, each of 20 more');
  table(
    ['', 'first', 'next'],
    tiny.map((results, k) => [k === 0 ? 'V8' : 'Heddle', least(results, 'first'), least(results, 'next')]),
  );
  rmSync(cache, { recursive: true });
}

main();

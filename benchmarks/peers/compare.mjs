// Whether this tree is faster or slower than another commit, beyond the noise: `npm run bench:compare -- REF [--trials 9] [--scale 0.5] [--only pairs]`.
// The other commit is built in a folder of its own, which is removed at the end. The same programs run on both, in turn, this tree's builds of them.
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chosen, header, number, root, table } from '../harness.mjs';
import { build, findTools } from './build.mjs';
import { heddleEngines, runOnce } from './engines.mjs';
import { PROGRAMS } from './programs.mjs';
import { digits } from './report.mjs';
import { chance, geometric, median } from './statistics.mjs';

/** How often two trees that are the same are called different for a program: once in a thousand times, for there are many programs. */
const SURE = 0.001;
/** With fewer trials the test could never be that sure. */
const LEAST_TRIALS = 7;
/** How a tree is built, and what of this tree's is up to date there where the sources are the same: the scripts see that, and have nothing to do. */
const BUILD = [
  { script: 'scripts/build_native.mjs', made: 'build/Release', files: ['heddle.node', 'heddle.stamp'] },
  { script: 'scripts/build_ts.mjs', made: 'dist', files: [] },
  { script: 'scripts/build_own_codegen.mjs', made: 'dist/codegen', files: [`${process.arch}.artifact`] },
];
const VALUED = ['--trials', '--scale', '--only', '--timeout'];

const trials = number('trials', 9, LEAST_TRIALS);
const scale = number('scale', 0.5, 0);
const limit = number('timeout', 120, 1);

/** What is no option and no option's value. */
function reference() {
  const args = process.argv.slice(2);
  return args.find((word, i) => !word.startsWith('--') && !VALUED.includes(args[i - 1]));
}

/** The short name of a commit. */
function commitOf(ref) {
  const { status, stdout } = spawnSync('git', ['rev-parse', '--short', '--verify', `${ref}^{commit}`], { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${ref} is no commit of this repository`);
  return stdout.trim();
}

/** Checks out a commit and builds it with this tree's dependencies. */
function buildOther(ref, folder) {
  execFileSync('git', ['worktree', 'add', '--detach', '--quiet', folder, ref], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  for (const { script, made, files } of BUILD) {
    if (!existsSync(join(folder, script))) continue;
    mkdirSync(join(folder, made), { recursive: true });
    for (const file of files) if (existsSync(join(root, made, file))) copyFileSync(join(root, made, file), join(folder, made, file));
    console.error(`${ref}: ${script}`);
    const { status, stderr } = spawnSync(process.execPath, [script], {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    if (status !== 0) throw new Error(`${script} of ${ref} ended with ${status}: ${stderr.trim().split('\n').at(-1)}`);
  }
}

/** What is said of two samples of times, `ours` and `theirs`. */
export function judge(ours, theirs) {
  const ratio = median(ours) / median(theirs);
  const p = chance(ours, theirs);
  return { ratio, p, verdict: p >= SURE ? 'no difference' : ratio < 1 ? 'faster' : 'slower' };
}

/** Times of a program on both packages, in turn; who begins changes. */
function sample(name, n, file, engines) {
  const times = engines.map(() => []);
  const expected = String(PROGRAMS[name].expected(BigInt(n)));
  for (let trial = 0; trial < trials; trial++) {
    const order = trial % 2 === 0 ? [0, 1] : [1, 0];
    for (const k of order) {
      const { failure, result, milliseconds } = runOnce(engines[k], file, n, limit);
      if (failure !== undefined) return { failure: `${k === 0 ? 'here' : 'there'}: ${failure}` };
      if (result !== expected) return { failure: `${k === 0 ? 'here' : 'there'}: run(${n}) is ${result}, not ${expected}` };
      times[k].push(milliseconds);
    }
  }
  return { times };
}

async function main(ref) {
  const wanted = chosen('only', Object.keys(PROGRAMS));
  const commit = commitOf(ref);
  const work = mkdtempSync(join(tmpdir(), 'heddle-compare-'));
  const other = join(work, 'tree');
  try {
    buildOther(ref, other);
    const tools = findTools();
    const engines = [heddleEngines(root)[0], heddleEngines(other)[0]];
    header(
      `this tree beside ${ref} (${commit}): ${trials} trials each, in turn; a difference is one that noise makes in ${SURE * 100}% of cases or fewer`,
    );
    const rows = [];
    const ratios = [];
    let slower = false;
    for (const name of wanted) {
      const { n: whole } = PROGRAMS[name];
      const n = whole < 100 ? whole : Math.max(1, Math.round(whole * scale));
      const { file, missing } = await build(tools, name, 'switching', work);
      const { failure, times } = missing === undefined ? sample(name, n, file, engines) : { failure: missing };
      if (failure !== undefined) {
        rows.push([name, '-', '-', '-', '-', failure]);
        continue;
      }
      const { ratio, p, verdict } = judge(...times);
      ratios.push(ratio);
      slower ||= verdict === 'slower';
      rows.push([name, digits(median(times[0])), digits(median(times[1])), ratio.toFixed(3), p.toFixed(4), verdict]);
    }
    table(['', 'here, ms', 'there, ms', 'ratio', 'chance', ''], rows);
    if (ratios.length > 0) console.log(`\ngeometric mean of the ratios: ${geometric(ratios).toFixed(3)}`);
    if (ratios.length < wanted.length) process.exitCode = 2;
    else if (slower) process.exitCode = 1;
  } finally {
    spawnSync('git', ['worktree', 'remove', '--force', other], { cwd: root });
    rmSync(work, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const ref = reference();
  if (ref === undefined) {
    console.error('usage: npm run bench:compare -- REF [--trials 9] [--scale 0.5] [--only pairs,sieve]');
    process.exitCode = 2;
  } else {
    await main(ref).catch((error) => {
      console.error(error.message);
      process.exitCode = 2;
    });
  }
}

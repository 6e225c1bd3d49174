// Heddle beside other engines: `npm run bench:peers -- [--quick] [--trials 5] [--scale 1] [--timeout 120] [--only pairs,sieve] [--engines heddle,v8]
// [--json FILE] [--html FILE] [--markdown FILE]`, or `--install`. Every trial is a process of its own, engines in turn.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { chosen, number, refuse, root, table, words } from '../harness.mjs';
import { build, findTools } from './build.mjs';
import { findEngines, runOnce } from './engines.mjs';
import { html } from './html.mjs';
import { installPeers } from './install.mjs';
import { PROGRAMS } from './programs.mjs';
import { failures, markdown, sections } from './report.mjs';
import { median } from './statistics.mjs';
import { goSizes, libraryCalls } from './talk.mjs';

const quick = process.argv.includes('--quick');
const settings = { trials: quick ? 1 : number('trials', 5, 1), scale: number('scale', 1, 0), limit: number('timeout', 120, 1), quick };

/** A line about what is being done, over the last one. Not on a terminal, a line for each trial of a program. */
function progress(text, isNew = false) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text.slice(0, (process.stderr.columns ?? 80) - 1)}`);
  else if (isNew) process.stderr.write(`${text}\n`);
}

const git = (...args) => {
  try {
    return execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return '';
  }
};

const machine = () => ({
  cpu: /^model name\s*: (.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? process.arch,
  cores: availableParallelism(),
  kernel: `${process.platform} ${release()}`,
  memory: totalmem(),
  load: loadavg()[0],
});

/** How large a program is run. Those whose `n` are levels are not scaled. */
function sizeOf(program) {
  if (settings.quick) return program.quick;
  return program.n < 100 ? program.n : Math.max(1, Math.round(program.n * settings.scale));
}

/** The engines that a program is run on, with what they have of it. */
async function prepare(name, engines, tools, folder) {
  const program = PROGRAMS[name];
  const kinds = [...new Set(engines.map(({ build: kind }) => kind))];
  const builds = {};
  for (const kind of kinds) {
    progress(`building ${name}, ${kind}`, kind === kinds[0]);
    builds[kind] = await build(tools, name, kind, folder);
  }
  const results = {};
  for (const { key, build: kind } of engines) {
    const { missing } = builds[kind];
    results[key] = missing === undefined ? { runs: [], startups: [] } : { missing, runs: [], startups: [] };
  }
  const n = sizeOf(program);
  return { what: program.what, n, steps: program.steps?.(n), builds, results };
}

/** One trial of a program on an engine: nothing to do, and then its work. */
function attempt(engine, name, names, prepared, trial) {
  const { builds, results, n } = prepared;
  const result = results[engine.key];
  if (result.missing !== undefined || result.failure !== undefined) return;
  progress(`trial ${trial + 1} of ${settings.trials}: ${name} on ${engine.name}`);
  // Where times are of whole processes start-up is part of each; otherwise it is of interest in itself, and the same for all programs.
  const sizes = engine.wholeProcess || name === names[0] ? [0, n] : [n];
  for (const size of sizes) {
    const kept = size === 0 ? result.startups : result.runs;
    const run = runOnce(engine, builds[engine.build].file, size, settings.limit);
    const expected = String(PROGRAMS[name].expected(BigInt(size)));
    if (run.failure !== undefined) result.failure = run.failure;
    else if (run.result !== expected) result.failure = `wrong: run(${size}) is ${run.result}, not ${expected}`;
    if (result.failure !== undefined) return;
    const { wall, processor, peak, milliseconds } = run;
    kept.push({ wall, processor, peak, milliseconds });
  }
}

/** Where an engine cannot tell its times: those of the processes, less those of processes that do nothing. */
function takeOffStartup({ runs, startups }) {
  for (const run of runs) run.milliseconds ??= Math.max(0, run.wall - median(startups.map(({ wall }) => wall)));
}

async function measure(names, engines, tools, folder) {
  const there = engines.filter(({ missing }) => missing === undefined);
  const programs = {};
  for (const name of names) programs[name] = await prepare(name, there, tools, folder);
  for (let trial = 0; trial < settings.trials; trial++) {
    for (const name of names) {
      progress(`trial ${trial + 1} of ${settings.trials}: ${name}`, true);
      for (const engine of there) attempt(engine, name, names, programs[name], trial);
    }
  }
  progress('');
  for (const { results } of Object.values(programs)) Object.values(results).forEach(takeOffStartup);
  return programs;
}

/** What goes into the file that is written: no paths of this machine. */
const plain = (program) => ({
  ...program,
  builds: Object.fromEntries(Object.entries(program.builds).map(([kind, { bytes, missing }]) => [kind, { bytes, missing }])),
});

function write(results) {
  const to = (name, make) => {
    const [file] = words(name) ?? [];
    if (file === undefined) return;
    writeFileSync(file, make());
    console.log(`\n${file}`);
  };
  to('json', () => `${JSON.stringify(results, undefined, 1)}\n`);
  to('html', () => html(results));
  to('markdown', () => markdown(results));
}

async function main() {
  for (const name of ['json', 'html', 'markdown']) if (words(name)?.[0] === '') refuse(`--${name} needs a file`);
  const tools = findTools();
  const all = findEngines(tools);
  const names = chosen('only', Object.keys(PROGRAMS));
  const asked = chosen(
    'engines',
    all.map(({ key }) => key),
  );
  const engines = all.filter(({ key }) => asked.includes(key));
  const folder = mkdtempSync(join(tmpdir(), 'heddle-peers-'));
  try {
    const before = { machine: machine(), commit: git('rev-parse', 'HEAD') || 'unknown', changed: git('status', '--porcelain') !== '' };
    const programs = await measure(names, engines, tools, folder);
    const results = {
      date: new Date().toISOString(),
      ...before,
      loadAtEnd: loadavg()[0],
      tools: { compiler: tools.clang.version ?? tools.clang.missing, binaryen: tools.binaryen.version ?? tools.binaryen.missing },
      settings,
      engines: engines.map(({ key, name, build: kind, version, options, missing }) => ({
        key,
        name,
        build: kind,
        version,
        options,
        missing,
      })),
      programs: Object.fromEntries(Object.entries(programs).map(([name, program]) => [name, plain(program)])),
      talk: { calls: libraryCalls(folder), go: settings.quick ? undefined : goSizes(tools, folder) },
    };
    for (const { title, note, head, rows } of sections(results)) {
      console.log(`\n${title}${note === undefined ? '' : `\n${note}`}\n`);
      table(head, rows);
    }
    write(results);
    // An engine of others may fail; Heddle may not.
    if (failures(results).some(({ engine }) => engine.startsWith('heddle'))) process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (process.argv.includes('--install')) process.exitCode = installPeers() ? 0 : 1;
else await main();

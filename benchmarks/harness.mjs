// What all benchmarks share: one process for each trial, interleaved, and results printed with the machine, Node and the date.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, homedir } from 'node:os';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The built package. */
export const heddle = () => import(join(root, 'dist/heddle.mjs'));

/** A number from the command line: `--name 5`. */
export function option(name, otherwise) {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : Number(process.argv[at + 1]);
}

/** The words behind `--name`, which commas part; undefined without it. */
export function words(name) {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : (process.argv[at + 1] ?? '').split(',');
}

/** Ends the run for what was asked for and cannot be. */
export function refuse(message) {
  console.error(message);
  process.exit(2);
}

/** The names that were asked for, all where none were. */
export function chosen(name, all) {
  const asked = words(name) ?? all;
  const unknown = asked.find((each) => !all.includes(each));
  if (unknown !== undefined) refuse(`--${name} ${unknown}: there are ${all.join(', ')}`);
  return asked;
}

/** A number behind `--name` that is not less than `least`. */
export function number(name, otherwise, least) {
  const value = option(name, otherwise);
  if (!(value >= least)) refuse(`--${name} must be a number, ${least} or more`);
  return value;
}

/** The name of the trial that this process is, undefined in the parent. */
export const trial = process.argv[2] === '--trial' ? process.argv[3] : undefined;

/** What a trial reports: numbers by name. */
export const report = (numbers) => process.stdout.write(`\nRESULT ${JSON.stringify(numbers)}\n`);

/** A program on the PATH, or undefined. */
export function onPath(name) {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path));
}

const cache = process.env.XDG_CACHE_HOME ?? '';

/** Where `npm run bench:peers -- --install` puts what Heddle is compared with. */
export const peersFolder = join(isAbsolute(cache) ? cache : join(homedir(), '.cache'), 'heddle-peers');

/**
 * A Node 26 to compare with, whose V8 has stack switching: HEDDLE_PEER_NODE, `npm install --no-save node@26` in this repository, or what
 * `npm run bench:peers -- --install` has installed.
 */
export function peerNode() {
  const folders = [root, peersFolder].map((folder) => join(folder, 'node_modules/node/bin/node'));
  const found = process.env.HEDDLE_PEER_NODE ?? folders.find((path) => existsSync(path));
  if (found === undefined || !existsSync(found)) return undefined;
  const version = execFileSync(found, ['--version'], { encoding: 'utf8' }).trim();
  return Number(/^v(\d+)/.exec(version)?.[1]) >= 26 ? { path: found, version } : undefined;
}

/** Asks Wasmtime's Python package something (wasmtime_peer.py); undefined where it is not installed. */
export function wasmtimePeer(...args) {
  const result = spawnSync('python3', [join(root, 'benchmarks/wasmtime_peer.py'), ...args.map(String)], { encoding: 'utf8' });
  return result.status === 0 ? JSON.parse(result.stdout) : undefined;
}

/** Runs one trial of a benchmark file in a process of its own. `node` are the program and its options. */
export function runTrial(file, name, { node = [process.execPath], args = [], env = {} } = {}) {
  const [command, ...options] = node;
  const result = spawnSync(command, [...options, fileURLToPath(file), '--trial', name, ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
    maxBuffer: 1 << 28,
  });
  const line = /^RESULT (.*)$/m.exec(result.stdout ?? '');
  if (line === null) return { error: `${(result.stderr ?? '').trim().split('\n')[0] || `status ${result.status ?? result.signal}`}` };
  return JSON.parse(line[1]);
}

/** Milliseconds of a whole process, from start to exit. */
export function timeProcess(command, args, env = {}) {
  const start = performance.now();
  const result = spawnSync(command, args, { cwd: root, encoding: 'utf8', env: { ...process.env, ...env } });
  const time = performance.now() - start;
  if (result.status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${result.status ?? result.signal}: ${result.stderr}`);
  return time;
}

/** Milliseconds of processor time that a whole process takes, with its threads: bash says what the system has counted. */
export function processorTime(command, args, env = {}) {
  const script = ['-c', 'TIMEFORMAT="processor %3U %3S"; time "$@" > /dev/null', 'bash', command, ...args];
  const result = spawnSync('bash', script, { cwd: root, encoding: 'utf8', env: { ...process.env, ...env, LC_ALL: 'C' } });
  const [, user, system] = /^processor ([\d.]+) ([\d.]+)$/m.exec(result.stderr) ?? [];
  if (result.status !== 0 || user === undefined) throw new Error(`${command} ${args.join(' ')}: ${result.stderr}`);
  return (Number(user) + Number(system)) * 1000;
}

/** Runs each of `[name, run]` `trials` times, in turn; the results of each. */
export function interleaved(runs, trials) {
  const results = runs.map(() => []);
  for (let i = 0; i < trials; i++) {
    for (const [k, [, run]] of runs.entries()) results[k].push(run());
  }
  return results;
}

const sorted = (values) => [...values].sort((a, b) => a - b);
export const best = (values) => sorted(values)[0];
export const median = (values) => sorted(values)[values.length >> 1];

/** Head of a report: what was measured where. */
export function header(title) {
  const cpu = /^model name\s*: (.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? process.arch;
  const commit = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).stdout?.trim() || 'unknown';
  console.log(
    `${title}\n${cpu}, ${availableParallelism()} cores, ${process.platform} ${process.arch}, Node ${process.version}, commit ${commit}`,
  );
  console.log(`${new Date().toISOString().slice(0, 10)}\n`);
}

/** Prints rows in columns. */
export function table(head, rows) {
  const all = [head, ...rows.map((row) => row.map((cell) => (typeof cell === 'number' ? cell.toFixed(cell < 100 ? 2 : 0) : String(cell))))];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  for (const row of all) console.log(row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  '));
}

/** Keeps a timing loop's result alive. */
export const keep = (value) => {
  globalThis.kept = value;
};
